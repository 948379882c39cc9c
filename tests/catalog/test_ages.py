"""Ages of an audience as tables write them."""

import pytest

from coldstart.catalog.ages import read_ages


@pytest.mark.parametrize(
    ("cell", "first", "last"),
    [
        ("8+", 8, None), ("8", 8, None), ("ages 8 and up", 8, None), ("from 6 years", 6, None),
        ("ab 6 Jahren", 6, None), ("3-6", 3, 6), ("3 – 6 years", 3, 6), ("ages 3 to 6", 3, 6),
        ("6-36 months", 0, 3), ("18 months+", 1, None), ("0–6m", 0, 1), ("up to 12", None, 12),
        ("bis 3 Jahre", None, 3), ("PG-13", 13, None), ("kids", 3, 13), ("adult", 18, None),
        ("all ages", 0, None), ("3岁以上", 3, None), ("3-6岁", 3, 6), ("6个月以上", 0, None),
        ("12-36个月", 1, 3), ("3岁以下", None, 3), ("成人", 18, None), ("3才から", 3, None),
        ("8-99", 8, 99),
    ],
)  # fmt: skip
def test_ages(cell, first, last):
    assert read_ages(cell) == (first, last)


@pytest.mark.parametrize("cell", ["some", "", "3-", "12.5", "one to two", "3-6-9", "2026-06-08"])
def test_what_states_no_age(cell):
    assert read_ages(cell) is None
