"""Chinese requests for products."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("我想要适合跑步的鞋", {"term:跑步", "type:鞋"}),
        ("跑鞋", {"type:跑鞋"}),
        ("我想要適合跑步的鞋", {"term:跑步", "type:鞋"}),
        ("想买点茶叶", {"type:茶叶"}),
        ("木头做的玩具", {"term:木头", "type:玩具"}),
        ("不要皮的鞋子", {"-term:皮", "type:鞋子"}),
        ("玩具，不要带电池的", {"type:玩具", "-term:电池", "~term:不含电池"}),
        ("炒锅，不要不粘的", {"type:炒锅", "-term:不粘"}),
        ("爸爸喜欢钓鱼", {"~audience:adult", "-~term:女士", "term:钓鱼"}),
        ("给6岁孩子的积木", {"audience:6", "type:积木"}),
        ("便宜的围巾", {"~price:low", "type:围巾"}),
        ("围巾，不要太贵", {"~price:low", "type:围巾"}),
        ("锅具或者围巾，有现货的", {"type:锅具", "type:围巾", "attribute:in stock"}),
        ("给奶奶的生日礼物", {"~audience:adult", "-~term:男士"}),
        ("不要塑料做的积木", {"-term:塑料", "type:积木"}),
        ("喝茶用的围巾", {"type:围巾"}),
        ("三年级的孩子，积木", {"audience:8", "type:积木"}),
        ("围巾，100到200", {"type:围巾", "price:100 to 200"}),
        ("男士跑鞋", {"term:男士", "type:跑鞋"}),
    ],
)  # fmt: skip
def test_requests_are_read(chinese_products, brief, text, expected):
    assert brief(chinese_products.read(text)) == expected


def test_what_is_compared_has_no_recipient_price_or_rejection(chinese_products):
    read = chinese_products.read("爸爸喜欢钓鱼，200元以内，不要塑料")
    assert read.wanted_text == "喜欢钓鱼"


@given(st.text("给我想要不鞋锅茶岁元的，100以下爸爸喜欢钓鱼木头玩具", max_size=30))
def test_every_text_is_read(chinese_products, text):
    read = chinese_products.read(text)
    assert all(0 <= p.start <= p.end <= len(read.text) for p in read.pieces)
