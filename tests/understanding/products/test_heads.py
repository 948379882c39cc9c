"""Head nouns of titles and categories."""

from __future__ import annotations

import pytest

from coldstart.understanding.products.heads import category_parts, title_heads


@pytest.mark.parametrize(
    ("title", "heads"),
    [
        ("Trail Running Shoes Ridge 40", ("ridg",)),
        ("Men's Running Shoes, blue", ("shoe",)),
        ("Set of 6 Wine Glasses", ("glass",)),
        ("Wooden Train Set, 52 Pieces", ("set", "train")),
        ("Telescope for Young Stargazers", ("telescop",)),
        ("Salt and Pepper Grinder", ("grinder",)),
        ("Dog Lead of Leather", ("lead",)),
        ("Kettlebell 12 kg", ("kettlebel",)),
        ("羊毛徒步袜两双", ("羊毛徒步袜",)),
        ("瓷器茶具套裝 6件", ("瓷器茶具",)),
    ],
)
def test_heads_of_titles(title, heads):
    assert title_heads(title) == heads


def test_a_category_has_several_names():
    assert category_parts("Toys & Games") == (("toy",), ("game",))
    assert category_parts("运动鞋服") == (("运动鞋服",),)
