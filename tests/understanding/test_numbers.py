"""Numbers in English words."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coldstart.understanding.numbers import BELOW_100, WORDS, number_in_words

TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()
ONES = "one two three four five six seven eight nine".split()


@given(st.integers(0, 7), st.integers(0, 8), st.sampled_from(" -"))
def test_tens_and_ones_add_up(tens, ones, between):
    text = f"{TENS[tens]}{between}{ONES[ones]}"
    assert re.fullmatch(BELOW_100, text)
    assert number_in_words(text) == 10 * (tens + 2) + ones + 1


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("a hundred", 100),
        ("two hundred and fifty", 250),
        ("a thousand", 1000),
        ("half a dozen", 6),
        ("two dozen", 24),
        ("one and a half", 1.5),
        ("two and a half thousand", 2500),
    ],
)
def test_larger_numbers(text, number):
    assert re.fullmatch(WORDS, text)
    assert number_in_words(text) == number


def test_other_words_are_no_numbers():
    assert number_in_words("some half of it") is None
