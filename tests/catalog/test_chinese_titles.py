"""Titles in Chinese and Japanese: found, suggested, and told apart."""

import pytest

from coldstart.catalog.catalog import Catalog
from coldstart.catalog.lookup import split_picks
from coldstart.catalog.names import nearest_names
from coldstart.catalog.near_duplicates import NearDuplicates
from coldstart.schema import Item

TITLES = "不锈钢汤锅 儿童跑步鞋 无线蓝牙耳机 保温杯500毫升 5号足球 《红楼梦》 折りたたみ傘".split()
SHOP = Catalog(Item(item_id=title, title=title) for title in TITLES)


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("不锈钢汤锅", "不锈钢汤锅"),
        ("不銹鋼湯鍋", "不锈钢汤锅"),
        ("紅樓夢", "《红楼梦》"),
        ("５号足球", "5号足球"),
        ("無線藍牙耳機 ", "无线蓝牙耳机"),
    ],
)
def test_a_title_is_found_in_traditional_characters_and_full_width(text, title):
    assert SHOP.find_title(text) == (title,)


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("不锈刚汤锅", "不锈钢汤锅"),
        ("汤锅", "不锈钢汤锅"),
        ("跑步鞋", "儿童跑步鞋"),
        ("蓝牙", "无线蓝牙耳机"),
        ("保温杯", "保温杯500毫升"),
        ("傘折りたたみ", "折りたたみ傘"),
    ],
)
def test_did_you_mean(text, title):
    assert SHOP.suggest(text)[0] == title


@pytest.mark.parametrize("text", ["咖啡机", "鞋垫", "一"])
def test_nothing_alike_gives_nothing(text):
    assert SHOP.suggest(text) == []


def test_picks_are_split_at_chinese_punctuation():
    found = split_picks(SHOP, "不锈钢汤锅、5号足球，蓝牙音箱")
    assert found == ["不锈钢汤锅", "5号足球", "蓝牙音箱"]


def test_the_nearest_category():
    assert nearest_names("跑步鞋子", ["跑步鞋", "登山鞋"]) == ["跑步鞋"]


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("木制积木100块", "木製積木100塊", True),
        ("《红楼梦》", "红楼梦", True),
        ("木制积木100块", "木制积木50块", False),
        ("红色雨伞", "黑色雨伞", False),
        ("轻盈透气男款跑步鞋", "轻盈透气女款跑步鞋", False),
        ("哈利波特与魔法石第一部", "哈利波特与魔法石第二部", False),
        ("三体", "三体2", False),
    ],
)
def test_near_duplicates(one, other, same):
    found = NearDuplicates().twin(Item(item_id="1", title=one), [Item(item_id="2", title=other)])
    assert (found is not None) is same
