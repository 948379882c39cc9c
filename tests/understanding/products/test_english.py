"""English requests for products: what is asked for, what it is like, for whom, at what price."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # the thing that is asked for, and its qualities
        ("running shoes", {"term:running", "type:running shoes"}),
        ("do you have chess sets?", {"term:chess", "type:sets"}),
        ("runing shoes", {"term:running", "type:running shoes"}),
        ("leather boots", {"term:leather", "type:boots"}),
        ("I'd like a waterproof jacket or boots", {"term:waterproof", "type:boots"}),
        ("board games", {"type:board games"}),
        # what somebody has, what it is for, what it does: not what is asked for
        ("something for the garden", {"term:garden"}),
        ("something to keep my shoes dry", set()),
        ("my kettle broke", {"type:kettle"}),
        ("shoes for my garden", {"type:shoes", "~term:garden"}),
        # recipients and occasions are left out, interests kept
        ("for my dad who likes fishing", {"~audience:adult", "-~term:women", "term:fishing"}),
        ("a birthday gift for my vegan friend", {"~audience:adult", "term:vegan"}),
        ("housewarming present", {"~audience:adult"}),
        ("a gift for a six-year-old who loves trains", {"audience:6", "term:trains"}),
        ("a toy for a newborn", {"type:toy", "audience:0"}),
        # rejections
        ("shoes without leather", {"type:shoes", "-term:leather", "~term:leather-free"}),
        ("toys that don't need electricity", {"type:toys", "-term:electricity"}),
        ("books but no novels", {"type:books", "-type:novels"}),
        ("I hate plastic. A toy?", {"-term:plastic", "type:toy"}),
        ("no plastic toys", {"-type:plastic toys"}),
        ("sugar-free sweets", {"-term:sugar", "term:sugar-free", "type:sweets"}),
        ("non-fiction books", {"-term:fiction", "term:fiction-free", "type:books"}),
        ("boots, not for children", {"type:boots", "~audience:adult"}),
        ("tea for someone who can't sleep", set()),
        # prices and stock
        ("cheap headphones", {"~price:low", "type:headphones"}),
        ("a kettle, nothing too expensive", {"~price:low", "type:kettle"}),
        ("a kettle under 40, no plastic", {"type:kettle", "price:up to 40", "-term:plastic"}),
        ("boots in stock", {"type:boots", "attribute:in stock"}),
        (
            "a present for a ten-year-old under 20 euros, nothing electronic",
            {"audience:10", "price:up to 20", "-type:electronic", "-term:electronic"},
        ),
    ],
)  # fmt: skip
def test_requests_are_read(products, brief, text, expected):
    assert brief(products.read(text)) == expected


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("a present for my dad who likes fishing, under 50 euros", "who likes fishing"),
        ("a birthday gift for my sister", "a birthday gift for my sister"),
        ("shoes, no leather", "shoes"),
    ],
)
def test_what_is_compared_has_no_recipient_price_or_rejection(products, text, wanted):
    assert products.read(text).wanted_text == wanted


def test_alternatives_and_wishes_together(products):
    read = products.read("a kettle or a pan")
    assert len({p.group for p in read.pieces}) == 1
    read = products.read("a wooden toy")
    assert len({p.group for p in read.pieces if p.strict}) == 2


def test_an_item_that_somebody_has_is_an_example_and_a_title_is_no_type(products):
    assert products.read("I love my Canvas Sneakers").liked == ("Canvas Sneakers",)
    assert products.read("canvas sneakers").liked == ()


def test_a_value_is_found_under_its_attribute_as_well(products):
    pieces = products.read("something made of steel").pieces
    assert {(p.kind, p.attribute) for p in pieces} == {("attribute", "material"), ("term", None)}


@given(st.text(max_size=120))
def test_every_text_is_read(products, text):
    read = products.read(text)
    assert all(0 <= p.start <= p.end <= len(read.text) for p in read.pieces)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("headphones that don't fall out", {"type:headphones", "~term:fall-free"}),
        ("a kettle which does not leak", {"type:kettle", "~term:leak-free"}),
        ("I don't cook, I need a kettle", {"type:kettle"}),
        ("a mug of wool", {"term:wool"}),
        ("sweets for my diabetic dad", {"type:sweets", "-~term:sugar", "~term:sugar-free"}),
        ("a present for someone who has a garden", {"term:garden"}),
        ("something to keep my toddler busy", {"~audience:2", "~term:busy"}),
        ("a train about dragons for my 4 year old", {"audience:4", "type:train"}),
        ("wool irons", set()),
        ("a jumper that keeps me warm", {"type:jumper", "~term:warm"}),
    ],
)
def test_what_clauses_say_that_a_thing_is_or_is_not_to_do(products, brief, text, expected):
    assert brief(products.read(text)) == expected
