"""Amounts in texts: a number and its unit are one term, however they are written."""

from __future__ import annotations

import re
from collections.abc import Iterator

_UNITS = {
    "kg": "kg kgs kilo kilos kilogram kilograms 公斤 千克",
    "g": "g gr gram grams gramme 克",
    "mg": "mg 毫克",
    "l": "l ltr liter liters litre litres 升 公升",
    "ml": "ml 毫升",
    "cl": "cl",
    "mm": "mm 毫米",
    "cm": "cm 厘米 公分",
    "m": "米 公尺",
    "km": "km 公里 千米",
    "in": "inch inches 英寸 寸",
    "oz": "oz ounce ounces 盎司",
    "lb": "lb lbs 磅",
    "w": "watt watts 瓦",
    "v": "volt volts 伏",
    "mah": "mah 毫安 毫安时",
    "gb": "gb",
    "tb": "tb",
    "码": "码 号",
    "片": "片",
    "岁": "岁",
}
"""Units, and how they are written; letters that are words otherwise are left out."""
_UNIT = {form: unit for unit, forms in _UNITS.items() for form in forms.split()}
_AMOUNT = re.compile(
    r"(?<![A-Za-z0-9.,])(\d+(?:[.,]\d+)?)\s?-?("
    + "|".join(sorted(_UNIT, key=len, reverse=True))
    + r")(?![^\W\d_\u3400-\u9fff])",
    re.IGNORECASE,
)
_DIGIT = re.compile(r"\d")


def split_amounts(text: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Parts of a text between amounts, each with the terms of the amount that follows it.

    Args:
        text: in the normal form NFKC, traditional Chinese simplified.

    >>> list(split_amounts("flour, 5 KG"))
    [('flour, ', ('5kg',)), ('', ())]
    """
    at = 0
    for amount in _AMOUNT.finditer(text) if _DIGIT.search(text) else ():
        unit, number = _UNIT[amount[2].casefold()], amount[1].replace(",", ".")
        # A size may be given as a mere number.
        yield text[at : amount.start()], (f"{number}{unit}", *((number,) if unit == "码" else ()))
        at = amount.end()
    yield text[at:], ()
