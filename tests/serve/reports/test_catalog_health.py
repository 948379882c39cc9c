"""Gaps of a catalog."""

from __future__ import annotations

from coldstart.schema import Item
from coldstart.serve.reports.catalog_health import catalog_health

ITEMS = [
    Item(item_id="1", title="Tea", description="Green.", categories=("Drinks",), image="tea.png"),
    Item(item_id="2", title="TEA", categories=("Drinks",), price=2.0),
    Item(item_id="3", title="Mug", description=" ", available=False),
]


def gaps(items, shown=()):
    return {
        c.check: [i.item_id for i in c.examples] for c in catalog_health(items, shown, 7).checks
    }


def test_every_gap_names_its_items():
    assert gaps(ITEMS, {"1", "gone"}) == {
        "no description": ["2", "3"],
        "no image": ["2", "3"],
        "no category": ["3"],
        "not available": ["3"],
        "no price, others have one": ["1", "3"],
        "same title as another": ["1", "2"],
        "never shown": ["2", "3"],
    }


def test_what_older_lists_may_have_is_not_called_never_shown():
    found = catalog_health(ITEMS, {"1"}, 7, complete=False)
    last = found.checks[-1]
    assert (found.complete, last.check, last.items) == (False, "not in the newest lists", 2)
    assert "older lists" in last.why


def test_shares_are_of_the_catalog_and_examples_are_few():
    found = catalog_health(ITEMS, (), 7, examples=1)
    never = found.checks[-1]
    assert (found.items, never.items, never.share, len(never.examples)) == (3, 3, 1.0, 1)


def test_a_catalog_without_prices_lacks_none_and_an_empty_one_nothing():
    assert gaps([ITEMS[0]])["no price, others have one"] == []
    assert [c.share for c in catalog_health([], (), 7).checks] == [0.0] * 7
