"""Requests and catalogs in traditional Chinese, read as simplified ones are."""

import pytest

from coldstart.catalog.catalog import Catalog
from coldstart.interactions.interaction_stats import Counts
from coldstart.schema import Item
from coldstart.understanding.reader import RequestReader
from coldstart.understanding.traditional import simplified_catalog

FILMS = [
    ("千與千尋", "動畫", "一個女孩在神靈世界的冒險。"),
    ("七武士", "動作", "七個武士保護一個村莊。"),
    ("喜劇之王", "喜劇", "一個小演員的故事。"),
]


def reader(rows):
    catalog = Catalog(
        Item(item_id=str(n), title=title, categories=(kind,), description=text)
        for n, (title, kind, text) in enumerate(rows)
    )
    return RequestReader(catalog, Counts.fit(catalog.ids, {}, {}))


@pytest.mark.parametrize("text", ["想看動畫，不要喜劇", "想看动画，不要喜剧"])
def test_either_script_finds_the_catalogs_own_names(text):
    read = reader(FILMS).read(text)
    assert read.values("category") == ("動畫",)
    assert read.values("category", wanted=False) == ("喜劇",)
    assert [text[p.start : p.end] for p in read.pieces] == [p.words for p in read.pieces]
    assert read.language == "zh"


def test_a_traditional_title_is_named_in_simplified_characters():
    read = reader(FILMS).read("喜欢《千与千寻》")
    assert read.liked == ("0",)
    assert read.titles == {"0": "千與千尋"}


@pytest.mark.parametrize("titles", [["轻便跑鞋"], ["Alien", "Heat"], []])
def test_a_catalog_without_traditional_characters_stays(titles):
    catalog = Catalog(Item(item_id=t, title=t) for t in titles)
    assert simplified_catalog(catalog) == (catalog, {})
