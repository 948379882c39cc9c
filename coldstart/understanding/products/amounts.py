"""Amounts of numeric attributes in English texts: "at most 350 calories", "under 30 minutes"."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import NamedTuple

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
    values: dict[str, Counter[str]] = {}
    for item in sampled(catalog):
        for name, value in item.attributes.items():
            values.setdefault(name, Counter())[value] += 1
    units = raw_lexicon("products-en")["units"]
    aliases = {stem(name): names.split() for name, names in units.items()}
    out: dict[str, str] = {}
    for name, found in values.items():
        numbers = sum(n for value, n in found.items() if number_of(value) is not None)
        if len(found) < _FEWEST or numbers < NUMERIC_FROM * found.total():
            continue
        for word in re.findall(r"[a-z]+", name.casefold()):
            for unit in (word, *aliases.get(stem(word), ())):
                out.setdefault(stem(unit), name)
    return out


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
