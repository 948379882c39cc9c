from dataclasses import replace
from datetime import UTC, datetime

import polars as pl
import pytest

from coldstart.catalog.catalog import Catalog
from coldstart.data.dataset import Dataset, dataset_from_frames
from coldstart.errors import DataError
from coldstart.schema import Item, UserProfile

CATALOG = Catalog(Item(item_id=i, title=f"Film {i}") for i in "abc")
ROWS = {"user_id": ["u", "u", "v", "u"], "item_id": ["a", "b", "c", "c"], "rating": [5, 4, 5, 1]}


def made(**columns):
    return dataset_from_frames("toy", CATALOG, pl.DataFrame(ROWS | columns), like_at=4)


@pytest.mark.parametrize("column", ["timestamp", "position"])
def test_times_are_parallel_to_likes(column):
    data = made(**{column: [30, 20, 7, 10]})
    assert data.likes == {"u": ("b", "a"), "v": ("c",)}
    assert data.times == {"u": (20.0, 30.0), "v": (7.0,)}


def test_a_repeated_interaction_has_the_time_of_the_first():
    frame = pl.DataFrame(
        {"user_id": ["u", "u"], "item_id": ["a", "a"], "timestamp": [9.5, 3.25]},
    )
    data = dataset_from_frames("toy", CATALOG, frame)
    assert (data.likes, data.times) == ({"u": ("a",)}, {"u": (3.25,)})


def test_dates_become_seconds():
    day = datetime(1998, 4, 23, tzinfo=UTC)
    data = made(timestamp=[day] * 4)
    assert data.times == {"u": (day.timestamp(),) * 2, "v": (day.timestamp(),)}
    assert made(timestamp=[day.date()] * 4).times == data.times


@pytest.mark.parametrize(
    "times",
    [
        {},
        {"timestamp": ["1998-04-23"] * 4},
        {"timestamp": [1, 2, None, 4]},
        {"timestamp": [1.0, 2.0, float("nan"), 4.0]},
    ],
)
def test_times_that_are_not_all_known_are_unknown(times):
    assert made(**times).times == {}


def test_times_do_not_change_the_fingerprint():
    timed, plain = made(timestamp=[1, 2, 3, 4]), made()
    assert timed.likes == plain.likes
    assert timed.times
    assert timed.fingerprint == plain.fingerprint


@pytest.mark.parametrize(
    ("times", "why"),
    [
        ({"u": (1.0,), "v": (1.0,)}, "'u' has 2 likes and 1 times .give a time for every like"),
        ({"u": (1.0, 2.0)}, "'v' has 1 likes and 0 times"),
        ({"u": (1.0, 2.0), "v": (1.0,), "w": (1.0,)}, "'w' has 0 likes and 1 times"),
    ],
)
def test_times_that_are_not_parallel_are_refused(times, why):
    likes = {"u": ("a", "b"), "v": ("c",)}
    with pytest.raises(DataError, match=why):
        Dataset("toy", CATALOG, dict.fromkeys(likes, UserProfile()), likes, {}, times)


def test_times_of_dislikes_are_parallel_to_them():
    rows = {"user_id": ["u"] * 3, "item_id": ["a", "b", "a"], "rating": [1, 5, 1]}
    table = pl.DataFrame(rows | {"timestamp": [9.0, 2.0, 4.0]})
    data = dataset_from_frames("toy", CATALOG, table, like_at=4, dislike_at=2)
    assert (data.dislikes, data.dislike_times) == ({"u": ("a",)}, {"u": (4.0,)})
    untimed = table.drop("timestamp")
    assert dataset_from_frames("toy", CATALOG, untimed, dislike_at=2).dislike_times == {}
    with pytest.raises(DataError, match="'u' has 1 dislikes and 0 times .give a time for every d"):
        replace(data, dislike_times={"u": ()})


def test_movielens_has_the_fingerprint_of_the_reports_and_times(movielens):
    """With equal times in the order of a hash; by item id it was cd24981b33aa."""
    assert movielens.fingerprint.startswith("8cb55ddf7ade")
    assert (len(movielens.likes), sum(map(len, movielens.likes.values()))) == (942, 55375)
    for user, times in movielens.times.items():
        assert list(times) == sorted(times)
        assert len(times) == len(movielens.likes[user])
    assert min(map(min, movielens.times.values())) == 874724710  # 20 September 1997


def test_frames_are_read_like_files():
    frame = pl.DataFrame(
        {"User": ["u", "u", None], "movieId": ["a", "b", "c"], "Book-Rating": [9, 1, 5]}
    )
    data = dataset_from_frames("toy", CATALOG, frame)
    assert (data.likes, data.dislikes) == ({"u": ("a",)}, {"u": ("b",)})
    assert "left out: 1 row without user_id (row 3)" in data.report.paragraph()
    with pytest.raises(DataError, match="'zufriedenheit' looks like a preference"):
        dataset_from_frames("toy", CATALOG, frame.rename({"Book-Rating": "zufriedenheit"}))
    odd = frame.rename({"Book-Rating": "zufriedenheit"})
    named = dataset_from_frames("toy", CATALOG, odd, columns={"rating": "zufriedenheit"})
    assert named.likes == data.likes


def test_ids_of_frames_are_texts_and_missing_ones_refused():
    frame = pl.DataFrame({"user_id": [1.0, 2.0], "item_id": ["a", "b"]})
    assert dataset_from_frames("toy", CATALOG, frame).likes == {"1": ("a",), "2": ("b",)}
    with pytest.raises(DataError, match="1 interactions have no user_id"):
        dataset_from_frames("toy", CATALOG, frame.with_columns(user_id=pl.Series([1.0, None])))


def test_the_latest_judgement_counts_at_the_first_time():
    rows = {"user_id": ["u"] * 4, "item_id": ["a", "b", "a", "c"], "rating": [1, 5, 5, 4]}
    data = dataset_from_frames("toy", CATALOG, pl.DataFrame(rows | {"timestamp": [1, 2, 3, None]}))
    assert (data.likes, data.dislikes) == ({"u": ("a", "b", "c")}, {})
    assert data.times == {}  # one is unknown, and comes last
    assert data.report.repeated == 1
    turned = dataset_from_frames("toy", CATALOG, pl.DataFrame(rows | {"timestamp": [3, 2, 1, 4]}))
    assert (turned.likes, turned.dislikes) == ({"u": ("b", "c")}, {"u": ("a",)})
    assert turned.dislike_times == {"u": (1.0,)}


def test_a_view_takes_no_like_back():
    rows = {"user_id": ["u"] * 3, "item_id": ["a"] * 3, "rating": ["like", "view", "view"]}
    assert dataset_from_frames("toy", CATALOG, pl.DataFrame(rows)).likes == {"u": ("a",)}
