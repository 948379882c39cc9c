"""Prices in English texts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coldstart.understanding.products.prices import currency_of, find_prices, price_text


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        ("a present under 20 euros", None, 20),
        ("between 30 and 50", 30, 50),
        ("between 50 and 30 euros", 30, 50),
        ("about €15", 11.25, 18.75),
        ("20 bucks or less", None, 20),
        ("not more than 40", None, 40),
        ("no more than 25,50 €", None, 25.5),
        ("€20-€30", 20, 30),
        ("20 to 30 euro", 20, 30),
        ("less than a hundred euros", None, 100),
        ("my budget is fifty", None, 50),
        ("I have 20 euros", None, 20),
        ("over 1,299.50 dollars", 1299.5, None),
        ("at least 30€", 30, None),
        ("nothing over 50", None, 50),
        ("I don't want to spend more than 35", None, 35),
        ("15 euros max", None, 15),
        ("30ish euros", 22.5, 37.5),
        ("a tenner", None, 10),
        ("under 50 cents", None, 0.5),
        ("a 500 piece puzzle under 20", None, 20),
    ],
)
def test_a_price_is_read(text, low, high):
    (price,) = find_prices(text, highest=300.0)
    assert (price.low, price.high) == (low, high)


@pytest.mark.parametrize(
    "text",
    [
        "for kids under 10 years",
        "shoes size 42",
        "between 2 and 4 players",
        "under 5 kg",
        "around 8 pm",
        "a lamp under 60 cm",
        "before 1990",
        "for 2 people",
    ],
)
def test_other_numbers_are_no_prices(text):
    assert find_prices(text, highest=300.0) == []


@pytest.mark.parametrize("text", ["under -5 euros", "under 1e99 euros", "below 1e999999 €"])
def test_what_limits_nothing_is_found_but_has_no_bounds(text):
    (price,) = find_prices(text, highest=300.0)
    assert not price.usable


def test_without_prices_in_the_catalog_a_currency_has_to_be_named():
    assert find_prices("under 20", highest=None) == []
    assert len(find_prices("under 20 euros", highest=None)) == 1


def test_numbers_like_years_are_prices_where_some_cost_as_much():
    assert find_prices("a bike under 2000", highest=50.0) == []
    (price,) = find_prices("a bike under 2000", highest=3000.0)
    assert price.high == 2000


def test_the_span_has_neither_blanks_nor_other_words():
    text = "a toy for him, under 20 euros please"
    (price,) = find_prices(text, highest=300.0)
    assert text[price.start : price.end] == "under 20 euros"


@given(st.floats(0.01, 9999).map(lambda x: round(x, 2)), st.floats(0.01, 9999))
def test_every_span_is_in_order(a, b):
    (price,) = find_prices(f"between {a:.2f} and {b:.2f} euros", highest=300.0)
    assert price.low is not None
    assert price.high is not None
    assert 0 <= price.low <= price.high


@given(st.text(max_size=200))
def test_every_text_is_read(text):
    for price in find_prices(text, highest=100.0):
        assert 0 <= price.start < price.end <= len(text)


@pytest.mark.parametrize(
    ("words", "code"),
    [("20 quid", "GBP"), ("$5", "USD"), ("300元", "CNY"), ("20 €", "EUR"), ("under 20", None)],
)
def test_currencies(words, code):
    assert currency_of(words) == code


def test_a_price_in_words():
    assert price_text(5, None) == "from 5"
    assert price_text(None, None) == "any price"
