"""What an item has, and what its text says it has not."""

from __future__ import annotations

import pytest

from coldstart.schema import Item
from coldstart.understanding.products.item_words import ProductWords, term_of


def words(title: str, description: str = "", **attributes: str) -> ProductWords:
    return ProductWords.of(
        Item(item_id="1", title=title, description=description, attributes=attributes)
    )


@pytest.mark.parametrize(
    ("description", "word", "has", "lacks"),
    [
        ("Runs on 2 AA batteries.", "battery", True, False),
        ("Batteries not included.", "battery", True, False),
        ("No batteries included, please order them.", "battery", True, False),
        ("No batteries needed.", "battery", False, True),
        ("No batteries or screens.", "screens", False, True),
        ("Does not need batteries.", "batteries", False, True),
        ("Leather-free.", "leather", False, True),
        ("Made without leather, but with love.", "love", True, False),
        ("Free from parabens and perfume.", "perfume", False, True),
        ("Faux leather upper.", "leather", False, True),
        ("Wooden handle.", "wood", True, False),
        ("Free shipping of leather.", "leather", True, False),
        ("无需电池。", "电池", False, True),
        ("需要两节电池。", "电池", True, False),
        ("无糖配方，无线连接。", "无线", True, False),
        ("無糖", "糖", False, True),
    ],
)
def test_negation_in_a_description(description, word, has, lacks):
    item = words("Thing", description)
    assert (item.has(term_of(word)), item.lacks(term_of(word))) == (has, lacks)


def test_attributes_of_yes_and_no():
    item = words("Jacket", waterproof="yes", vegan="no", material="nylon|wool")
    assert item.has(term_of("waterproof"))
    assert not item.has(term_of("vegan"))
    assert item.lacks(term_of("vegan"))
    assert item.has(term_of("wool"))


def test_other_titles_and_codes():
    item = words("Bear", title_zh="毛绒小熊", image_url="https://x/leather.png")
    assert item.is_a(term_of("小熊"))
    assert not item.has(term_of("leather"))


def test_a_type_is_a_head_with_its_modifiers_anywhere():
    item = ProductWords.of(
        Item(item_id="1", title="Canvas Boots", categories=("Shoes & Boots",), description="Hiking")
    )
    assert item.is_a(term_of("shoes"))
    assert item.is_a(term_of("hiking boots"))
    assert not item.is_a(term_of("canvas"))
    assert not item.is_a(term_of("ski boots"))
    assert not item.is_a(())
    assert not item.has(())


def test_words_written_as_one_or_two():
    assert words("Tent", "A waterproof tent").has(term_of("waterproof"))
    assert words("Tent", "A waterproof tent").has(term_of("water proof"))
