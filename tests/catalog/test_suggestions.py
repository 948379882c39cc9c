"""Suggestions for titles: spelling, initials, punctuation, sequel numbers."""

import pytest

from coldstart.catalog.catalog import Catalog
from coldstart.schema import Item

TITLES = [
    "E.T. the Extra-Terrestrial",
    "Dr. Strangelove or: How I Learned to Stop Worrying and Love the Bomb",
    "Lord of the Rings: The Fellowship of the Ring, The",
    "Star Wars: Episode V - The Empire Strikes Back",
    "Rocky II",
    "Rocky",
    "Godfather: Part II, The",
    "Godfather, The",
    "Ocean's Eleven",
    "Terminator 2: Judgment Day",
    "M*A*S*H",
    "Spider-Man",
    "WALL·E",
    "Last Jedi, The",
    "Gone with the Wind",
    "Alien",
    "Star Trek IV: The Voyage Home",
    "One Hundred and One Dalmatians",
]
FILMS = Catalog(Item(item_id=str(n), title=title) for n, title in enumerate(TITLES))


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("E.T.", "E.T. the Extra-Terrestrial"), ("ET", "E.T. the Extra-Terrestrial"),
        ("e t", "E.T. the Extra-Terrestrial"), ("Dr Strangelove", TITLES[1]),
        ("strangelove bomb", TITLES[1]), ("LOTR", TITLES[2]), ("l.o.t.r.", TITLES[2]),
        ("FOTR", TITLES[2]), ("ESB", TITLES[3]), ("Star Wars 5", TITLES[3]),
        ("Rocky 2", "Rocky II"), ("rocky two", "Rocky II"), ("Rocky Part II", "Rocky II"),
        ("Godfather 2", "Godfather: Part II, The"), ("The Godfather Part 2", TITLES[6]),
        ("Oceans 11", "Ocean's Eleven"), ("T2", "Terminator 2: Judgment Day"),
        ("mash", "M*A*S*H"), ("Spiderman", "Spider-Man"), ("WALLE", "WALL·E"),
        ("TLJ", "Last Jedi, The"), ("GWTW", "Gone with the Wind"), ("Alein", "Alien"),
        ("101 Dalmatians", "One Hundred and One Dalmatians"),
        ("Star Trek 4", "Star Trek IV: The Voyage Home"),
    ],
)  # fmt: skip
def test_the_likeliest_title_comes_first(text, title):
    assert FILMS.suggest(text)[0] == title


@pytest.mark.parametrize("text", ["zzz", "the", "", "!!!", "qqqqqqq"])
def test_nothing_alike_gives_nothing(text):
    assert FILMS.suggest(text) == []


def test_suggestions_follow_the_catalog():
    films = Catalog([Item(item_id="1", title="Jaws")])
    assert films.suggest("Jaws 2") == ["Jaws"]
    films.add(Item(item_id="2", title="Jaws II"))
    assert films.suggest("Jaws 2")[0] == "Jaws II"
    films.remove("2")
    assert films.suggest("Jaws 2") == ["Jaws"]
