"""Numbers that an item is for, from a minimum to a maximum: "for six people", "3-5 players"."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from coldstart.catalog.catalog import Catalog
from coldstart.understanding.products.amounts import numeric_names, side_of, units_of
from coldstart.understanding.products.forms import stem
from coldstart.understanding.products.prices import NUMBER, amount_of

_PEOPLE = frozenset(map(stem, ("people", "persons", "person")))  # of them stories tell as well
_COUNTED = ("players", "people", "guests")
_UP = r"up\s+to|at\s+least|min(?:imum)?(?:\s+of)?"
_OVER = r"more\s+than|over"
_MOST = r"(?:no|not)\s+(?:more\s+than|over)|at\s+(?:the\s+)?most|max(?:imum)?(?:\s+of)?"
_UNDER = r"under|below|(?:less|fewer)\s+than"
_NUMBERED = re.compile(
    rf"(?<!\w)(?:(?P<most>{_MOST})\s+|(?P<under>{_UNDER})\s+|(?P<up>{_UP})\s+|(?P<over>{_OVER})\s+"
    rf"|(?P<between>between)\s+|(?P<for>for|with|of|seats?|fits?)\s+(?:about\s+|the\s+|us\s+)?)?"
    rf"(?P<first>{NUMBER})(?:\s*(?:-|–|to|or|and)\s*(?P<last>{NUMBER}))?"
    r"(?P<joint>[\s-]*)(?P<unit>[a-z]+)(?!\w)",
    re.IGNORECASE,
)
_WE = re.compile(
    rf"(?<!\w)(?:we(?:['’]re|\s+are)|there(?:['’]s|\s+(?:are|will\s+be)))\s+(?:only\s+)?(?P<first>{NUMBER})"
    r"(?:\s+of\s+us)?(?=\s*(?:[,.;!?)]|$|and\b|so\b))",
    re.IGNORECASE,
)
_ALONE = re.compile(
    r"(?<!\w)(?:(?:to\s+play\s+)?(?:solo|by\s+myself|on\s+my\s+own|alone)|single[\s-]player|for\s+myself)"
    r"(?!\w)(?!\s+(?:and|or|last|with|parent\w*)\b)",
    re.IGNORECASE,
)
_OR = re.compile(r"\s*(?:or|to|-|–)\s*", re.IGNORECASE)


class Spread(NamedTuple):
    """Two attributes that tell from which number of something to which an item is for."""

    least: str
    most: str


class NamedCount(NamedTuple):
    """A number of people or the like in a text.

    Args:
        start: first character.
        end: character after it.
        spread: what it is compared with.
        low: the item is for so few; ``None``: open.
        high: and for so many; ``None``: open.
        stated: whether it was named as a number.
    """

    start: int
    end: int
    spread: Spread
    low: float | None
    high: float | None
    stated: bool = True


def spreads(catalog: Catalog) -> Mapping[str, Spread]:
    """Names of units → the two attributes of a catalog that count them: minimum and maximum."""
    sides: dict[str, dict[str, str]] = {}
    for name in numeric_names(catalog):
        if found := side_of(name):
            sides.setdefault(found[1].casefold(), {})[found[0]] = name
    return {
        unit: Spread(found["min"], found["max"])
        for rest, found in sides.items()
        if len(found) == len(("min", "max"))
        for unit in units_of(rest)
    }


def find_counts(text: str, units: Mapping[str, Spread]) -> list[NamedCount]:
    """Numbers of what a spread counts, in order: "for six people", "3-5 players", "we are four".

    "No more than four" are few enough for an item whose minimum is four; "up to eight" asks for
    a maximum of eight.

    Args:
        text: in which other things are blanked out.
        units: see ``spreads``.
    """
    out: list[NamedCount] = []
    for found in sorted(_counts(text, units)):
        if out and found.start < out[-1].end:
            continue
        if out and _OR.fullmatch(text[out[-1].end : found.start]) and _closed(out[-1], found):
            lows, highs = (out[-1].low, found.low), (out[-1].high, found.high)
            low, high = min(x for x in lows if x), max(x for x in highs if x)
            found = found._replace(start=out.pop().start, low=low, high=high)
        out.append(found)
    return out


def _closed(a: NamedCount, b: NamedCount) -> bool:
    return a.spread == b.spread and None not in (a.low, a.high, b.low, b.high)


def _counts(text: str, units: Mapping[str, Spread]) -> Iterator[NamedCount]:
    for m in _NUMBERED.finditer(text):
        unit = stem(m["unit"].casefold())
        spread, first = units.get(unit), amount_of(m["first"])
        last = amount_of(m["last"]) if m["last"] else None
        told = any(m[n] for n in ("most", "under", "up", "over", "between", "for"))
        if spread is None or first is None or first < 1:
            continue
        if unit in _PEOPLE and not told and m["joint"] != "-":
            continue  # "three people told me"
        low, high = sorted((first, last or first))
        bounds: tuple[float | None, float | None] = (low, high)
        if m["most"] or m["under"]:
            bounds = (high - bool(m["under"]), None)
        elif m["up"] or m["over"]:
            bounds = (None, high + bool(m["over"]))
        yield NamedCount(m.start(), m.end(), spread, *bounds)
    people = next((units[u] for u in map(stem, _COUNTED) if u in units), None)
    if people is None:
        return
    for m in _WE.finditer(text):
        number = amount_of(m["first"])
        if number is not None and number >= 1:
            yield NamedCount(m.start(), m.end(), people, number, number)
    for m in _ALONE.finditer(text):
        yield NamedCount(m.start(), m.end(), people, 1.0, 1.0, stated=False)
