"""Running times in Chinese requests."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coldstart.catalog.catalog import Catalog
from coldstart.interactions.interaction_stats import Counts
from coldstart.schema import Item
from coldstart.understanding.chinese_durations import find_chinese_durations
from coldstart.understanding.durations import NOT_LONG, SHORT
from coldstart.understanding.reader import RequestReader
from coldstart.understanding.summary import summary


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        ("90分钟以内的喜剧", None, 90),
        ("想看不超过两个小时的爱情片", None, 120),
        ("至少三个小时的史诗片", 180, None),
        ("一百二十分钟以上", 120, None),
        ("最多一个半小时", None, 90),
        ("半小时以内", None, 30),
        ("别太长的动画片", None, NOT_LONG),
        ("短一点的", None, SHORT),
        ("不太长的电影", None, NOT_LONG),
        ("不能超过两个小时", None, 120),
    ],
)
def test_limits(text, low, high):
    assert [(d.low, d.high) for d in find_chinese_durations(text)] == [(low, high)]


@pytest.mark.parametrize(
    "text",
    ["两小时的飞机上看什么", "我只有5分钟选片", "9999分钟以内", "太长了", "0分钟以内", "喜剧", ""],
)
def test_what_limits_nothing(text):
    assert not list(find_chinese_durations(text))


@given(st.text("0123456789一二两十百个半小时分钟以内上不超过太长 ", max_size=30))
def test_any_text_is_read(text):
    for found in find_chinese_durations(text):
        assert 0 <= found.start < found.end <= len(text)


@pytest.mark.parametrize("text", ["90分钟以内的喜剧", "90分鐘以內的喜劇"])
def test_readers_and_summaries_have_them(text):
    film = Item(item_id="1", title="Zzyzx", categories=("Comedy",), attributes={"minutes": "88"})
    read = RequestReader(Catalog([film]), Counts.fit(["1"], {}, {})).read(text)
    assert [(p.high, p.strict) for p in read.pieces if p.kind == "attribute"] == [(90, True)]
    assert "≤ 90 分钟" in summary(read, "zh")
    assert "≤ 90 minutes" in summary(read)
