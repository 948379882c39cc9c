from datetime import UTC, date, datetime, timedelta, timezone

import pytest

from coldstart.data.columns import name_key
from coldstart.data.times import (
    TIME_NAMES,
    VAGUE_TIME_NAMES,
    looks_like_clock,
    looks_like_times,
    read_times,
)

MOMENT = datetime(2024, 1, 31, 12, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        "2024-01-31T12:30:00Z", "2024-01-31 12:30", "2024-01-31 12:30:00 UTC",
        "2024-01-31T14:30:00+02:00", "2024/01/31 12:30:00", "31.01.2024 12:30",
        "31/01/2024 12:30", "01/31/2024 12:30 PM", "Jan 31, 2024 12:30:00",
        "Wed Jan 31 12:30:00 +0000 2024", "Wed, 31 Jan 2024 12:30:00 +0000", "20240131T123000",
        1706704200, 1706704200.0, "1706704200", 1706704200000, "1706704200000000",
        1706704200 * 10**9, 20240131123000, MOMENT, MOMENT.replace(tzinfo=None),
        MOMENT.astimezone(timezone(timedelta(hours=5))),
    ],
    ids=str,
)  # fmt: skip
def test_one_moment_however_it_is_written(text):
    made = read_times([text])
    assert (made.seconds, made.bad) == ([MOMENT.timestamp()], ())


@pytest.mark.parametrize(
    "text",
    ["2024-01-31", "31.01.2024", "Jan 31, 2024", "01 31, 2024", "31-Jan-2024", "20240131",
     date(2024, 1, 31), "31/01/2024", "1/31/24"],
    ids=str,
)  # fmt: skip
def test_days_are_their_first_second(text):
    assert read_times([text]).seconds == [datetime(2024, 1, 31, tzinfo=UTC).timestamp()]


def test_positions_stay_as_they_are():
    assert read_times([3, 1, 2.5, "4"]).seconds == [3.0, 1.0, 2.5, 4.0]
    assert not looks_like_times([3, 1, 2])


def test_units_that_mix_are_told():
    made = read_times([1706704200, 1706704200000, 1706704200000])
    assert set(made.seconds) == {1706704200.0}
    assert made.warnings == (
        "times mix units (2 of milliseconds, 1 of seconds); all are made seconds",
    )
    assert read_times(["2024-01-31", 5]).warnings == (
        "times are numbers in some rows and dates in others",
    )


def test_missing_times_are_missing_and_bad_ones_found():
    made = read_times(["2024-01-31", "NULL", None, "soon", float("nan"), ""])
    assert [s is None for s in made.seconds] == [False, True, True, True, True, True]
    assert made.bad == (3,)


@pytest.mark.parametrize("texts", [["02/03/2024"], ["31/01/2024", "01/31/2024"]], ids=str)
def test_a_date_that_may_be_two_is_none(texts):
    made = read_times(texts)
    assert made.bad == tuple(range(len(texts)))
    assert "may name the day or the month first" in made.warnings[0]


def test_clocks_and_other_texts_are_no_times():
    assert looks_like_clock(["12:30", "9:15:30", None])
    assert not looks_like_clock(["12:30", "2024-01-31"])
    assert not looks_like_times(["soon", "2024-01-31"])
    assert not looks_like_times([None, ""])
    assert not looks_like_times([True])


def test_names_are_known_once():
    keys = [name_key(name) for name in TIME_NAMES]
    assert len(set(keys)) == len(keys)
    assert set(keys) >= VAGUE_TIME_NAMES
