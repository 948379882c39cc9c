"""Nearness by category to the items that were asked for."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coldstart.catalog.catalog import Catalog
from coldstart.schema import Item
from coldstart.scoring.category_nearness import FAR, apart_from, shared_category
from tests.ten_films import make_item_store

ROWS = [
    ("Scarf", "Clothes", "Accessories"),
    ("Belt", "Clothes", "Accessories"),
    ("Shirt", "Clothes", "Tops"),
    ("Cable", "Electronics", "Accessories"),
    ("Radio", "Electronics", "Audio"),
    ("Book",),
]


@pytest.fixture(scope="module")
def store():
    items = [Item(item_id=r[0], title=r[0], categories=r[1:]) for r in ROWS]
    return make_item_store(Catalog(items))


def mask(store, *ids):
    return np.isin(store.ids, ids)


def test_a_narrow_name_counts_within_its_wide_category_only(store):
    assert apart_from(store, mask(store, "Scarf")).tolist() == [0, 0, 1, FAR, FAR, FAR]
    assert shared_category(store, mask(store, "Scarf"), store.rows["Belt"]) == "Accessories"
    assert shared_category(store, mask(store, "Scarf"), store.rows["Shirt"]) == "Clothes"
    assert shared_category(store, mask(store, "Scarf"), store.rows["Cable"]) == ""


def test_nothing_is_near_nothing_and_what_has_no_category(store):
    assert set(apart_from(store, mask(store)).tolist()) == {FAR}
    assert set(apart_from(store, mask(store, "Book")).tolist()) == {FAR}
    assert shared_category(store, mask(store, "Book"), 0) == ""


def test_a_category_of_most_items_tells_nothing():
    items = [Item(item_id=str(n), title=str(n), categories=("All",)) for n in range(5)]
    shop = make_item_store(Catalog([*items, Item(item_id="x", title="x", categories=("Other",))]))
    assert apart_from(shop, mask(shop, "x")).tolist() == [FAR] * 5 + [0]


@given(st.sets(st.sampled_from([r[0] for r in ROWS])))
def test_what_was_asked_for_is_at_least_as_near_as_anything(asked):
    items = [Item(item_id=r[0], title=r[0], categories=r[1:]) for r in ROWS]
    shop = make_item_store(Catalog(items))
    these = mask(shop, *asked)
    far = apart_from(shop, these)
    assert set(far.tolist()) <= {0, 1, FAR}
    for row in np.flatnonzero(far < FAR).tolist():
        assert shared_category(shop, these, row) in shop.items[row].categories
