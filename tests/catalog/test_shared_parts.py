"""Equal parts of items are in memory once, and items stay what they were."""

from __future__ import annotations

from coldstart.catalog import shared_parts
from coldstart.catalog.catalog import Catalog
from coldstart.catalog.shared_parts import SharedParts
from coldstart.schema import Item


def make(n: int) -> Item:
    """An item like others, made of texts of its own."""
    return Item.model_validate(
        {
            "item_id": n,
            "title": f"Lamp {n}",
            "categories": [f"Home{''}", "Lamps"],
            "attributes": {"brand": "Fjord" + "line", "code": f"{n}"},
        }
    )


def test_what_items_have_in_common_is_there_once():
    a, b = Catalog([make(1), make(2)]).items
    assert a.categories is b.categories
    assert a.attributes["brand"] is b.attributes["brand"]
    assert a.__pydantic_fields_set__ is b.__pydantic_fields_set__


def test_items_are_equal_to_what_was_given_and_tell_the_fields_given():
    short = Item(item_id="s", title="Short")
    catalog = Catalog([make(1), short, make(2)])
    assert list(catalog) == [make(1), Item(item_id="s", title="Short"), make(2)]
    assert catalog["s"].model_dump(exclude_unset=True) == {"item_id": "s", "title": "Short"}
    assert catalog["1"].model_copy(update={"title": "x"}).attributes == make(1).attributes


def test_a_catalog_of_very_many_values_keeps_no_more_than_some(monkeypatch):
    monkeypatch.setattr(shared_parts, "_MOST", 3)
    shared = SharedParts()
    items = [shared.of(make(n)) for n in range(9)]
    assert items == [make(n) for n in range(9)]
    assert len(shared._texts) <= 3 + 3  # of one item at most beyond
    assert items[0].attributes["brand"] is items[8].attributes["brand"]
