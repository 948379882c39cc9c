"""Amounts of numeric attributes in English texts: "at most 350 calories", "under 30 minutes"."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import NamedTuple

import numpy as np

from coldstart.catalog.catalog import Catalog
from coldstart.understanding.lexicon import raw_lexicon
from coldstart.understanding.products.forms import stem
from coldstart.understanding.products.prices import NUMBER, amount_of
from coldstart.understanding.products.vocabulary import sampled

NUMERIC_FROM = 0.9
"""Share of an attribute's values that are numbers from which it is numeric."""
_FEWEST = 3  # different numbers
_BELOW = (
    r"(?:under|below|less\s+than|fewer\s+than|no\s+more\s+than|not\s+more\s+than|at\s+(?:the\s+)?"
    r"most|up\s+to|within|max(?:imum)?(?:\s+of)?|(?:i|we)(?:'ve|\s+have)(?:\s+(?:only|just))?"
    r"(?:\s+got)?|only|just|in(?:\s+(?:only|just))?)"
)
_ABOVE = (
    r"(?:over|above|more\s+than|at\s+(?:the\s+)?least|from|no\s+less\s+than|not\s+under|"
    r"min(?:imum)?(?:\s+of)?)"
)
_TAKES = re.compile(
    r"(?:(?:play|cook|prep|total|run|read|watch|bak|assembl)\w*[\s_-]*)?"
    r"(?:time|duration|runtime|minutes|mins|hours)(?:[\s_(-]*(?:min|minutes|mins|h|hours)\)?)?",
    re.IGNORECASE,
)
_TIMES = frozenset({"time", "duration", "runtime"})
LITTLE = 1 / 3
"""Share of an attribute's numbers that are little, and that are much."""
_SIDE = re.compile(
    r"(?P<before>min(?:imum)?|max(?:imum)?)[\s_.-]+(?P<rest>[a-z][\w\s]*)"
    r"|(?P<named>[a-z][\w\s]*?)[\s_.(-]+(?P<after>min(?:imum)?|max(?:imum)?)\)?",
    re.IGNORECASE,
)
_SPAN = re.compile(
    rf"(?<!\w)(?:(?P<range>(?:between|from)\s+(?P<first>{NUMBER})\s*(?:and|to|-|–)\s*)|"
    rf"(?P<below>{_BELOW})\s+|(?P<above>{_ABOVE})\s+)?(?P<number>{NUMBER})[\s-]*"
    r"(?P<unit>[a-z]+)(?:\s+(?:(?P<less>or\s+(?:less|fewer|under)|max(?:imum)?|at\s+most|tops)|"
    r"(?P<more>or\s+(?:more|longer|over)|at\s+least))\b)?",
    re.IGNORECASE,
)


class NamedAmount(NamedTuple):
    """A limit on a numeric attribute: the character span, the attribute, lowest and highest."""

    start: int
    end: int
    attribute: str
    low: float | None
    high: float | None


def numeric_attributes(catalog: Catalog) -> Mapping[str, str]:
    """Names of units → the attribute of a catalog whose numbers they count.

    An attribute is numeric if nearly all of its values are numbers and they differ. Its units are
    the words of its name, and what the lexicon has beside them ("mins" for "minutes").
    """
    out: dict[str, str] = {}
    for name in numeric_names(catalog):
        for unit in units_of(name):
            out.setdefault(unit, name)
    return out


def times(catalog: Catalog) -> tuple[str, float, float] | None:
    """A numeric attribute that is the time an item takes, and its lower and upper third.

    What it counts beside that, such as the hours of a battery, is none.
    """
    name = next((n for n in numeric_names(catalog) if _TAKES.fullmatch(n.strip())), None)
    if name is None:
        return None
    values = (number_of(item.attributes.get(name, "")) for item in sampled(catalog))
    low, high = np.quantile([v for v in values if v is not None], (LITTLE, 1 - LITTLE)).tolist()
    return name, low, high


def numeric_names(catalog: Catalog) -> Iterator[str]:
    """Attributes of which nearly all values are numbers, and differ; of a spread, few do."""
    values: dict[str, Counter[str]] = {}
    for item in sampled(catalog):
        for name, value in item.attributes.items():
            values.setdefault(name, Counter())[value] += 1
    for name, found in values.items():
        numbers = sum(n for value, n in found.items() if number_of(value) is not None)
        fewest = 1 if _SIDE.fullmatch(name.strip()) else _FEWEST
        if len(found) >= fewest and numbers >= NUMERIC_FROM * found.total():
            yield name


def units_of(name: str) -> Iterator[str]:
    """Stems of the units that an attribute's name speaks of; "time" is minutes if none is there."""
    units = raw_lexicon("products-en")["units"]
    aliases = {stem(unit): names.split() for unit, names in units.items()}
    side = side_of(name)
    own = re.findall(r"[a-z]+", (side[1] if side else name.replace("_", " ")).casefold())
    told = {stem(word) for word in raw_lexicon("products-en")["words"]["times"].split()}
    timed = any(stem(word) in told for word in own)
    for word in own:
        others = aliases.get(stem(word), ()) if not (timed and word in _TIMES) else ()
        for unit in (word, *others):
            yield stem(unit)


def side_of(name: str) -> tuple[str, str] | None:
    """Side and rest of the name of an attribute that is an end of a spread.

    >>> side_of("max_players"), side_of("Players (min)"), side_of("minutes")
    (('max', 'players'), ('min', 'Players'), None)
    """
    m = _SIDE.fullmatch(name.strip())
    if m is None:
        return None
    return (m["before"] or m["after"])[:3].casefold(), (m["rest"] or m["named"]).replace("_", " ")


def is_time(name: str) -> bool:
    """Whether an attribute counts minutes by its name, which names no unit: "playing time"."""
    return "min" in units_of(name) and "min" not in name.casefold()


def number_of(value: str) -> float | None:
    """The number that an attribute value is; ``None`` if it is none.

    >>> number_of("350"), number_of("1,200"), number_of("3-6")
    (350.0, 1200.0, None)
    """
    if not re.fullmatch(r"\s*\d+(?:,\d{3})*(?:\.\d+)?\s*", value):
        return None
    return float(value.replace(",", ""))


def find_amounts(text: str, units: Mapping[str, str]) -> Iterator[NamedAmount]:
    """Limits on numeric attributes named in a text, in order.

    A number without words of comparison limits only times: "a 20-minute dinner" takes no longer.

    Args:
        text: in which other things are blanked out.
        units: see ``numeric_attributes``.
    """
    times = frozenset(stem(word) for word in raw_lexicon("products-en")["words"]["times"].split())
    for m in _SPAN.finditer(text):
        attribute, number = units.get(stem(m["unit"].casefold())), amount_of(m["number"])
        if attribute is None or number is None or number < 0:
            continue
        low = high = None
        if m["range"]:
            low, high = sorted((amount_of(m["first"]) or 0.0, number))
        elif m["above"] or m["more"]:
            low = number
        elif m["below"] or m["less"] or stem(m["unit"].casefold()) in times:
            high = number
        if low is not None or high is not None:
            yield NamedAmount(m.start(), m.end(), attribute, low, high)
