"""Ages of an audience as tables write them: ratings, minimum ages, ranges, groups."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from typing import Any

AGES: Mapping[str, int] = {
    "g": 0, "u": 0, "e": 0, "all": 0, "tv-y": 0, "tv-g": 0, "tv-y7": 7, "pg": 8, "tv-pg": 8,
    "e10+": 10, "12a": 12, "pg-13": 13, "t": 13, "tv-14": 14, "r": 17, "m": 17, "tv-ma": 17,
    "nc-17": 18, "ao": 18,
}  # fmt: skip
"""Age ratings of films, television and games → minimum age, as ``data.age_ratings.MPAA``."""
GROUPS: Mapping[str, tuple[int, int | None]] = {
    "newborn": (0, 1), "infant": (0, 1), "baby": (0, 2), "babies": (0, 2), "toddler": (1, 5),
    "toddlers": (1, 5), "kids": (3, 13), "children": (3, 13), "teens": (13, 19), "teen": (13, 19),
    "adult": (18, None), "adults": (18, None), "erwachsene": (18, None), "adultes": (18, None),
    "adultos": (18, None), "all ages": (0, None), "everyone": (0, None), "alle": (0, None),
    "婴儿": (0, 1), "幼儿": (1, 5), "儿童": (3, 13), "青少年": (13, 19), "成人": (18, None),
    "成年人": (18, None), "全年龄": (0, None), "不限": (0, None), "全年齢": (0, None),
}  # fmt: skip
"""Names of age groups → first and last age in years."""

_UNIT = (
    r"\s*(years?|yrs?|y|months?|mths?|mos?|m|jahren?|monaten?|ans|mois|años?|anni|mesi|"
    r"岁|歳|才|个月|個月|月|세|개월|лет|месяцев)?\.?"
)
_AGO = r"(?:\s*(?:old|alt|and (?:up|over|older|above)|plus|et plus|以上|起|及以上|이상|から))?"
_ONE = re.compile(
    r"(?:fsk|pegi|usk|ab|from|ages?|aged|rated|dès|desde|over|от|适合|适用)?[\s:-]*"
    rf"(\d{{1,3}})\s*\+?{_UNIT}\s*\+?{_AGO}"
)
_RANGE = re.compile(
    rf"(?:ages?|aged|from|von|de|适合|适用)?[\s:]*(\d{{1,3}}){_UNIT}\s*"
    rf"(?:-|~|to|bis|until|à|a|до|至|到)\s*(\d{{1,3}}){_UNIT}{_AGO}"
)
_UP_TO = re.compile(
    r"(?:(?:ages?\s*)?(?:up to|under|below|bis|max\.?|jusqu'à|hasta|до|<=?|≤)\s*"
    rf"(\d{{1,3}}){_UNIT}{_AGO}|(\d{{1,3}}){_UNIT}(?:以下|以内|以內|まで|이하))"
)
_MONTHS = ("mo", "mth", "mes", "mois", "个月", "個月", "月", "개월", "мес")


def read_ages(value: Any) -> tuple[int | None, int | None] | None:
    """First and last age in years that a cell states; ``None`` if it states none.

    >>> [read_ages(v) for v in ("8+", "3-6 years", "6–36 months", "up to 12", "PG-13", "kids", "x")]
    [(8, None), (3, 6), (0, 3), (None, 12), (13, None), (3, 13), None]
    """
    text = unicodedata.normalize("NFKC", str(value)).strip().casefold()
    text = re.sub(r"[–—−～〜]", "-", text)
    if text in AGES:
        return AGES[text], None
    if text in GROUPS:
        return GROUPS[text]
    if re.fullmatch(r"-?\d+(?:\.0*)?", text):
        return int(float(text)), None
    if found := _RANGE.fullmatch(text):
        unit = found[4] or found[2]
        return _years(found[1], found[2] or unit), _years(found[3], unit, up=True)
    if found := _UP_TO.fullmatch(text):
        return None, _years(found[1] or found[3], found[2] or found[4], up=True)
    if found := _ONE.fullmatch(text):
        return _years(found[1], found[2]), None
    return None


def read_age(value: Any) -> Any:
    """The first age that a cell states, 0 if only a last one; anything else as it is.

    >>> [read_age(v) for v in ("12+", "PG-13", "FSK 16", "12.0", "3-6", "some")]
    [12, 13, 16, 12, 3, 'some']
    """
    found = read_ages(value)
    return value if found is None else found[0] or 0


def _years(number: str, unit: str | None, *, up: bool = False) -> int:
    if unit is None or not (unit == "m" or unit.startswith(_MONTHS)):
        return int(number)
    return -(-int(number) // 12) if up else int(number) // 12
