"""Values of an item's fields as tables write them: years, prices, availability, minimum ages."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from typing import Any

UNKNOWN_YEARS = frozenset({0, -1, 9999})
"""Numbers that stand for an unknown year; there was no year 0."""
AGES: Mapping[str, int] = {
    "g": 0, "u": 0, "e": 0, "all": 0, "tv-y": 0, "tv-g": 0, "tv-y7": 7, "pg": 8, "tv-pg": 8,
    "e10+": 10, "12a": 12, "pg-13": 13, "t": 13, "tv-14": 14, "r": 17, "m": 17, "tv-ma": 17,
    "nc-17": 18, "ao": 18,
}  # fmt: skip
"""Age ratings of films, television and games → minimum age, as ``data.age_ratings.MPAA``."""
OLDEST_RATING = 21
"""Highest minimum age that any rating has, in years."""

_YEAR = re.compile(r"(?<!\d)(?:1\d{3}|2[01]\d\d)(?!\d)")
_NO_YEAR = re.compile(r"0{4}(?:\D.*)?|0001-01-01.*")
_COMPACT = re.compile(r"(1\d{3}|2[01]\d\d)(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])")
_AMOUNT = re.compile(r"[^\d.,+-]{0,5}([\d.,']*\d)[^\d.,]{0,5}")
_AGE = re.compile(r"(?:fsk|pegi|usk|ab|from|ages?|rated)?[\s-]*(\d{1,2})\s*(?:\+|years?|jahren?)?")
_BARE = str.maketrans("üíã", "uia")
_NO = frozenset(
    "outofstock soldout unavailable discontinued inactive notavailable ausverkauft "
    "nichtverfugbar nein non nao".split()
)
_YES = frozenset(
    "instock available active onsale limitedavailability verfugbar lieferbar ja oui si sim".split()
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


def read_price(value: Any) -> Any:
    """The number of an amount, with or without a currency; anything else as it is.

    >>> [read_price(v) for v in ("$1,299.50", "9,99 €", "1.299,00", "1,299", "free", "cheap")]
    [1299.5, 9.99, 1299.0, 1299.0, 0.0, 'cheap']
    """
    if not isinstance(value, str):
        return value
    text = value.strip()
    if text.casefold() in ("free", "gratis", "kostenlos"):
        return 0.0
    found = _AMOUNT.fullmatch(text)
    if not found:
        return value
    digits = found[1].replace("'", "")
    comma, point = digits.rfind(","), digits.rfind(".")
    if comma > point >= 0 or (point < 0 and re.fullmatch(r"\d*,\d{1,2}", digits)):
        digits = digits.replace(".", "").replace(",", ".")
    try:
        return float(digits.replace(",", ""))
    except ValueError:
        return value


def read_available(value: Any) -> Any:
    """Whether a text or an amount in stock says that an item can be had; else as it is.

    >>> [read_available(v) for v in ("In stock", "sold out", "57", "0", "no")]
    [True, False, True, False, 'no']
    """
    if isinstance(value, bool):
        return value
    text = str(value).strip()
    if re.fullmatch(r"\d+(?:\.0*)?", text):
        return float(text) > 0
    word = re.sub(r"[\W_]+", "", text.rpartition("/")[2].casefold())
    word = word.translate(_BARE)
    return False if word in _NO else True if word in _YES else value


def read_age(value: Any) -> Any:
    """The minimum age of a number or an age rating; anything else as it is.

    >>> [read_age(v) for v in ("12+", "PG-13", "FSK 16", "12.0", "adults")]
    [12, 13, 16, 12, 'adults']
    """
    text = str(value).strip().casefold()
    if text in AGES:
        return AGES[text]
    if re.fullmatch(r"-?\d+(?:\.0*)?", text):
        return int(float(text))
    found = _AGE.fullmatch(text)
    return int(found[1]) if found else value


READERS: Mapping[str, Callable[[Any], Any]] = {
    "year": read_year,
    "price": read_price,
    "available": read_available,
    "min_age": read_age,
}
"""Field → reader of its cells."""
