"""Compound nouns of requests: what is one, whether any item is called so, and what is near."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from coldstart.catalog.catalog import Catalog
from coldstart.interactions.interaction_stats import Counts
from coldstart.ranking.constraints import Constraints
from coldstart.schema import Item
from coldstart.scoring.category_nearness import FAR
from coldstart.scoring.compounds import compounds, uncalled
from coldstart.understanding.reader import RequestReader
from tests.ten_films import make_item_store

ROWS = (
    ("Sewing Machine", "Craft", 159.0),
    ("Pasta Machine", "Kitchen", 39.0),
    ("Espresso Maker", "Coffee & Tea", 22.5),
    ("French Press for Coffee", "Coffee & Tea", 24.9),
    ("Ground Coffee", "Food", 10.9),
    ("Red Kettle", "Kitchen", 29.0),
    ("Steel Kettle", "Kitchen", 39.0),
    ("Desk Lamp", "Lighting", 32.0),
    ("Garden Lamp", "Garden", 24.0),
    ("Standing Desk", "Office", 329.0),
    ("Children's Kettle", "Toys", 9.0),
    ("Kitchen Block", "Kitchen", 19.0),
)
FILLERS = tuple((f"Wooden Block {n}", "Toys", 5.0) for n in range(20))


class Meanings:
    """Encoder of a few topics: a text is near what shares a word's topic with it."""

    name, dim = "meanings", 5
    _topics = ("coffee espresso press", "machine sewing pasta", "lamp light", "desk")

    def encode(self, texts):
        out = np.zeros((len(texts), self.dim), dtype=np.float32)
        out[:, -1] = 0.3
        for row, text in zip(out, texts, strict=True):
            for n, words in enumerate(self._topics):
                row[n] += sum(word in text.casefold() for word in words.split())
        return out / np.linalg.norm(out, axis=1, keepdims=True)


@pytest.fixture(scope="module")
def shop():
    items = [
        Item(item_id=title, title=title, categories=(kind,), price=price)
        for title, kind, price in (*ROWS, *FILLERS)
    ]
    catalog = Catalog(items)
    store = make_item_store(catalog, encoder=Meanings())
    return RequestReader(catalog, Counts.fit([i.item_id for i in items], {}, {})), store


def first(shop, text, n):
    reader, store = shop
    verdicts = Constraints(reader.read(text)).verdicts(store)
    rows = np.flatnonzero(~verdicts.excluded)
    return {store.ids[row] for row in rows[np.argsort(verdicts.tier[rows], kind="stable")][:n]}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a coffee machine", ["coffee machine"]),
        ("a coffe machine", ["coffee machine"]),
        ("a desk lamp under 50", ["desk lamp"]),
        ("a red kettle", ["kettle"]),
        ("a kettle for coffee", ["kettle"]),
        ("something for the garden", []),
        ("a big silent kettle", ["kettle"]),
    ],
)
def test_a_noun_right_before_a_type_is_part_of_it(shop, text, words):
    reader, store = shop
    assert [c.words for c in compounds(reader.read(text), store)] == words


def test_a_compound_is_uncalled_where_no_item_has_all_of_it(shop):
    reader, store = shop
    for text, expected in (("a coffee machine", ["coffee machine"]), ("a desk lamp", [])):
        found = compounds(reader.read(text), store)
        assert [c.words for c in uncalled(found, store)] == expected


def test_meaning_decides_where_nothing_is_called_so_and_the_head_alone_does_not(shop):
    near = first(shop, "a coffee machine under 100", 4)
    assert {"Espresso Maker", "French Press for Coffee", "Ground Coffee"} <= near
    verdicts = Constraints(shop[0].read("a coffee machine")).verdicts(shop[1])
    assert not verdicts.fulfilled.any()


def test_what_is_called_so_comes_first_and_then_other_things_of_the_head(shop):
    assert first(shop, "a desk lamp", 1) == {"Desk Lamp"}
    assert first(shop, "a desk lamp", 2) == {"Desk Lamp", "Garden Lamp"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a desk lamp", {"Desk Lamp", "Garden Lamp"}),  # two of 32 items are lamps
        ("a coffee block", set()),
        ("a kitchen block", {"Kitchen Block"}),  # 21 are blocks
    ],
)
def test_things_of_the_head_follow_unless_they_are_many(shop, text, expected):
    reader, store = shop
    thing = compounds(reader.read(text), store)[0]
    assert {store.ids[n] for n in np.flatnonzero(thing.of_type(store))} == expected


def test_a_quality_alone_makes_nothing_nearer(shop):
    reader, store = shop
    tier = Constraints(reader.read("a red kettle")).verdicts(store).tier
    red, steel = (tier[store.rows[f"{name} Kettle"]] for name in ("Red", "Steel"))
    assert red < steel < min(tier[store.rows[i]] for i in ("Pasta Machine", "Desk Lamp"))


@pytest.mark.parametrize(
    ("text", "last"),
    [("a kettle", True), ("a kettle for my 5 year old", False), ("a children's kettle", False)],
)
def test_things_named_for_children_come_last_unless_children_are_spoken_of(shop, text, last):
    reader, store = shop
    tier = Constraints(reader.read(text)).verdicts(store).tier
    children, steel = (tier[store.rows[f"{name} Kettle"]] for name in ("Children's", "Steel"))
    assert bool(children > steel) is last


def test_encoders_of_letters_leave_nearness_to_categories(shop):
    reader, store = shop
    thing = compounds(reader.read("a desk lamp"), store)[0]
    apart = np.full(len(store.ids), FAR)
    assert (thing.levels(store, apart) < FAR).any()
    store.encoder.by_letters = True
    try:
        assert thing.levels(store, apart).tolist() == apart.tolist()
    finally:
        del store.encoder.by_letters


def test_encoders_that_do_not_know_the_script_leave_it_to_categories_as_well(shop, monkeypatch):
    reader, store = shop
    thing = compounds(reader.read("a desk lamp"), store)[0]
    chinese = replace(thing, words="台灯")
    apart = np.full(len(store.ids), FAR)
    monkeypatch.setattr(Meanings, "known_share", lambda self, text: 0.1, raising=False)
    assert chinese.levels(store, apart).tolist() == apart.tolist()
    assert (thing.levels(store, apart) < FAR).any()
