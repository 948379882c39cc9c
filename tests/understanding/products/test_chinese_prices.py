"""Prices in Chinese texts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coldstart.understanding.products.chinese_prices import find_chinese_prices, spoken_number


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        ("300元以下", None, 300),
        ("不超过200块", None, 200),
        ("200以内", None, 200),
        ("100到200元", 100, 200),
        ("200到100块", 100, 200),
        ("五十块左右", 37.5, 62.5),
        ("预算三百五", None, 350),
        ("两千块以上", 2000, None),
        ("至少50元", 50, None),
        ("¥99以内", None, 99),
        ("1.5万以内", None, 15000),
        ("不要超过一百块", None, 100),
    ],
)
def test_a_price_is_read(text, low, high):
    (price,) = find_chinese_prices(text, highest=500.0)
    assert (price.low, price.high) == (low, high)


@pytest.mark.parametrize("text", ["8岁以下", "500克以下", "3到6岁", "两个以上", "26厘米左右"])
def test_other_numbers_are_no_prices(text):
    assert find_chinese_prices(text, highest=500.0) == []


def test_a_negative_price_limits_nothing():
    (price,) = find_chinese_prices("低于-5元", highest=500.0)
    assert not price.usable


@pytest.mark.parametrize(
    ("text", "number"),
    [("一百五", 150), ("一百零五", 105), ("二十五", 25), ("三千二", 3200), ("两万", 20_000)],
)
def test_spoken_numbers(text, number):
    assert spoken_number(text) == number


@given(st.text("0123456789一二三百千万元块到以下内不超过预算左右，", max_size=40))
def test_every_text_is_read(text):
    for price in find_chinese_prices(text, highest=100.0):
        assert 0 <= price.start < price.end <= len(text)
