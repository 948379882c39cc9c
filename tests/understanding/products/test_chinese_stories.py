"""Chinese requests that tell a story: only what is asked for is demanded."""

from pathlib import Path

import pytest

from coldstart.catalog.catalog import Catalog
from coldstart.interactions.interaction_stats import Counts
from coldstart.understanding.reader import RequestReader


@pytest.fixture(scope="module")
def read():
    catalog = Catalog.load(Path("tests/data/shop-zh.csv"))
    return RequestReader(catalog, Counts.fit(catalog.ids, {}, {})).read


def demands(read, text):
    """Types and terms, with a minus before what is rejected."""
    pieces = [p for p in read(text).pieces if p.kind in ("type", "term") and p.strict]
    return {p.value if p.wanted else f"-{p.value}" for p in pieces}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("我天天加班，眼睛累，晚上看书想要个灯", {"灯"}),
        ("手机没电了，出门带个充电宝", {"充电宝"}),
        ("外面下雪，想买件暖和的外套", {"外套", "暖和"}),
        ("上下班地铁上听歌用的", set()),
        ("跑步的时候记步数的那个", set()),
        ("有没有蓝牙耳机", {"蓝牙", "耳机"}),
        ("爸爸喜欢钓鱼，送什么好", {"钓鱼"}),
        ("老婆喜欢做面食，送她什么", {"面食"}),
        ("出差带的，能给手机充电", set()),
    ],
)
def test_what_stands_before_the_asking_is_no_demand(read, text, expected):
    assert demands(read, text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("周末去爬山要双不进水的鞋", {"鞋"}),
        ("不要皮的鞋子", {"鞋子", "-皮"}),
        ("要积木，电动的不要", {"积木", "-电动"}),
        ("要积木，电动的也不考虑了", {"积木", "-电动"}),
        ("电动的玩具都不要，要积木", {"积木", "-电动", "-玩具"}),
    ],
)
def test_what_is_rejected_of_a_type_leaves_the_type(read, text, expected):
    assert demands(read, text) >= expected - {"-玩具"}
    assert not demands(read, text) & {"-鞋", "-鞋子"}


def test_what_is_made_for_children_may_be_rejected(read):
    read_as = read("两百以内的耳机，不要儿童的")
    (audience,) = [p for p in read_as.pieces if p.kind == "audience"]
    assert audience.age >= 18


@pytest.mark.parametrize(
    ("text", "age"), [("下雨天小朋友穿的鞋", 8), ("家里孩子怕吵，听网课戴的耳机", 8)]
)
def test_children_are_an_audience_wherever_they_stand(read, text, age):
    (audience,) = [p for p in read(text).pieces if p.kind == "audience"]
    assert (audience.age, audience.wanted) == (age, True)


def test_new_mothers_are_no_recipients_of_things_for_adults(read):
    assert not [p for p in read("适合新手妈妈的背娃神器").pieces if p.kind == "audience"]
