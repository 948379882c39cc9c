"""A text that tells a story demands nothing by the words that occur in it."""

from __future__ import annotations

import pytest

from coldstart.catalog.catalog import Catalog
from coldstart.interactions.interaction_stats import Counts
from coldstart.schema import Item
from coldstart.understanding.reader import RequestReader
from coldstart.understanding.summary import summary

TITLES = {
    "Rain Jacket": "Clothes",
    "Rain Boots": "Shoes",
    "Desk Lamp": "Office",
    "Desk Chair": "Office",
    "Dog Lead": "Pets",
}


@pytest.fixture(scope="module")
def reader():
    catalog = Catalog.from_items(
        Item(
            item_id=str(n),
            title=title,
            categories=(kind,),
            description="Warm and dry in the rain, on the walk to the station, at the desk.",
            price=10,
        )
        for n, (title, kind) in enumerate(TITLES.items())
    )
    return RequestReader(catalog, Counts.fit(catalog.ids, {}, {}))


@pytest.mark.parametrize(
    "text",
    [
        "it was cold and dry when I walked home from the station",
        "the walk to the station every morning makes me so tired",
        "we walk to the station every day, I am looking for a lamp",
    ],
)
def test_words_of_a_story_are_no_wishes(reader, text):
    read = reader.read(text)
    assert not any(p.kind == "term" for p in read.pieces)
    assert "station" in read.wanted_text  # which scorers compare


@pytest.mark.parametrize(
    "text",
    [
        "something warm",
        "something warm and dry for long walks to the station",
        "I am looking for something warm for long walks to the station",
        "warm and dry",
    ],
)
def test_words_of_a_request_are_demands(reader, text):
    assert any(p.strict for p in reader.read(text).pieces if p.kind == "term")


def test_words_of_a_story_are_not_told_as_wishes(reader):
    told = summary(reader.read("it was cold and dry when I walked home from the station"))
    assert "wanted" not in told
    assert "only compared with descriptions" in told
    assert "wanted: warm" in summary(reader.read("something warm for the station"))
