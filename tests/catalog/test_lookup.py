"""Texts that people type are titles first, and one text may name several items."""

import pytest

from coldstart.catalog.catalog import Catalog
from coldstart.catalog.lookup import Lookup, look_up, split_picks
from coldstart.schema import Item

TITLES = {
    "1": "Toy Story",
    "2": "Babe",
    "3": "Good, the Bad and the Ugly, The",
    "187": "Alien",
    "5": "187",
    "300": "300",
    "7": "300",
    "AB12": "Seven; or Less",
    "9": "ab12",
    "10": "Hidden",
}
FILMS = Catalog(Item(item_id=i, title=t, year=1990 + n) for n, (i, t) in enumerate(TITLES.items()))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Toy Story", Lookup(("1",), "title")),
        ("1", Lookup(("1",), "id")),
        ("187", Lookup(("5",), "title", "187")),
        ("187 (1994)", Lookup(("5",), "title")),
        ("id:187", Lookup(("187",), "id")),
        ("ID: 187", Lookup(("187",), "id")),
        ("title:187", Lookup(("5",), "title")),
        ("AB12", Lookup(("9",), "title", "AB12")),
        ("ab12", Lookup(("9",), "title")),
        ("300", Lookup(("300",), "id")),
        ("nope", Lookup((), "title")),
    ],
)
def test_titles_come_before_ids_and_both_are_told(text, found):
    assert look_up(FILMS, text) == found


def test_what_a_text_is_can_be_given():
    assert look_up(FILMS, "187", "id").ids == ("187",)
    assert look_up(FILMS, "187", "title").ids == ("5",)
    assert look_up(FILMS, "Babe", "id").ids == ()


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("Toy Story", ["Toy Story"]),
        ("Toy Story, Babe", ["Toy Story", "Babe"]),
        ("Toy Story; Babe", ["Toy Story", "Babe"]),
        ("Toy Story | Babe", ["Toy Story", "Babe"]),
        ("Toy Story\nBabe", ["Toy Story", "Babe"]),
        ("1,2,3", ["1", "2", "3"]),
        ("1,2,999", ["1", "2", "999"]),
        ("Good, the Bad and the Ugly, The", ["Good, the Bad and the Ugly, The"]),
        (
            "Babe, The Good, the Bad and the Ugly, Toy Story",
            ["Babe", "The Good, the Bad and the Ugly", "Toy Story"],
        ),
        ("Seven; or Less", ["Seven; or Less"]),
        ("Babe; nope", ["Babe", "nope"]),
        ("Toy Story, nope, Babe", ["Toy Story", "nope", "Babe"]),
        ("Crouching Tiger, Hidden", ["Crouching Tiger, Hidden"]),
        ("['Toy Story', 'Babe']", ["Toy Story", "Babe"]),
        ('"Toy Story", "Babe"', ["Toy Story", "Babe"]),
        ("nope, nothing", ["nope, nothing"]),
    ],
)
def test_several_picks_in_one_text(text, parts):
    assert split_picks(FILMS, text) == parts
