"""Spreads of numbers ("for six people"), times and their words, in a shop of games."""

from __future__ import annotations

import pytest

from coldstart.catalog.catalog import Catalog
from coldstart.interactions.interaction_stats import Counts
from coldstart.schema import Item
from coldstart.understanding.products.amounts import is_time, numeric_attributes, side_of
from coldstart.understanding.products.spreads import spreads
from coldstart.understanding.reader import RequestReader

GAMES = (
    ("Catan", 3, 4, 90), ("Chess", 2, 2, 60), ("Codenames", 2, 8, 15), ("Uno", 2, 10, 30),
    ("Gloomhaven", 1, 4, 120), ("Azul", 2, 4, 40),
)  # fmt: skip


@pytest.fixture(scope="module")
def catalog():
    return Catalog(
        Item(
            item_id=name,
            title=name,
            price=20.0,
            description="A game of cards and dice.",
            attributes={
                "Min players": str(low),
                "Max players": str(high),
                "Playing time": str(minutes),
            },
        )
        for name, low, high, minutes in GAMES
    )


@pytest.fixture(scope="module")
def read(catalog):
    return RequestReader(catalog, Counts.fit(catalog.ids, {}, {})).read


def limits(read, text):
    return {
        p.attribute: (p.low, p.high)
        for p in read(text).pieces
        if p.low is not None or p.high is not None
    }


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        ("a game for two players", 2, 2), ("something for six people", 6, 6),
        ("a 3-5 player game", 3, 5), ("we are four, something funny", 4, 4),
        ("there will be five of us", 5, 5), ("a solo game", 1, 1), ("up to 8 players", None, 8),
        ("to play by myself", 1, 1), ("for three or four persons", 3, 4),
        ("between 3 and 5 players", 3, 5), ("more than 4 players", None, 5),
        ("one player or two players", 1, 2), ("at least 6 players", None, 6),
        ("no more than 4 players", 4, None), ("fewer than 4 players", 3, None),
    ],
)  # fmt: skip
def test_numbers_of_players_are_within_the_spread(read, text, low, high):
    found = limits(read, text)
    wanted = {"Max players": (high, None), "Min players": (None, low)}
    assert found == {name: span for name, span in wanted.items() if span != (None, None)}


@pytest.mark.parametrize(
    "text",
    [
        *("two games", "a game for 3 euros", "for a five year old", "zero players", "we are late"),
        *("not for two players", "3 people told me of it", "for myself and five friends"),
        *("one person likes it", "I am solo parenting"),
    ],
)
def test_other_numbers_are_none(read, text):
    assert not {"Max players", "Min players"} & limits(read, text).keys()


@pytest.mark.parametrize(
    ("text", "low", "high", "strict"),
    [
        ("under 30 minutes", None, 30, True), ("at least 90 mins", 90, None, True),
        ("a quick game", None, 36.67, False), ("a long game", 70, None, False),
        ("a quick game of at most 20 minutes", None, 20, True),
    ],
)  # fmt: skip
def test_times_are_minutes_and_words_order(read, text, low, high, strict):
    (piece,) = (p for p in read(text).pieces if p.attribute == "Playing time")
    assert (piece.low, piece.high, piece.strict) == (
        low if low is None else pytest.approx(low, abs=0.01),
        high if high is None else pytest.approx(high, abs=0.01),
        strict,
    )


def test_what_is_wanted_for_oneself_only_orders(read):
    assert not any(p.strict for p in read("a game to play by myself").pieces)


def test_other_spreads_and_hours_are_of_no_people_and_no_time():
    desks = Catalog(
        Item(
            item_id=str(n),
            title="Desk",
            price=n,
            attributes={"min_height": "62", "max_height": str(110 + n), "battery hours": str(n)},
        )
        for n in range(9)
    )
    read = RequestReader(desks, Counts.fit(desks.ids, {}, {})).read
    for text in ("a desk for myself", "we are two, a table", "a long desk", "a fast charger"):
        assert not limits(read, text)


def test_what_everything_is_names_nothing(read):
    assert not read("a game").pieces
    assert [p.value for p in read("a card game").pieces] == ["card"]


def test_units_of_attributes(catalog):
    units = numeric_attributes(catalog)
    assert units["minut"] == units["min"] == "Playing time"
    assert set(spreads(catalog)) >= {"player", "peopl", "person"}
    assert [is_time(n) for n in ("Playing time", "time in hours", "price")] == [True, False, False]
    assert side_of("Players (max)") == ("max", "Players")
    assert side_of("maximum_load") == ("max", "load")
    assert [side_of(name) for name in ("minutes", "Maxi dress")] == [None, None]
