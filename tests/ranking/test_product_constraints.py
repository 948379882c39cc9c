"""Constraints of requests for products: prices, stock, ages, types and terms."""

from __future__ import annotations

import numpy as np
import pytest

from coldstart.catalog.catalog import Catalog
from coldstart.ranking.constraints import Constraints
from coldstart.schema import Item, Piece, Understood
from tests.ten_films import make_item_store

TOYS = ("Toys",)
ITEMS = [
    Item(item_id="train", title="Wooden Train", price=20.0, categories=TOYS, min_age=3, max_age=6),
    Item(item_id="robot", title="Robot", price=29.0, categories=TOYS, min_age=8, max_age=12,
         description="Needs 2 batteries."),
    Item(item_id="kite", title="Kite", price=9.5, categories=TOYS, min_age=5, max_age=12,
         description="No batteries needed.", available=False),
    Item(item_id="doll", title="Doll", price=15.0, categories=TOYS, min_age=2, max_age=8),
    Item(item_id="shoes", title="Running Shoes", price=89.9, categories=("Shoes",)),
    Item(item_id="boots", title="Leather Boots", price=149.0, categories=("Shoes",)),
    Item(item_id="knife", title="Chef's Knife", categories=("Kitchen",), min_age=18),
]  # fmt: skip


@pytest.fixture(scope="module")
def store():
    return make_item_store(Catalog(ITEMS))


def piece(kind: str, value: str, **fields) -> Piece:
    return Piece(kind=kind, value=value, words=value, start=0, end=len(value), **fields)


def judged(store, *pieces: Piece):
    found = Constraints(Understood(text="x", pieces=pieces)).verdicts(store)
    ids = np.array(store.ids)
    order = ids[np.argsort(found.tier, kind="stable")]
    return set(ids[found.excluded]), list(order)


def test_a_price_excludes_what_costs_more_and_what_has_none(store):
    excluded, _ = judged(store, piece("price", "up to 20", high=20.0))
    assert excluded == {"robot", "shoes", "boots", "knife"}
    excluded, _ = judged(store, piece("price", "15 to 30", low=15.0, high=30.0))
    assert excluded == {"kite", "shoes", "boots", "knife"}


def test_a_price_does_nothing_where_no_item_has_one(store):
    bare = make_item_store(Catalog([i.model_copy(update={"price": None}) for i in ITEMS]))
    excluded, _ = judged(bare, piece("price", "up to 20", high=20.0))
    assert excluded == set()


def test_a_low_price_is_low_among_what_is_asked_for(store):
    low = piece("price", "low", strict=False)
    excluded, order = judged(store, piece("type", "shoes", group=1), low)
    assert excluded == set()
    assert order[:2] == ["shoes", "boots"] or order[:1] == ["shoes"]
    _, order = judged(store, low)
    assert set(order[:2]) == {"kite", "doll"}
    _, order = judged(store, piece("price", "high", strict=False))
    assert set(order[:2]) == {"shoes", "boots"}


def test_what_is_asked_for_comes_before_what_suits_a_child(store):
    child = piece("audience", "4", age=4, group=1)
    excluded, order = judged(store, piece("type", "shoes", group=2), child)
    assert excluded == {"robot", "kite", "knife"}
    assert order[:2] == ["shoes", "boots"]
    _, order = judged(store, child)
    assert order[:2] == ["train", "doll"]


def test_both_ends_of_an_age_exclude(store):
    excluded, _ = judged(store, piece("audience", "10", age=10))
    assert excluded == {"train", "doll", "knife"}


def test_an_adult_is_not_offered_first_what_children_outgrow(store):
    excluded, order = judged(store, piece("audience", "adult", age=30, strict=False))
    assert excluded == set()
    assert set(order[:3]) == {"shoes", "boots", "knife"}


def test_a_rejected_term_excludes_what_has_it_but_not_what_is_free_of_it(store):
    excluded, _ = judged(store, piece("term", "batteries", wanted=False))
    assert excluded == {"robot"}
    _, order = judged(store, piece("term", "batteries-free"))
    assert order[0] == "kite"
    excluded, _ = judged(store, piece("type", "leather shoes", wanted=False))
    assert excluded == {"boots"}


def test_stock_excludes(store):
    excluded, _ = judged(store, piece("attribute", "in stock", attribute="available"))
    assert excluded == {"kite"}


@pytest.mark.parametrize(
    ("wish", "item", "why"),
    [
        (piece("price", "up to 20", high=20.0), "robot", "costs 29: not “up to 20”"),
        (piece("price", "up to 20", high=20.0), "knife", "price unknown: not “up to 20”"),
        (piece("audience", "10", age=10), "train", "suitable up to age 6"),
        (piece("term", "batteries", wanted=False), "robot", "batteries: rejected by “batteries”"),
        (piece("attribute", "in stock", attribute="available"), "kite", "not in stock: not"),
    ],
)
def test_what_excludes_is_told(store, wish, item, why):
    found = Constraints(Understood(text="x", pieces=(wish,)))
    assert found.why(store, store.rows[item]).startswith(why)


def test_after_a_type_comes_what_shares_its_narrowest_category_then_the_widest(store):
    def item(name, *categories):
        return Item(item_id=name, title=name, categories=categories)

    rows = [
        item("Hammer", "Tools", "Hand Tools"),
        item("Desk Lamp", "Home", "Indoor"),
        item("Candle", "Home", "Indoor"),
        item("Vase", "Home", "Outdoor"),
        item("Bike Lamp", "Sport", "Cycling"),
        *(item(f"Helmet {n}", "Sport", "Cycling") for n in range(5)),
        *(item(f"Chisel {n}", "Tools", "Hand Tools") for n in range(5)),
    ]
    shop = make_item_store(Catalog(rows))
    shop.encoder.by_letters = True  # meaning is compared in the test of compounds
    _, order = judged(shop, piece("type", "lamp", group=1))
    assert order[:2] == ["Desk Lamp", "Bike Lamp"]
    assert order[2:4] == ["Candle", "Vase"]  # a sixth of what is for cycling is a lamp: no helmets
    assert order.index("Hammer") < order.index("Chisel 0")
    _, order = judged(shop, piece("type", "sofa", group=1))
    assert order == [i.item_id for i in rows]


def test_nearness_by_category_is_told_only_of_what_is_not_of_the_type(store):
    _, order = judged(store, piece("type", "train", group=1), piece("term", "batteries", group=2))
    assert order[0] == "train"
    assert set(order[1:4]) == {"robot", "kite", "doll"}
