"""What Chinese requests are read as, simplified and traditional."""

from __future__ import annotations

import pytest

from coldstart.catalog.catalog import Catalog
from coldstart.interactions.interaction_stats import Counts
from coldstart.schema import Item
from coldstart.understanding.chinese import is_chinese
from coldstart.understanding.reader import RequestReader

SENTENCES = {
    "喜剧": {"+Comedy"},
    "我想看喜剧,不要恐怖片": {"+Comedy", "-Horror"},
    "我想看喜劇，不要恐怖電影": {"+Comedy", "-Horror"},
    "动画片": {"+Animation"},
    "動畫喜劇": {"+Animation", "+Comedy"},
    "喜剧或者西部片": {"+Comedy|+Western"},
    "动作片、冒险片和奇幻片": {"+Action|+Adventure|+Fantasy"},
    "浪漫喜剧": {"+Romance", "+Comedy"},
    "外星人": {"~Sci-Fi"},
    "八十年代的科幻片": {"+1980 to 1989", "+Sci-Fi"},
    "90年代": {"+1990 to 1999"},
    "1980年代": {"+1980 to 1989"},
    "上世纪五十年代": {"+1950 to 1959"},
    "2010年代": {"+2010 to 2019"},
    "1950年到1959年": {"+1950 to 1959"},
    "1960年以前": {"+to 1959"},
    "1990年以后": {"+from 1991"},
    "90年代以后": {"+from 1990"},
    "1994年": {"+1994"},
    "不要1960年以后的": {"+to 1960"},
    "老电影": {"~to 1969"},
    "适合五岁孩子的动画片": {"+age:5", "+Animation"},
    "我儿子5岁": {"+age:5"},
    "我儿子十二岁": {"+age:12"},
    "6岁和8岁的孩子": {"+age:6"},
    "适合小朋友": {"+age:8"},
    "我三十岁": set(),
    "儿童片": {"+Children"},
    "讨厌暴力，想要温馨的电影": {"-tone:violent", "+tone:gentle"},
    "搞笑一点": {"+tone:funny"},
    "给我奶奶看的": {"+tone:gentle"},
    "不想看太沉重的": {"-tone:heavy"},
    "我儿子5岁，不要太吓人": {"+age:5", "!Horror"},
    "不喜欢战争片和恐怖片，想看爱情片": {"-War", "-Horror", "+Romance"},
    "别推荐恐怖片但可以有点悬疑": {"-Horror", "+Mystery"},
    "恐怖片就算了，来部喜剧": {"-Horror", "+Comedy"},
    "除了科幻片都可以": {"-Sci-Fi"},
    "除了科幻片，我也喜欢喜剧": {"+Sci-Fi|+Comedy"},
    "不只喜剧": {"+Comedy"},
    "有没有特别好看的西部片": {"+Western"},
    "不错的纪录片": {"+Documentary"},
    "不介意恐怖片": set(),
    "喜欢霸王别姬": {"+title:霸王别姬"},
    "像《霸王别姬》那样": {"+title:霸王别姬"},
    "讨厌卧虎藏龙": {"-title:卧虎藏龙"},
    "像Titanic那样的爱情片": {"+title:Titanic", "+Romance"},
    "你好": set(),
}


@pytest.mark.parametrize(("text", "expected"), SENTENCES.items(), ids=list(SENTENCES))
def test_requests_are_read(reader, told, text, expected):
    read = reader.read(text)
    assert told(read) == expected
    assert read.language == ("zh" if expected else "")


@pytest.mark.parametrize(
    ("text", "wanted_text"),
    [
        ("我想看喜剧,不要恐怖片", "我想看喜剧"),
        ("不要恐怖片", ""),
        ("讨厌战争片，来部喜剧", "来部喜剧"),
    ],
)
def test_the_wanted_text_has_no_rejected_clause(reader, text, wanted_text):
    assert reader.read(text).wanted_text == wanted_text


@pytest.mark.parametrize(
    ("text", "expected"),
    [("喜剧", True), ("a 喜剧", True), ("comedy", False), ("映画が好き", False)],
)
def test_the_script_chooses_the_language(text, expected):
    assert is_chinese(text) == expected


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("不要恐怖片九十分钟以内", True),
        ("不要九十分钟以内的", False),
        ("不要恐怖片，九十分钟以内", True),
    ],
)
def test_a_limit_after_what_is_rejected_is_wanted(text, wanted):
    films = [
        Item(item_id=str(n), title=f"t{n}", categories=("Horror",), attributes={"minutes": "88"})
        for n in range(3)
    ]
    reader = RequestReader(Catalog(films), Counts.fit(["0", "1", "2"], {}, {}))
    (piece,) = (p for p in reader.read(text).pieces if p.kind == "attribute")
    assert (piece.high, piece.low) == ((90, None) if wanted else (None, 90))


def test_not_too_old_rejects_old_films_and_crying_is_sad(reader):
    (years,) = (p for p in reader.read("不要太老的爱情片").pieces if p.kind == "years")
    assert (years.last, years.wanted) == (1989, False)
    assert reader.read("一部让人大哭的电影").values("tone") == ("heavy",)
