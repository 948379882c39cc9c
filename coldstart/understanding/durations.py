"""Durations in English texts, in minutes: "under 90 minutes", "no longer than two hours"."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from coldstart.catalog.catalog import Catalog
from coldstart.catalog.known_attributes import MINUTES
from coldstart.understanding.products.prices import NUMBER, amount_of

MOST = 300.0
"""Minutes of the longest film; more are days and shifts: "over 12 hours at work"."""
_ABOUT = 0.15  # of a duration without words of comparison
_BARE = 40.0  # fewest minutes that are read without them
SOON = 20.0
"""Fewer minutes are no limit after words such as "in": "we start in ten minutes"."""
_LOOSE = re.compile(r"(?:in|i|we|only|just)\b", re.IGNORECASE)
_LONG = r"(?:long(?:er)?|over|above|more|beyond|past|exceed(?:s|ing)?)"
_BELOW = (
    r"(?:under|below|(?:less|shorter|fewer)\s+than|at\s+(?:the\s+)?most|up\s+to|within|"
    rf"(?:no|not|nothing|isn'?t|don'?t\s+want\s+(?:it|anything|one))\s+{_LONG}(?:\s+than)?|"
    r"max(?:imum)?(?:\s+of)?|(?:i|we)(?:'ve|\s+have)(?:\s+(?:only|just))?(?:\s+got)?|"
    r"(?:only|just)(?:\s+have)?|in(?:\s+(?:only|just))?|does(?:n'?t|\s+not)\s+(?:last|exceed)"
    r"(?:\s+(?:over|more\s+than|longer\s+than))?)"
)
_ABOVE = (
    r"(?:over|above|(?:more|longer)\s+than|at\s+(?:the\s+)?least|no\s+(?:less|shorter)\s+than|"
    r"not\s+under|min(?:imum)?(?:\s+of)?)"
)
_HOURS = (
    rf"(?:(?P<halves>half\s+an\s+hour)|(?P<hours>an?|{NUMBER})[\s-]*(?:hours?|hrs?|h)(?=\b|\d)"
    rf"(?:\s*(?:and\s+)?(?:(?P<half>a\s+half)|(?P<rest>{NUMBER})\s*(?:minutes?|mins?|m\b)?))?)"
)
_MINUTES = rf"(?P<minutes>{NUMBER})(?:(?P<joined>-)|\s*)(?:minutes?|mins?|min)\b"
_SPAN = re.compile(
    rf"(?<!\w)(?:(?P<range>(?:between|from)\s+(?P<first>an?|{NUMBER})\s*"
    r"(?P<unit>minutes?|mins?|hours?|hrs?)?\s*(?:and|to|-|–)\s*|(?P<digits>\d+)\s?[-–]\s?)|"
    rf"(?P<below>{_BELOW})\s+|(?P<above>{_ABOVE})\s+)?"
    rf"(?:(?P<about>about|around|roughly|approximately|maybe|perhaps|something\s+like)\s+)?"
    rf"(?:{_HOURS}|{_MINUTES})"
    r"(?:\s+(?:(?P<less>or\s+(?:less|under|shorter)|max(?:imum)?|at\s+most|tops)|"
    r"(?P<more>or\s+(?:more|longer|over)|at\s+least))\b)?"
    r"(?P<film>\s+(?:long\b|(?:[\w-]+\s+)?(?:films?|movies?|flicks?|pictures?|watch)\b))?",
    re.IGNORECASE,
)


_SHORT = re.compile(
    r"(?<!\w)(?:(?P<not_long>(?:no(?:t|thing)|isn'?t|shouldn'?t\s+be)\s+"
    r"(?:too|very|so|that|overly)\s+long)(?!\s+ago\b)|"
    r"(?:something|anything)\s+(?:short|quick|brief)|"
    r"(?:short|quick|brief)(?:er)?(?=\s+(?:films?|movies?|flicks?|watch|one)\b))(?!\w)",
    re.IGNORECASE,
)
SHORT, NOT_LONG = 95.0, 110.0
"""Minutes up to which a film counts as short, two of five films of ``adapters/movies``, and as not
too long, seven of ten."""
FEATURE = 60.0
"""Minutes from which something is a film to those who ask for a short one."""


def has_durations(catalog: Catalog) -> bool:
    """Whether items of a catalog tell their running times."""
    return any(MINUTES in item.attributes for item in catalog)


class NamedDuration(NamedTuple):
    """A span of durations: its characters, the shortest and the longest in minutes.

    Inferred ones ("not too long") are not ``stated``.
    """

    start: int
    end: int
    low: float | None
    high: float | None
    stated: bool = True


def find_durations(text: str) -> Iterator[NamedDuration]:
    """Durations that a text asks for, in order.

    One without words of comparison is read where it is said of a film ("a 90-minute thriller", "two
    hours long"), and meant roughly: within 15 %.

    >>> [d[2:] for d in find_durations("under 90 minutes, or a 90-minute film")]
    [(None, 90.0, True), (76.0, 103.0, True)]
    >>> [d[2:] for d in find_durations("between ninety minutes and two hours")]
    [(90.0, 120.0, True)]
    """
    for m in _SPAN.finditer(text):
        minutes = _minutes(m)
        if minutes is None or not 0 < minutes <= MOST:
            continue
        low, high = (float(round(minutes * x)) for x in (1 - _ABOUT, 1 + _ABOUT))
        found: tuple[float | None, float | None] = (low, high)
        if m["range"]:
            in_minutes = m["unit"].startswith("min") if m["unit"] else m["minutes"]
            named = m["first"] or m["digits"]
            number = 1.0 if named.lower() in ("a", "an") else amount_of(named) or 0.0
            first = number * (1 if in_minutes else 60)
            found = min(first, minutes), max(first, minutes)
        elif m["above"] or m["more"]:
            found = minutes, None
        elif m["below"] or m["less"]:
            if minutes < SOON and not m["less"] and _LOOSE.match(m["below"]):
                continue
            found = None, minutes
        elif minutes < _BARE or not (m["film"] or m["joined"] or _is_rough(m, text)):
            continue
        end = m.start("film") if m["film"] else m.end()
        yield NamedDuration(m.start(), end, *found)


def find_short(text: str) -> Iterator[NamedDuration]:
    """Wishes for something short, in order: at most ``SHORT`` or ``NOT_LONG`` minutes, inferred.

    >>> [d[2:] for d in find_short("a quick watch, not too long")]
    [(None, 95.0, False), (None, 110.0, False)]
    """
    for m in _SHORT.finditer(text):
        most = NOT_LONG if m["not_long"] else SHORT
        yield NamedDuration(m.start(), m.end(), None, most, stated=False)


def _is_rough(m: re.Match[str], text: str) -> bool:
    """Whether a duration is that of a film, roughly: "maybe an hour and a half", after a comma."""
    begins = not text[: m.start()].strip() or bool(re.search(r"[,;.(–—-]\s*$", text[: m.start()]))
    return bool(m["about"]) and begins and not re.match(r"\s*(?:ago|away|later)\b", text[m.end() :])


def _minutes(m: re.Match[str]) -> float | None:
    """The minutes that a match names; ``None``: no number."""
    if m["halves"]:
        return 30.0
    if m["minutes"]:
        return amount_of(m["minutes"])
    hours = 1.0 if m["hours"].lower() in ("a", "an") else amount_of(m["hours"])
    if hours is None:
        return None
    more = 30.0 if m["half"] else (amount_of(m["rest"]) if m["rest"] else 0.0)
    return 60 * hours + (more or 0.0)


def duration_text(low: float | None, high: float | None) -> str:
    """A span of durations as text.

    >>> duration_text(None, 90), duration_text(100, 120), duration_text(60, None)
    ('up to 90 minutes', '100 to 120 minutes', 'from 60 minutes')
    """
    if low is None:
        return f"up to {high:.0f} {MINUTES}"
    end = "" if high is None else f" to {high:.0f}"
    return f"{low:.0f}{end} {MINUTES}" if end else f"from {low:.0f} {MINUTES}"
