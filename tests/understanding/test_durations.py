"""Durations that a text asks for, and what looks like one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coldstart.catalog.catalog import Catalog
from coldstart.interactions.interaction_stats import Counts
from coldstart.schema import Item
from coldstart.understanding.durations import (
    FEATURE,
    NOT_LONG,
    SHORT,
    duration_text,
    find_durations,
    find_short,
)
from coldstart.understanding.reader import RequestReader


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        ("a short film under 90 minutes", None, 90),
        ("no longer than two hours", None, 120),
        ("nothing over 2 hours please", None, 120),
        ("I don't want anything longer than 100 min", None, 100),
        ("I have only an hour and a half", None, 90),
        ("less than half an hour", None, 30),
        ("1h 45m tops", None, 105),
        ("two hours or less", None, 120),
        ("at least three hours long", 180, None),
        ("over 150 minutes", 150, None),
        ("between 80 and 100 minutes", 80, 100),
        ("from two to one hours", 60, 120),
        ("a 90-minute thriller", 76, 103),
        ("90-120 minutes", 90, 120),
        ("max 1h30", None, 90),
        ("a film two hours long", 102, 138),
    ],
)
def test_spans(text, low, high):
    assert [(d.low, d.high) for d in find_durations(text)] == [(low, high)]


@pytest.mark.parametrize(
    "text",
    [
        "24 hours in Tokyo",
        "the power was out for two hours",
        "a two hour flight",
        "three minutes ago",
        "I worked over 12 hours today",
        "she has 24 hours to live, within 24 hours",
        "we start in ten minutes",
        "the 25th hour",
        "under 0 minutes",
        "under 99999999 hours",
        "minutes",
        "",
    ],
)
def test_what_limits_no_running_time(text):
    assert not list(find_durations(text))


@pytest.mark.parametrize(
    ("text", "most"),
    [("not too long", NOT_LONG), ("something short", SHORT), ("a quick watch", SHORT)],
)
def test_something_short_is_inferred(text, most):
    assert [(d.high, d.stated) for d in find_short(text)] == [(most, False)]


@pytest.mark.parametrize("text", ["something short", "nothing too long"])
def test_something_short_is_a_whole_film_all_the_same(text):
    (piece,) = reader(minutes="88").read(text).pieces
    assert piece.low == FEATURE


@pytest.mark.parametrize(
    ("text", "spans"),
    [
        ("a comedy, maybe an hour and a half", [(76, 103)]),
        ("about two hours", [(102, 138)]),
        ("I saw it about two hours ago", []),
        ("about two hours ago", []),
        ("it rained for about two hours", []),
    ],
)
def test_a_length_by_itself_may_be_rough(text, spans):
    assert [(d.low, d.high) for d in find_durations(text)] == spans


@pytest.mark.parametrize("text", ["a short story collection", "long", "shortly"])
def test_other_short_things_are_not(text):
    assert not list(find_short(text))


@given(st.text(max_size=80))
def test_any_text_is_read(text):
    for found in [*find_durations(text), *find_short(text)]:
        assert 0 <= found.start < found.end <= len(text)
        assert duration_text(found.low, found.high).endswith("minutes")


def reader(**attributes):
    films = [
        Item(item_id=str(n), title=f"Zzyzx {n}", categories=("Comedy",), attributes=attributes)
        for n in range(3)
    ]
    return RequestReader(Catalog(films), Counts.fit(["0", "1", "2"], {}, {}))


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        ("a comedy under 90 minutes", None, 90),
        ("a comedy, but not under 90 minutes", 90, None),
        ("I don't want 3 hours or more", None, 180),
        ("a comedy without blood, under two hours", None, 120),
        ("nothing violent at all and under 100 minutes", None, 100),
        ("I don't want to watch anything longer than two hours", None, 120),
        ("I don't want a movie that is over two hours", None, 120),
        ("a comedy and not under 90 minutes", 90, None),
    ],
)
def test_a_film_reader_makes_pieces_of_them(text, low, high):
    (piece,) = [p for p in reader(minutes="88").read(text).pieces if p.kind == "attribute"]
    assert (piece.attribute, piece.low, piece.high) == ("minutes", low, high)
    assert piece.strict
    assert piece.wanted


def test_a_length_that_is_rejected_is_not_wanted():
    read = reader(minutes="88").read("I don't want to sit through a 3 hour movie")
    assert not [p for p in read.pieces if p.attribute == "minutes"]


def test_not_long_ago_is_no_length():
    assert not list(find_short("I saw it not too long ago"))


def test_only_where_films_have_running_times():
    assert not [p for p in reader().read("under 90 minutes").pieces if p.kind == "attribute"]
