"""Notes in Chinese: every kind that the pipeline writes has a template."""

import re

import pytest

from coldstart.catalog.catalog import Catalog
from coldstart.ranking.filters import AgeRating, Attributes, Available, Categories, Price, Years
from coldstart.ranking.wording.notes import note_in
from coldstart.ranking.wording.sentences import in_language, preferred
from coldstart.schema import Item
from tests.toy import toy_recommender

SHOP = Catalog.from_items(
    [
        Item(
            item_id=f"商{n}",
            title=title,
            year=year,
            categories=(kind,),
            description=f"{title}，适合日常使用。",
            price=price,
            available=n != 3,
            min_age=age,
            attributes={"颜色": colour},
        )
        for n, (title, kind, year, price, age, colour) in enumerate(
            [
                ("轻便跑鞋", "跑步鞋", 2024, 299, None, "红色"),
                ("木制火车", "玩具", 2021, 89, 3, "原木"),
                ("电动赛车", "玩具", 2019, 199, 8, "红色"),
                ("折叠雨伞", "雨具", 2024, 59, None, "黑色"),
                ("恐怖小说", "图书", None, 39, 16, "黑色"),
            ]
        )
    ]
)
LATIN = re.compile("[A-Za-z]")


def notes_and_details(profile, **options):
    found = toy_recommender(SHOP).recommend(
        profile, strategy="prior", unknown_picks="ignore", **options
    )
    said = in_language(found, "zh")
    return found, [*said.notes, *(d.detail for d in said.dropped), *(r.reason for r in said)]


@pytest.mark.parametrize(
    ("profile", "options"),
    [
        ({"about": "给5岁孩子的玩具，不要跑步鞋", "liked": ["没有的商品"]}, {"k": 5}),
        ({"about": "2020年以后的玩具"}, {"k": 5}),
        ({"about": "完全无关的一句话"}, {"k": 2}),
        ({"liked": ["轻便跑鞋"], "seen": ["折叠雨伞"]}, {"k": 5}),
        ({}, {"k": 5, "filters": [Price(100), Available(), AgeRating(assume_age=10)]}),
        ({}, {"k": 5, "filters": [Categories(exclude=["玩具"]), Years(first=2022)]}),
        ({}, {"k": 5, "filters": [Attributes({"颜色": "红色"}), Categories(include=["鞋子"])]}),
        ({}, {"k": 5, "filters": [Attributes({"尺码": "大"})]}),
        ({"interests": ["跑步靴"]}, {"k": 5}),
    ],
)
def test_nothing_that_a_visitor_reads_of_a_chinese_shop_is_english(profile, options):
    found, said = notes_and_details(profile, **options)
    assert found.notes
    assert [text for text in said if LATIN.search(text)] == []


@pytest.mark.parametrize(
    ("note", "expected"),
    [
        (
            "no item that may be shown is 玩具 or 图书 and known to be suitable for age 5; "
            "these are the closest to it",
            "可以推荐的里面没有完全符合要求的（玩具或图书、适合 5 岁），以下最为接近",
        ),
        (
            "guessed from “liked”: not Horror, from the 1980s",
            "由“liked”推测：不要Horror、1980 年代",
        ),
        ("玩具: rejected by “不要玩具”", "玩具：因“不要玩具”而排除"),
        (
            "'夏促' adds +1.00 to the scores of 2 item(s) until 2026",
            "“夏促”给 2 件商品的得分加 +1.00，至 2026 为止",
        ),
        (
            "3 of 10 places explore: what you think of them tells most",
            "10 个位置中有 3 个用来探索：你对它们的看法最能说明问题",
        ),
        ("a plug-in's own note", "a plug-in's own note"),
    ],
)
def test_templates(note, expected):
    assert note_in(note, "zh") == expected
    assert note_in(note, "en") == note


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("", "en"),
        ("zh-CN,zh;q=0.9,en;q=0.8", "zh"),
        ("en, zh;q=0.9", "en"),
        ("zh;q=0.2, en;q=0.7", "en"),
        ("de;q=1, zh;q=0", "en"),
        ("zh;q=high, *;q=0.1", "en"),
    ],
)
def test_the_language_that_a_header_prefers(header, expected):
    assert preferred(header) == expected
