"""Amounts in texts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coldstart.scoring.units import split_amounts


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("rice 5kg", ["5kg"]),
        ("5 KG of rice and 1,5 l of milk", ["5kg", "1.5l"]),
        ("容量500毫升的杯子", ["500ml"]),
        ("42码", ["42码", "42"]),
        ("a 10-inch pan", ["10in"]),
        ("m5 5mice 5 in 2.5.1 kg", []),
    ],
)
def test_amounts(text, expected):
    assert [one for _, amount in split_amounts(text) for one in amount] == expected


@given(st.text(max_size=60))
def test_the_parts_of_a_text_are_in_its_order(text):
    at = 0
    for part, _ in split_amounts(text):
        at = text.index(part, at) + len(part)
