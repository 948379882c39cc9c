"""Requests for books: authors, and numbers of pages."""

from __future__ import annotations

import pytest

from coldstart.catalog.catalog import Catalog
from coldstart.interactions.interaction_stats import Counts
from coldstart.schema import Item
from coldstart.understanding.reader import RequestReader

BOOKS = (
    ("Murder on the Orient Express", "Agatha Christie", "Mystery", 256),
    ("Gone Girl", "Gillian Flynn", "Thriller", 432),
    ("The Shining", "Stephen King", "Horror", 447),
    ("Frankenstein", "Mary Shelley", "Horror", 280),
    ("Persuasion", "Jane Austen", "Romance", 249),
)


@pytest.fixture(scope="module")
def reader():
    items = [
        Item(
            item_id=str(n),
            title=title,
            categories=(genre,),
            attributes={"author": author, "pages": str(pages)},
        )
        for n, (title, author, genre, pages) in enumerate(BOOKS)
    ]
    catalog = Catalog(items)
    return RequestReader(catalog, Counts.fit(catalog.ids, {}, {}))


@pytest.mark.parametrize(
    ("text", "name", "wanted"),
    [
        ("something by Agatha Christie", "Agatha Christie", True),
        ("nothing by Stephen King, something scary", "Stephen King", False),
    ],
)
def test_authors_are_known_before_what_their_names_stand_for(reader, text, name, wanted):
    (person,) = (p for p in reader.read(text).pieces if p.kind == "person")
    assert (person.value, person.attribute, person.wanted) == (name, "author", wanted)
    assert person.strict


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        ("a mystery under 300 pages", None, 300),
        ("science fiction, but no horror, under 300 pages", None, 300),
        ("a romance, nothing over 350 pages", None, 350),
        ("not under 400 pages", 400, None),
        ("between 200 and 300 pages please", 200, 300),
        ("at least five hundred pages", 500, None),
    ],
)
def test_numbers_of_an_attribute_are_limits(reader, text, low, high):
    (pages,) = (p for p in reader.read(text).pieces if p.attribute == "pages")
    assert (pages.low, pages.high, pages.wanted) == (low, high, True)


@pytest.mark.parametrize(
    "text",
    [
        "a book of 300 pages",
        "I read two pages",
        "under 300 people",
        "nothing between 3 and 9 pages",
    ],
)
def test_other_numbers_are_none(reader, text):
    assert not [p for p in reader.read(text).pieces if p.attribute == "pages"]
