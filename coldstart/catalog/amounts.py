"""Amounts as tables write them: prices with a currency, and counts such as sales."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from coldstart.catalog.item_aliases import CURRENCIES

_SIGNS = {sign: code for code, signs in CURRENCIES.items() for sign in signs}
_SIGN = re.compile(
    "|".join(
        # Words are signs only where no letter is next to them.
        rf"(?<![a-zа-я]){re.escape(s)}(?![a-zа-я])"
        if s[0].isalpha() and s.isascii()
        else re.escape(s)
        for s in sorted(_SIGNS, key=len, reverse=True)
    )
    + "|[¥￥]"
)
_AROUND = re.compile(
    r"^(?:from|only|approx\.?|about|ab|ca\.?|desde|à partir de|约|約|от)\s+|"
    r"\s*(?:/|per|pro|je|por|par)\s*[^\W\d]{1,12}\.?$|\s*(?:起|左右|\+)$|[.,]?[-–—]{1,2}$"
)
_AMOUNT = re.compile(r"[^\d.,+-]{0,5}([\d.,']*\d)[^\d.,]{0,5}")
_SPACED = re.compile(r"\d{1,3}(?:[ \u00a0\u202f]\d{3})+(?:[.,]\d{1,2})?")
_SPAN = re.compile(r"(.*?\d)\s*(?:-|–|—|~|to|bis)\s*\d[\d.,' ]*")
_COUNT = re.compile(
    r"[^\d.,+-]{0,12}([\d.,' \u00a0\u202f]*\d)\s*(k|m|mio|千|万|萬|w|億|亿)?"
    r"\s*[+)]?(?:\s*[^\W\d][^\d]{0,20})?"
)
_TIMES: Mapping[str, float] = {
    "k": 1e3, "千": 1e3, "万": 1e4, "萬": 1e4, "w": 1e4, "m": 1e6, "mio": 1e6, "億": 1e8, "亿": 1e8
}  # fmt: skip
_FREE = frozenset("free gratis kostenlos gratuit 免费 免費 無料 무료 бесплатно".split())


def read_price(value: Any) -> Any:
    """The number of an amount, with or without a currency; of a span its lower end; else as it is.

    >>> [read_price(v) for v in ("$1,299.50", "9,99 €", "1.299,00", "1,299", "free", "cheap")]
    [1299.5, 9.99, 1299.0, 1299.0, 0.0, 'cheap']
    >>> [read_price(v) for v in ("¥300", "300元/件", "1 299,00 €", "€9.99 – €19.99", "ab 5 EUR")]
    [300.0, 300.0, 1299.0, 9.99, 5.0]
    """
    if not isinstance(value, str):
        return value
    text = value.strip().casefold()
    if text in _FREE:
        return 0.0
    bare = _SIGN.sub(" ", text).strip()
    while (shorter := _AROUND.sub("", bare).strip()) != bare:
        bare = shorter
    is_amount = bare != text or re.search(r"\d[.,]\d", bare)
    if is_amount and (span := _SPAN.fullmatch(bare)):
        bare = span[1].strip()
    digits = bare if _SPACED.fullmatch(bare) else ""
    if not digits:
        found = _AMOUNT.fullmatch(bare)
        if not found:
            return value
        digits = found[1]
    number = _number(digits)
    return value if number is None else number


def price_currency(value: Any) -> str:
    """Code of the currency that an amount is written with; empty without one.

    The sign of yuan and yen alone gives ``¥``.

    >>> [price_currency(v) for v in ("€9.99", "12 usd", "300元", "¥300", 9.99, "9.99")]
    ['EUR', 'USD', 'CNY', '¥', '', '']
    """
    found = _SIGN.search(value.casefold()) if isinstance(value, str) else None
    return "" if found is None else _SIGNS.get(found[0], "¥")


def read_count(value: Any) -> Any:
    """The number of a count, such as of sales or votes; anything else as it is.

    >>> [read_count(v) for v in ("1,234", "3.4k", "1.2万+", "月销 300+", "57 ratings", "many")]
    [1234.0, 3400.0, 12000.0, 300.0, 57.0, 'many']
    """
    if not isinstance(value, str):
        return value
    found = _COUNT.fullmatch(value.strip().casefold())
    if not found:
        return value
    digits = found[1].strip()
    if " " in digits and not _SPACED.fullmatch(digits):
        return value
    number = _number(digits)
    return value if number is None else number * _TIMES.get(found[2] or "", 1.0)


def _number(digits: str) -> float | None:
    digits = re.sub(r"[' \u00a0\u202f]", "", digits)
    comma, point = digits.rfind(","), digits.rfind(".")
    if comma > point >= 0 or (point < 0 and re.fullmatch(r"\d*,\d{1,2}", digits)):
        digits = digits.replace(".", "").replace(",", ".")
    try:
        return float(digits.replace(",", ""))
    except ValueError:
        return None
