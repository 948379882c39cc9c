"""Years and availability as tables write them, and the reader of each field of an item."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from typing import Any

from coldstart.catalog.ages import read_age
from coldstart.catalog.amounts import read_count, read_price
from coldstart.catalog.bracketed import is_bracketed, parse_bracketed
from coldstart.schema.pictures import is_picture_file, picture_host

UNKNOWN_YEARS = frozenset({0, -1, 9999})
"""Numbers that stand for an unknown year; there was no year 0."""
OLDEST_RATING = 21
"""Highest minimum age that any rating has, in years."""

_YEAR = re.compile(r"(?<!\d)(?:1\d{3}|2[01]\d\d)(?!\d)")
_NO_YEAR = re.compile(r"0{4}(?:\D.*)?|0001-01-01.*")
_COMPACT = re.compile(r"(1\d{3}|2[01]\d\d)(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])")
_STOCK = re.compile(
    r"[>≥]?\s*([+-]?\d+(?:\.\d*)?)\s*(?:\+|[a-z]{1,6}\.?|件|个|個|点|개|шт\.?)?", re.I
)
_BARE = str.maketrans("üíã", "uia")
_NO = frozenset(
    "outofstock soldout unavailable discontinued inactive notavailable backorder ausverkauft "
    "nichtverfugbar nein non nao 否 无 無 缺货 无货 售罄 下架 已下架 停售 断货 缺貨 售完 "
    "在庫なし 품절 нет".split()
)
_YES = frozenset(
    "instock available active onsale limitedavailability lowstock preorder onlineonly "
    "instoreonly verfugbar lieferbar ja oui si sim 是 有 有货 现货 在售 上架 有貨 現貨 在庫あり "
    "판매중 재고있음 есть да".split()
)


def read_year(value: Any) -> Any:
    """The year of a number, a date, a range or a text; anything without a year as it is.

    >>> [read_year(v) for v in ("1995", "1995.0", "30-Oct-1995", "1995–2001", "19951030", "x")]
    [1995, 1995, 1995, 1995, 1995, 'x']
    """
    if isinstance(value, date):
        return value.year
    text = str(value).strip()
    if compact := _COMPACT.fullmatch(text):
        return int(compact[1])
    if re.fullmatch(r"[+-]?\d+(?:\.0*)?", text):
        return int(float(text))
    if _NO_YEAR.fullmatch(text):
        return 0
    found = _YEAR.search(text)
    return int(found[0]) if found else value


def odd_year(year: Any) -> bool:
    """Whether a year is before 1000 or more than ten years ahead."""
    return isinstance(year, int) and not 1000 <= year <= datetime.now(UTC).year + 10


def read_available(value: Any) -> Any:
    """Whether a text or an amount in stock says that an item can be had; else as it is.

    >>> [read_available(v) for v in ("In stock", "缺货", "57", "10+", "0", "-2", "no")]
    [True, False, True, True, False, False, 'no']
    """
    if isinstance(value, bool):
        return value
    text = str(value).strip()
    if amount := _STOCK.fullmatch(text):
        return float(amount[1]) > 0
    word = re.sub(r"[\W\d_]+", "", text.rpartition("/")[2].casefold())
    word = word.translate(_BARE)
    return False if word in _NO else True if word in _YES else value


def read_image(value: Any) -> str:
    """The first picture of a cell that an item can have: an https address or a file name.

    >>> read_image("['https://img.example.org/a.jpg', 'b.jpg']"), read_image("/a.jpg")
    ('https://img.example.org/a.jpg', '')
    """
    if isinstance(value, str) and is_bracketed(value):
        value = parse_bracketed(value)
    cells = value if isinstance(value, list) else [value]
    found = (str(cell).strip() for cell in cells)
    return next((text for text in found if picture_host(text) or is_picture_file(text)), "")


READERS: Mapping[str, Callable[[Any], Any]] = {
    "year": read_year,
    "price": read_price,
    "available": read_available,
    "min_age": read_age,
    "max_age": read_age,
    "popularity": read_count,
    "image": read_image,
}
"""Field → reader of its cells."""
