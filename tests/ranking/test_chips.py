"""Chips: one label for each thing understood, in two languages."""

import pytest

from coldstart.catalog.catalog import Catalog
from coldstart.interactions.interaction_stats import Counts
from coldstart.ranking.wording.chips import chips
from coldstart.schema import Item, Piece, Understood
from coldstart.understanding.reader import RequestReader

GENRES = "Action Animation Children Comedy Crime Drama Horror Romance Thriller War Western".split()
FILMS = [Item(item_id=g, title=f"One of {g}", categories=(g,)) for g in GENRES]
FILMS.append(Item(item_id="alien", title="Alien", year=1979, categories=("Horror",)))
SENTENCE = "like Alien, something gentle and funny for my son, 5, from the 80s, no violence"


@pytest.fixture(scope="module")
def reader():
    return RequestReader(Catalog(FILMS), Counts.fit([x.item_id for x in FILMS], {}, {}))


def labels(understood, language="en"):
    return [(chip.text, chip.wanted) for chip in chips(understood, language)]


def test_one_chip_for_what_a_person_would_call_one_thing(reader):
    assert labels(reader.read(SENTENCE)) == [
        ("Alien", True), ("gentle", True), ("funny", True), ("for age 5", True),
        ("1980s", True), ("violent", False),
    ]  # fmt: skip


def test_labels_are_in_the_language_of_the_response(reader):
    read = reader.read("westerns or war films for my son, 5, from the 80s, no horror")
    assert labels(read, "zh") == [
        ("西部", True), ("战争", True), ("5 岁", True), ("1980 年代", True), ("恐怖", False),
    ]  # fmt: skip


def test_a_chip_has_all_pieces_of_its_words_and_no_piece_is_in_two(reader):
    read = reader.read(SENTENCE)
    made = chips(read)
    numbers = [n for chip in made for n in chip.pieces]
    assert sorted(numbers) == list(range(len(read.pieces)))
    for chip in made:
        spans = {(read.pieces[n].start, read.pieces[n].end) for n in chip.pieces}
        assert spans == set(chip.spans)
        assert (chip.start, chip.end) == chip.spans[0]


def test_the_same_thing_named_twice_is_one_chip_with_both_places(reader):
    read = reader.read("no horror, really no horror")
    (chip,) = chips(read)
    assert [read.text[start:end] for start, end in chip.spans] == ["horror", "horror"]


def test_several_guesses_from_the_same_words_are_named_by_the_words():
    pieces = [
        Piece(kind="category", value=v, words="Jane Austen", start=7, end=18, strict=False)
        for v in ("Romance", "Drama")
    ]
    (chip,) = chips(Understood(text="I love Jane Austen", pieces=tuple(pieces)))
    assert (chip.text, chip.kind, chip.pieces) == ("Jane Austen", "category", (0, 1))


@pytest.mark.parametrize(
    ("piece", "english", "chinese"),
    [
        ({"kind": "price", "high": 20.0}, "≤ 20", "≤ 20"),
        ({"kind": "price", "low": 30.0, "high": 50.0}, "30–50", "30–50"),
        ({"kind": "price", "value": "low"}, "a low price", "便宜"),
        ({"kind": "years", "first": 1990}, "1990 on", "1990 年以后"),
        ({"kind": "years", "last": 1960}, "up to 1960", "1960 年及以前"),
        ({"kind": "attribute", "attribute": "colour", "value": "red"}, "red", "red"),
        ({"kind": "attribute", "attribute": "vegan", "value": "yes"}, "vegan", "vegan"),
        ({"kind": "attribute", "attribute": "vegan", "value": "no"}, "vegan: no", "vegan: no"),
        ({"kind": "attribute", "attribute": "size", "value": "42"}, "size 42", "尺码 42"),
        ({"kind": "attribute", "attribute": "weight", "high": 2.0}, "weight ≤ 2", "重量 ≤ 2"),
        ({"kind": "audience", "value": "adult"}, "for an adult", "成年人"),
        ({"kind": "type", "value": "tent"}, "tent", "tent"),
    ],
)
def test_every_kind_has_a_label(piece, english, chinese):
    made = Piece(**{"value": "x", "words": "…", "start": 0, "end": 1} | piece)
    read = Understood(text="…", pieces=(made,))
    assert (chips(read)[0].text, chips(read, "zh")[0].text) == (english, chinese)


def test_rejected_words_that_no_item_has_name_their_chip(reader):
    (chip,) = chips(reader.read("no jump scares"))
    assert (chip.text, chip.wanted) == ("jump scares", False)


def test_what_a_model_read_of_the_whole_text_has_no_chip():
    piece = Piece(kind="category", value="Drama", words="hm", start=0, end=2, source="model")
    assert chips(Understood(text="hm", pieces=(piece,))) == ()
