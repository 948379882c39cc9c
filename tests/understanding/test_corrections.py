"""Self-corrections in requests: what is taken back, and what stays."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coldstart.catalog.catalog import Catalog
from coldstart.data.items import load_catalog
from coldstart.interactions.interaction_stats import Counts
from coldstart.schema import Item
from coldstart.understanding.corrections import corrected_parts
from coldstart.understanding.reader import RequestReader
from tests.conftest import ROOT

FILMS = [
    Item(item_id="1", title="Alien", year=1979, categories=("Horror", "Sci-Fi")),
    Item(item_id="2", title="Duck Soup", year=1933, categories=("Comedy",)),
]


@pytest.fixture(scope="module")
def readers():
    """Readers of films, and of the two shops."""
    shops = ("examples/shop.csv", "tests/data/shop-zh.csv")
    catalogs = [Catalog(FILMS), *(load_catalog(ROOT / name)[0] for name in shops)]
    made = [RequestReader(c, Counts.fit(list(c.ids), {}, {})) for c in catalogs]
    return dict(zip(("films", "shop", "zh"), made, strict=True))


def wanted(read):
    """Kind and value of the pieces that were stated, rejected ones with a minus."""
    stated = (p for p in read.pieces if p.strict and p.kind != "attribute")
    return {f"{'' if p.wanted else '-'}{p.kind}:{p.value}" for p in stated}


@pytest.mark.parametrize(
    ("catalog", "text", "expected"),
    [
        ("shop", "I was after a tent, no wait, actually a hammock", {"type:hammock"}),
        ("shop", "a red kettle under 30 euros, no wait, under 50", None),
        ("shop", "headphones with a cable, or rather wireless ones", None),
        ("shop", "a toothbrush, nothing electric. Scratch that, electric is fine", None),
        ("shop", "a mystery novel. Or no, forget the mystery", {"type:novel", "-term:mystery"}),
        ("shop", "a tent, or no, a zzgrph", set()),
        ("films", "a horror film, on second thought a comedy", {"category:Comedy"}),
        ("films", "comedies from the 1930s, no wait, from the 1970s", None),
        ("zh", "想看耳机，不对，应该是音箱", {"type:音箱"}),
        ("zh", "本来想买拼图，算了，还是要积木吧", {"type:积木"}),
    ],
)
def test_what_is_taken_back_is_no_wish(readers, catalog, text, expected):
    read = readers[catalog].read(text)
    assert read.text == text
    assert all(text[p.start : p.end] == p.words for p in read.pieces)
    if expected is not None:
        assert wanted(read) == expected
    before = {
        "a red kettle under 30 euros, no wait, under 50": {
            "type:kettle",
            "term:red",
            "price:up to 50",
        },
        "headphones with a cable, or rather wireless ones": {"type:headphones", "term:wireless"},
        "a toothbrush, nothing electric. Scratch that, electric is fine": {
            "type:toothbrush",
            "term:electric",
        },
        "comedies from the 1930s, no wait, from the 1970s": {
            "category:Comedy",
            "years:1970 to 1979",
        },
    }
    assert expected is not None or wanted(read) == before[text]


def test_the_compared_text_has_nothing_that_was_taken_back(readers):
    read = readers["shop"].read("a leather jacket... hmm, actually rather one without leather")
    assert "leather" not in read.wanted_text
    assert "jacket" in read.wanted_text


@pytest.mark.parametrize(
    "text",
    [
        "a tent or a hammock",
        "I actually need a tent",
        "no, wait until it rains",
        "I'd rather have a tent",
        "forget me not seeds",
        "something quick, I can't wait, no horror please",
        "a post for my cat to scratch that lasts",
        "红色的不对称裙子",
        "no wait",
        "，还是",
        "耳机还是音箱",
    ],
)
def test_other_texts_are_one_part(text):
    assert corrected_parts(text) == [(0, len(text))]


@given(st.text("no wait,. actuly或不对，算了", max_size=80))
def test_parts_are_in_order_and_inside_the_text(text):
    parts = corrected_parts(text)
    flat = [n for part in parts for n in part]
    assert flat == sorted(flat)
    assert flat[0] == 0
    assert flat[-1] == len(text)


def test_what_a_child_implies_is_taken_back_with_it(readers):
    read = readers["films"].read("a film for my 6-year-old, no wait, for my 15-year-old")
    assert [p.age for p in read.pieces if p.kind == "audience"] == [15]
    assert not [p for p in read.pieces if p.kind == "category"]
