"""Limits on numeric attributes are read, exclude, and are told."""

from __future__ import annotations

import pytest

from coldstart.catalog.catalog import Catalog
from coldstart.catalog.item_store import ItemStore
from coldstart.interactions.interaction_stats import Counts
from coldstart.ranking.constraints import Constraints
from coldstart.schema import Item
from coldstart.understanding.products.amounts import (
    find_amounts,
    number_of,
    numeric_attributes,
)
from coldstart.understanding.products.vocabulary import is_of_products
from coldstart.understanding.reader import RequestReader
from tests.fakes import FakeEncoder

DISHES = ("Lentil Soup", "Beef Stew", "Green Salad", "Fried Rice", "Apple Pie")


def recipes() -> Catalog:
    """Thirty recipes without categories and prices, of 10 to 300 minutes."""
    return Catalog.from_items(
        Item(
            item_id=str(n),
            title=f"{DISHES[n % 5]} {n}",
            description="A dish.",
            attributes={
                "minutes": str(10 * (n + 1)),
                "calories": f"{100 * (n % 7)}",
                "course": ("Main", "Soup", "Dessert")[n % 3],
                "author": f"Cook {n}",
            },
        )
        for n in range(30)
    )


@pytest.fixture(scope="module")
def units():
    return numeric_attributes(recipes())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("at most 350 calories", [("calories", None, 350.0)]),
        ("dinner in under 30 minutes", [("minutes", None, 30.0)]),
        ("I've only got 15 mins", [("minutes", None, 15.0)]),
        ("a 20-minute dinner", [("minutes", None, 20.0)]),
        ("at least 400 kcal", [("calories", 400.0, None)]),
        ("200 calories or less", [("calories", None, 200.0)]),
        ("400 calories or more", [("calories", 400.0, None)]),
        ("between 200 and 400 calories", [("calories", 200.0, 400.0)]),
        ("between 400 and 200 calories", [("calories", 200.0, 400.0)]),
        ("fifteen minutes at most", [("minutes", None, 15.0)]),
        ("300 calories", []),  # neither up to nor from
        ("under 30 euros", []),
        ("under -5 minutes", []),
        ("for 4 people", []),
        ("minutes", []),
        ("", []),
    ],
)
def test_amounts_are_read(units, text, expected):
    assert [(a.attribute, a.low, a.high) for a in find_amounts(text, units)] == expected


def test_only_attributes_of_numbers_have_units(units):
    assert set(units.values()) == {"minutes", "calories"}


@pytest.mark.parametrize(
    ("value", "number"),
    [("350", 350.0), ("1,200", 1200.0), (" 2.5 ", 2.5), ("3-6", None), ("", None), ("nan", None)],
)
def test_numbers_of_values(value, number):
    assert number_of(value) == number


def test_amounts_exclude_and_say_so():
    catalog = recipes()
    reader = RequestReader(catalog, Counts.fit(catalog.ids, {}, {}))
    read = reader.read("a soup in under 50 minutes")
    (limit,) = [p for p in read.pieces if p.kind == "attribute" and p.high is not None]
    assert (limit.attribute, limit.high, limit.strict) == ("minutes", 50.0, True)
    store = ItemStore(catalog, Counts.fit(catalog.ids, {}, {}), FakeEncoder())
    store.sync()
    constraints = Constraints(read)
    excluded = constraints.verdicts(store).excluded
    slow = [int(item.attributes["minutes"]) > 50 for item in store.items]
    assert excluded.tolist() == slow
    assert constraints.why(store, store.rows["29"]) == "minutes 300: not “under 50 minutes”"


def test_a_value_that_is_a_type_too_counts_as_both():
    catalog = recipes()
    reader = RequestReader(catalog, Counts.fit(catalog.ids, {}, {}))
    kinds = {p.kind for p in reader.read("soup").pieces if p.strict}
    assert kinds == {"type", "attribute"}


def test_attributes_that_sort_make_a_catalog_of_products():
    assert is_of_products(recipes())
    people = (item.model_copy(update={"attributes": {"author": "A"}}) for item in recipes())
    assert not is_of_products(Catalog.from_items(people))
