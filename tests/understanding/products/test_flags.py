"""Columns of yes and no, which are asked for by their name."""

from __future__ import annotations

import pytest

from coldstart.catalog.catalog import Catalog
from coldstart.interactions.interaction_stats import Counts
from coldstart.schema import Item
from coldstart.scoring.word_matches import Matcher
from coldstart.understanding.products.flags import flag_columns, value_of_yes
from coldstart.understanding.reader import RequestReader

ITEMS = [
    Item(
        item_id=str(n),
        title=f"{name} soup",
        categories=("Soups",),
        attributes={"is_vegan": vegan, "contains_nuts": nuts, "course": course},
    )
    for n, (name, vegan, nuts, course) in enumerate(
        [
            ("Lentil", "yes", "no", "main"),
            ("Chicken", "no", "no", "main"),
            ("Pea", "yes", "yes", "no"),
        ]
    )
]


@pytest.fixture(scope="module")
def reader():
    catalog = Catalog(ITEMS)
    return RequestReader(catalog, Counts.fit(list(catalog.ids), {}, {}))


def test_columns_of_yes_and_no_are_told_from_others():
    assert flag_columns(ITEMS) == {"is_vegan": "vegan", "contains_nuts": "nuts"}
    assert value_of_yes(ITEMS, "is_vegan") == "yes"
    assert value_of_yes(ITEMS[1:2], "is_vegan") == ""


def test_a_column_is_asked_for_by_its_name(reader):
    read = reader.read("a vegan soup")
    assert ("attribute", "yes", "is_vegan") in {(p.kind, p.value, p.attribute) for p in read.pieces}
    assert not reader.read("yes, a soup").values("attribute")


def test_a_rejected_column_is_true_of_the_items_with_yes(reader):
    read = reader.read("soup without nuts")
    rejected = [p for p in read.pieces if not p.wanted and p.kind == "attribute"]
    assert [(p.value, p.attribute) for p in rejected] == [("yes", "contains_nuts")]
    term = next(p for p in read.pieces if not p.wanted and p.kind == "term")
    assert [Matcher(term, frozenset())(item) for item in ITEMS] == [False, False, True]
