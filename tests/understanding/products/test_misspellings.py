"""Misspelt words of requests: which are corrected, to what, and which stay."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coldstart.catalog.catalog import Catalog
from coldstart.schema import Item
from coldstart.understanding.products.misspellings import SHORTEST, Misspellings, is_english
from coldstart.understanding.products.vocabulary import ProductVocabulary

WORDS = {
    "coffee": 5,
    "bicycle": 3,
    "scarf": 2,
    "horses": 1,
    "headphones": 4,
    "hose": 9,
    "tables": 1,
}


@pytest.fixture(scope="module")
def misspellings():
    return Misspellings(WORDS)


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("coffe", "coffee"),
        ("cofee", "coffee"),
        ("skarf", "scarf"),
        ("bycicle", "bicycle"),
        ("hedfones", "hedfones"),  # too far
        ("hedphones", "headphones"),
        ("horse", "horse"),  # English
        ("cables", "cables"),
        ("flavour", "flavour"),
        ("hosse", "hosse"),  # two slips from "horses", and "hose" is too short to be meant
        ("tabels", "tables"),
    ],
)
def test_a_word_is_corrected_where_neither_english_nor_the_catalog_has_it(
    misspellings, word, meant
):
    assert misspellings.correct(word) == meant


@given(st.sampled_from(sorted(WORDS)), st.integers(0, 9), st.sampled_from("abcxyz"))
def test_a_correction_is_a_word_of_the_catalog_or_none_at_all(word, at, letter):
    changed = word[: at + 1] + letter + word[at + 2 :]
    found = Misspellings(WORDS).correct(changed)
    assert found == changed or found in WORDS
    assert found == changed or not is_english(changed)
    assert found == changed or len(found) >= SHORTEST


def test_the_reading_tells_what_was_corrected(products):
    read = products.read("a lether boot or a runing shoe, somthing warm")
    assert read.spelled == {"lether": "leather", "runing": "running", "somthing": "something"}
    assert read.wanted_text == "a leather boot or a running shoe, something warm"
    assert products.read("a toy horse").spelled == {}


def test_of_many_that_are_as_close_the_heaviest_is_meant():
    words = {f"kettl{letter}": 1 for letter in "abcdf"} | {"kettle": 9}
    assert Misspellings(words).correct("kettlx") == "kettle"


def test_words_of_requests_are_not_kept():
    misspellings = Misspellings(WORDS)
    for word, meant in {"coffe": "coffee", "qwertyuio": "qwertyuio"}.items():
        assert [misspellings.correct(word) for _ in range(2)] == [meant, meant]
        assert f"'{word}'" not in str(vars(misspellings))
    assert not hasattr(is_english, "cache_info")


def test_words_of_other_languages_are_not_misspelt_english():
    words = ("Schwarze Schuhe", "Rote Handschuhe", "Blaue Kanne", "Gelbe Lampe")
    text = "Das ist für alle Tage und sehr schön, mit einer Tasche für die Reise und den Sport."
    items = [Item(item_id=t, title=t, description=text, categories=("Waren",)) for t in words]
    german = ProductVocabulary.of(Catalog(items))
    assert german.spelled(["schuhee", "lamppe"]) == ["schuhee", "lamppe"]


def test_a_request_of_mostly_strange_words_is_not_corrected():
    items = [Item(item_id="1", title="Wooden Chess Set", description="For two players and you.")]
    english = ProductVocabulary.of(Catalog(items))
    assert english.spelled(["a", "woodden", "chess", "set"]) == ["a", "wooden", "chess", "set"]
    strange = ["eine", "woodden", "schachfigur", "bitte", "kaufen"]
    assert english.spelled(strange) == strange
