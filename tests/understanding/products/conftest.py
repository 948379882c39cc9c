"""A small shop, English with Chinese titles."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from coldstart.catalog.catalog import Catalog
from coldstart.interactions.interaction_stats import Counts
from coldstart.schema import Item, Understood
from coldstart.understanding.reader import RequestReader

Row = tuple[str, str, str, float, str]
ROWS: tuple[Row, ...] = (
    ("Wooden Train Set", "Toys & Games|Wooden Toys", "Beech. No batteries needed.", 34.9, "wood"),
    ("Battery Train Set", "Toys & Games|Electronic Toys", "Needs 2 batteries.", 29.9, "plastic"),
    ("Wooden Chess Set", "Toys & Games|Board Games", "For two players.", 25.0, "wood"),
    ("Men's Running Shoes", "Shoes|Running", "Light, for daily running.", 89.9, "textile"),
    ("Leather Hiking Boots", "Shoes|Hiking", "Waterproof, for the mountains.", 149.0, "leather"),
    ("Canvas Sneakers", "Shoes|Sneakers", "Vegan and leather-free.", 39.9, "cotton"),
    ("Electric Kettle", "Kitchen|Appliances", "Boils 1.7 l.", 38.5, "steel"),
    ("Frying Pan", "Kitchen|Cookware", "Cast iron.", 34.0, "iron"),
    ("Fishing Rod", "Sport & Outdoor|Fishing", "Telescopic.", 44.0, "carbon"),
    ("Garden Spade", "Garden|Tools", "Ash handle.", 24.0, "steel"),
    ("Wool Jumper", "Clothes|Knitwear", "Warm, in red.", 69.0, "wool"),
    ("Wireless Headphones", "Electronics|Audio", "Bluetooth.", 59.0, "plastic"),
    ("Walking in the Alps", "Books|Non-fiction", "Fifty routes.", 19.9, "paper"),
    ("Salt and Silence", "Books|Novels", "A family saga.", 12.9, "paper"),
    ("Sugar-free Sweets", "Food|Sweets", "With stevia, sugar-free.", 2.5, ""),
)
CHINESE: tuple[Row, ...] = (
    ("轻盈男款跑步鞋", "运动鞋服|跑步鞋", "适合日常跑步。", 399, "网布"),
    ("女款缓震跑鞋", "运动鞋服|跑步鞋", "适合晨跑。", 369, "网布"),
    ("男士真皮皮鞋", "运动鞋服|皮鞋", "头层牛皮。", 459, "真皮"),
    ("木制积木100块", "玩具|木制玩具", "榉木，不需要电池。", 99, "木"),
    ("电动轨道火车", "玩具|电动玩具", "需要两节电池。", 129, "塑料"),
    ("不粘炒锅30厘米", "厨房|锅具", "炒菜不粘。", 119, "铝"),
    ("铸铁煎锅26厘米", "厨房|锅具", "传热均匀。", 139, "铸铁"),
    ("明前龙井茶100克", "食品|茶叶", "清香。", 168, ""),
    ("无糖饼干", "食品|零食", "不添加蔗糖。", 18, ""),
    ("伸缩钓鱼竿", "户外|垂钓", "碳素。", 189, "碳"),
    ("羊毛围巾", "服装|配饰", "柔软。", 159, "羊毛"),
)


def items_of(rows: tuple[Row, ...]) -> list[Item]:
    return [
        Item(
            item_id=title,
            title=title,
            categories=tuple(categories.split("|")),
            description=text,
            price=price,
            attributes={"material": material} if material else {},
        )
        for title, categories, text, price, material in rows
    ]


def reader_of(items: list[Item]) -> RequestReader:
    return RequestReader(Catalog(items), Counts.fit([i.item_id for i in items], {}, {}))


@pytest.fixture(scope="session")
def products() -> RequestReader:
    return reader_of(items_of(ROWS))


@pytest.fixture(scope="session")
def chinese_products() -> RequestReader:
    return reader_of(items_of(CHINESE))


@pytest.fixture(scope="session")
def brief() -> Callable[[Understood], set[str]]:
    """Pieces as "type:shoes", "-term:leather", "~audience:adult", one for the same words."""

    def short(read: Understood) -> set[str]:
        words = {(p.start, p.end) for p in read.pieces if p.kind in ("term", "type")}
        kept = (
            p
            for p in read.pieces
            if p.kind not in ("category", "attribute") or (p.start, p.end) not in words
        )
        return {
            f"{'' if p.wanted else '-'}{'' if p.strict else '~'}{p.kind}:{p.value}" for p in kept
        }

    return short
