"""Durations in simplified Chinese, in minutes: 九十分钟以内, 不超过两个小时, 别太长."""

from __future__ import annotations

import re
from collections.abc import Iterator

from coldstart.understanding.durations import MOST, NOT_LONG, SHORT, SOON, NamedDuration
from coldstart.understanding.products.chinese_prices import spoken_number

_N = r"(?:(?<![\d.])\d{1,4}(?:\.\d{1,2})?|[一二三四五六七八九十百两]{1,6})"
_HOURS = rf"(?:(?P<halves>半个?小时)|(?P<hours>{_N})\s*个?(?P<half>半)?\s*(?:小时|钟头))"
_MINUTES = rf"(?P<minutes>{_N})\s*(?:分钟)"
_BELOW = (
    r"(?:(?:不(?:要|能|会|想|得|可以?)?|别|没有?)(?:超过|长于|多于)|少于|短于|最多|至多|"
    r"(?P<loose>只有|就))"
)
_ABOVE = r"(?:至少|超过|长于|不少于|最少|多于)"
_SPAN = re.compile(
    rf"(?:(?P<below>{_BELOW})|(?P<above>{_ABOVE}))?\s*(?:{_HOURS}|{_MINUTES})\s*"
    r"(?:(?P<less>以内|之内|以下|内)|(?P<more>以上|往上))?"
)
_SHORT = re.compile(r"(?P<not_long>(?:不(?:要|想|能|会)?|别)太长(?:了)?的?)|短一点的?|短点的?|短片")


def find_chinese_durations(text: str) -> Iterator[NamedDuration]:
    """Limits on running times, in order; "not too long" is inferred.

    >>> [d[2:] for d in find_chinese_durations("九十分钟以内，不超过两个半小时")]
    [(None, 90.0, True), (None, 150.0, True)]
    """
    found = False
    for m in _SPAN.finditer(text):
        minutes = _minutes(m)
        if not 0 < minutes <= MOST or (m["loose"] and not m["less"] and minutes < SOON):
            continue
        if m["above"] or m["more"]:
            yield NamedDuration(m.start(), m.end(), minutes, None)
        elif m["below"] or m["less"]:
            yield NamedDuration(m.start(), m.end(), None, minutes)
        else:
            continue
        found = True
    if not found:
        for m in _SHORT.finditer(text):
            most = NOT_LONG if m["not_long"] else SHORT
            yield NamedDuration(m.start(), m.end(), None, most, stated=False)


def _minutes(m: re.Match[str]) -> float:
    if m["halves"]:
        return 30.0
    if m["minutes"]:
        return _number(m["minutes"])
    return 60 * (_number(m["hours"]) + (0.5 if m["half"] else 0.0))


def _number(text: str) -> float:
    return float(text) if text[0].isdigit() else float(spoken_number(text))
