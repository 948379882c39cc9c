"""Notes on prices that a text names."""

from __future__ import annotations

import pytest

from coldstart.catalog.catalog import Catalog
from coldstart.pipeline.price_notes import price_notes
from coldstart.schema import Item, Understood
from tests.ten_films import make_item_store


def store(price: float | None, **attributes: str):
    item = Item(item_id="1", title="Kettle", price=price, attributes=attributes)
    return make_item_store(Catalog([item]))


@pytest.mark.parametrize(
    ("text", "price", "notes"),
    [
        ("a kettle under 20 euros", 30.0, []),
        ("a kettle", None, []),
        ("under 20 bucks", 30.0, ["prices are in EUR; “under 20 bucks” was compared as it stands"]),
        ("20美元以下的水壶", 30.0, ["prices are in EUR; “20美元以下” was compared as it stands"]),
        ("under -5 euros", 30.0, ["“under -5 euros” limits no price; it was left out"]),
        ("under 1e99 euros", 30.0, ["“under 1e99 euros” limits no price; it was left out"]),
        ("under 20 euros", None, ["no item has a price; “under 20 euros” was left out"]),
    ],
)  # fmt: skip
def test_notes(text, price, notes):
    assert price_notes(Understood(text=text), store(price, currency="EUR")) == notes


def test_without_a_known_currency_nothing_is_said_of_it():
    assert price_notes(Understood(text="under 20 dollars"), store(30.0)) == []
