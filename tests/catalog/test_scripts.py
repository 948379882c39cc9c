"""Scripts of texts and catalogs."""

import pytest

from coldstart.catalog.catalog import Catalog
from coldstart.catalog.catalog_scripts import catalog_language, catalog_scripts
from coldstart.catalog.han import simplified
from coldstart.catalog.scripts import scripts
from coldstart.schema import Item


def catalog(*titles):
    return Catalog(Item(item_id=str(n), title=title) for n, title in enumerate(titles))


@pytest.mark.parametrize(
    ("titles", "language", "found"),
    [
        (["Running shoes", "Kettle"], "en", {"Latin"}),
        (["轻便跑步鞋", "USB 充电器"], "zh", {"Han", "Latin"}),
        (["iPhone Pro Max 手机壳", "Sony WH-1000XM5 耳机"], "en", {"Han", "Latin"}),
        (["軽いランニングシューズ", "折りたたみ傘"], "ja", {"Kana", "Han"}),
        (["러닝화", "우산"], "ko", {"Hangul"}),
        (["Кроссовки", "Зонт"], "", {"Cyrillic"}),
        (["รองเท้าวิ่ง"], "", {"Thai"}),
        (["1984", "42"], "en", set()),
    ],
)
def test_a_catalog_speaks_by_its_letters(titles, language, found):
    made = catalog(*titles)
    assert catalog_language(made) == language
    assert set(catalog_scripts(made)) == found


def test_shares_are_of_the_letters_the_largest_first():
    assert list(scripts(["Tee", "茶"]).items()) == [("Latin", 0.75), ("Han", 0.25)]
    assert scripts(["", "123"]) == {}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("輕便的運動鞋", "轻便的运动鞋"),
        ("乾燥機 500ml", "干燥机 500ml"),
        ("plain café", "plain café"),
        ("", ""),
    ],
)
def test_traditional_characters_are_folded_in_place(text, expected):
    assert simplified(text) == expected
    assert len(simplified(text)) == len(text)
