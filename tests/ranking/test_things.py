"""Notes on how far a list has the things that a text asks for."""

from __future__ import annotations

import pytest

from coldstart.catalog.catalog import Catalog
from coldstart.interactions.interaction_stats import Counts
from coldstart.ranking.constraints import Constraints
from coldstart.ranking.wording.notes import note_in
from coldstart.ranking.wording.readings import demand
from coldstart.ranking.wording.things import none_of, some_of, things_of
from coldstart.schema import Item
from coldstart.understanding.reader import RequestReader

ITEMS = [
    Item(item_id=title, title=title, categories=(kind,), price=9.0, description=text)
    for title, kind, text in (
        ("Electric Kettle", "Kitchen", "Red, for coffee."),
        ("Hiking Boots", "Shoes", "Waterproof."),
        ("Running Shoes", "Shoes", "For running."),
        ("Wireless Headphones", "Audio", "Bluetooth."),
        ("Wool Jumper", "Clothes", "Warm."),
        ("Wooden Chess Set", "Toys", "For two."),
        ("Ground Coffee", "Food", "Strong."),
    )
]


@pytest.fixture(scope="module")
def told():
    reader = RequestReader(Catalog(ITEMS), Counts.fit([i.item_id for i in ITEMS], {}, {}))

    def note(text: str, n: int, uncalled: list[str] | None = None) -> str:
        read = reader.read(text)
        constraints = Constraints(read)
        things = things_of(read, constraints.wished)
        others = demand(things.others, constraints.child, things=bool(things.named))
        return some_of(n, things, others) if n else none_of(things, others, uncalled or [])

    return note


@pytest.mark.parametrize(
    ("text", "n", "expected"),
    [
        ("a red kettle", 0, "there is no red kettle that may be shown; these come closest"),
        ("hiking boots", 0, "there are no hiking boots that may be shown; these come closest"),
        (
            "headphones for running",
            0,
            "there are no headphones for running that may be shown; these come closest",
        ),
        ("a ketttle", 0, "there is no kettle that may be shown; these come closest"),
        ("a wool jumper", 1, "only 1 item matches “wool jumper”; the rest come closest"),
        ("wooden toys", 2, "only 2 items match “wooden toys”; the rest come closest"),
        (
            "a chess set for my 5 year old",
            0,
            "no item that may be shown matches “chess set” for age 5; these come closest",
        ),
        (
            "something waterproof and red",
            1,
            "only 1 item matches “waterproof” and “red”; the rest come closest",
        ),
    ],
)
def test_the_words_are_those_that_were_typed(told, text, n, expected):
    assert told(text, n) == expected
    assert note_in(expected, "zh") != expected


def test_a_compound_that_nothing_is_called_by_is_told(told):
    expected = "nothing here is called “coffee kettle”; these are closest in meaning"
    assert told("a coffee kettle", 0, ["coffee kettle"]) == expected
    assert note_in(expected, "zh") == "这里没有叫“coffee kettle”的，以下意思最接近"
