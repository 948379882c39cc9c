"""Types and terms over a store, with synonyms and what falls under a word."""

from __future__ import annotations

import pytest

from coldstart.catalog.catalog import Catalog
from coldstart.schema import Item, Piece
from coldstart.scoring import word_matches
from coldstart.scoring.word_matches import Matcher, matching
from tests.ten_films import make_item_store

ITEMS = [
    Item(item_id="wine", title="Red Wine Rioja, 750 ml", description="Dry wine from Spain."),
    Item(item_id="glasses", title="Wine Glasses, Set of 6", description="For red wine."),
    Item(item_id="water", title="Water Glasses"),
    Item(item_id="boots", title="Suede Boots", categories=("Shoes & Boots",)),
    Item(item_id="sneakers", title="Canvas Trainers", description="Leather-free."),
    Item(item_id="toy", title="Robot Dog", description="Runs on two AA batteries."),
    Item(item_id="knives", title="Kitchen Knives"),
    Item(item_id="鞋", title="男士跑步鞋", categories=("运动鞋服",)),
]


@pytest.fixture(scope="module")
def store():
    return make_item_store(Catalog(ITEMS))


CASES = pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        ("type", "wine", {"wine"}),
        ("type", "glasses", {"glasses", "water"}),
        ("type", "sneakers", {"sneakers"}),
        ("type", "footwear", {"boots", "sneakers"}),
        ("type", "knife", {"knives"}),
        ("type", "跑鞋", {"鞋"}),
        ("type", "鞋子", {"鞋"}),
        ("term", "leather", {"boots"}),
        ("term", "leather-free", {"sneakers"}),
        ("term", "electronic", {"toy"}),
        ("term", "wine", {"wine", "glasses"}),
        ("term", "", set()),
    ],
)


@CASES
def test_what_is_matched(store, kind, value, expected):
    piece = Piece(kind=kind, value=value, words=value, start=0, end=0)
    mask = matching(store, piece)
    assert {item for item, good in zip(store.ids, mask, strict=True) if good} == expected


@pytest.mark.parametrize("value", ["knives", "battery", "leather", "wine", "shoe", "children"])
def test_the_quick_look_leaves_nothing_out(store, value):
    holds = Matcher(Piece(kind="term", value=value, words="x", start=0, end=0), frozenset())
    assert all(holds.may_hold(item) for item in ITEMS if holds(item))


@CASES
def test_a_large_store_finds_the_same_by_its_index(store, monkeypatch, kind, value, expected):
    monkeypatch.setattr(word_matches, "LARGE", 0)
    test_what_is_matched(store, kind, value, expected)


@pytest.mark.parametrize(("wanted", "found"), [(True, 2), (False, 3)])
def test_words_that_a_large_store_leaves_unread_can_only_reject(store, monkeypatch, wanted, found):
    monkeypatch.setattr(word_matches, "LARGE", 0)
    monkeypatch.setattr(word_matches, "MOST_READ", 2)
    items = [Item(item_id=str(n), title=f"Lamp {n}" + " of oak" * (n < 3)) for n in range(9)]
    lamps = make_item_store(Catalog(items))
    piece = Piece(kind="term", value="oak", words="oak", start=0, end=3, wanted=wanted)
    assert matching(lamps, piece).sum() == found


@pytest.mark.parametrize(
    ("term", "word"),
    [
        ("puppy", "dogs"),
        ("wooden", "beech"),
        ("tennis", "tennis"),
        ("plush", ""),
        ("warm", ""),
        ("nylon-free", ""),
    ],
)
def test_the_item_s_own_word_is_told(term, word):
    item = Item(item_id="1", title="Tennis Balls", description="For Dogs; a box of beech.")
    piece = Piece(kind="term", value=term, words=term, start=0, end=len(term))
    assert Matcher(piece).word_of(item) == word
