"""Sizes named in requests, and the values of items that they are in."""

from __future__ import annotations

import pytest

from coldstart.catalog.catalog import Catalog
from coldstart.interactions.interaction_stats import Counts
from coldstart.schema import Item
from coldstart.understanding.products.sizes import find_sizes, fitting, size_values
from coldstart.understanding.reader import RequestReader

SHOES = [
    Item(item_id="1", title="Running Shoes", categories=("Shoes",), attributes={"sizes": "40-43"}),
    Item(item_id="2", title="Hiking Boots", categories=("Shoes",), attributes={"sizes": "38|44"}),
    Item(item_id="3", title="T-shirt", categories=("Clothes",), attributes={"sizes": "S, M, XL"}),
]


@pytest.mark.parametrize(
    ("text", "sizes"),
    [
        ("a football, size five", ["5"]),
        ("shoes in size 42 please", ["42"]),
        ("a shirt in XL", ["xl"]),
        ("a dress size 10.5", ["10.5"]),
        ("跑鞋42码", ["42"]),
        ("a large size of it", []),
        ("5号电池", []),
        ("12月25号送到", []),
        ("I live in m city", []),
    ],
)
def test_sizes_are_found(text, sizes):
    assert [s.size for s in find_sizes(text)] == sizes


@pytest.mark.parametrize(
    ("size", "values"),
    [("42", ["40-43"]), ("44", ["44"]), ("xl", ["XL"]), ("39", []), ("m", ["M"])],
)
def test_a_size_is_in_lists_and_spans(size, values):
    assert [value for _, value in fitting(size, size_values(SHOES))] == values


def test_a_wish_for_a_size_names_every_value_that_fits():
    catalog = Catalog(SHOES)
    read = RequestReader(catalog, Counts.fit(["1", "2", "3"], {}, {})).read("shoes in size 42")
    sized = [p for p in read.pieces if p.attribute == "sizes"]
    assert [(p.value, p.words, p.strict) for p in sized] == [("40-43", "in size 42", True)]
