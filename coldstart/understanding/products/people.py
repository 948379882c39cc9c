"""Recipients and occasions in English texts, which say little of what is asked for."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

from coldstart.understanding.products.lexicon import phrases, recipients
from coldstart.understanding.tokens import phrase_form

ADULT = 30
"""Age of an adult whose age is not named."""
OLD = 70
"""Age of grandparents whose age is not named."""

_WHOSE = r"(?:my|our|his|her|their|your|the|a|an|some|these|both|two|another|every|any)"
_ADJ = (
    r"(?:(?:dear|old|elderly|older|younger|young|big|little|lovely|new|best|good|great|own|very|late|retired"
    r"|picky|busy|close|favou?rite|male|female|future|pregnant|sporty|outdoorsy|creative|mother|father|step)[\s-]+)*"
)

_PRONOUNS = re.compile(
    r"\bfor\s+(?P<who>him|her)\b(?=\s*(?:[,.!?;]|$)|\s+(?:who|under|below|max|up|around|about|with|to|that)\b)",
    re.I,
)
_GIFTS = re.compile(
    r"\b(?:(?:a|an|some|the|any)\s+)?(?:small|little|nice|good|great|perfect|last[\s-]minute)?\s*"
    r"(?:gifts?|presents?|stocking\s+(?:fillers?|stuffers?)|surprise)(?:\s+ideas?)?\b"
    r"(?!\s+(?:wrap|wrapping|box|boxes|bag|bags|card|cards|set|sets|paper|ribbon|basket|voucher))",
    re.I,
)
_CHILDREN = re.compile(
    r"\b(?:(?:for|to)\s+)?(?:my|our|his|her|their|a|the)\s+(?:\w+\s+)?"
    r"(?:(?:grand|god)?(?:son|daughter|child|children|kid|kids)|nephew|niece|boys?|girls?|twins)\b(?!['’])",
    re.I,
)


class NamedRecipient(NamedTuple):
    """An adult for whom something is: the character span, age, and gender if known."""

    start: int
    end: int
    age: int
    gender: str
    diet: tuple[int, int] = (-1, -1)
    group: str = ""


class NamedAside(NamedTuple):
    """An occasion, a child or the word "present": the character span, and whom it tells of.

    ``audience`` is ``adult``, ``baby`` or empty.
    """

    start: int
    end: int
    audience: str = ""


def find_recipients(text: str) -> list[NamedRecipient]:
    """Adults for whom something is asked, in order, without overlaps.

    >>> [(r.age, r.gender) for r in find_recipients("a present for my grandma")]
    [(70, 'female')]
    """
    out = []
    for m in _PRONOUNS.finditer(text):
        gender = "female" if m["who"].casefold() == "her" else "male"
        out.append(NamedRecipient(m.start(), m.end(), ADULT, gender))
    for m in _people().finditer(text):
        word = m["who"].casefold().replace(" ", "-")
        gender = next((g for g in ("female", "male") if word in recipients(g)), "")
        age = OLD if word in recipients("old") else ADULT
        diet = m.span("diet")
        out.append(
            NamedRecipient(m.start(), m.end(), age, gender, diet, word if word in _GROUPS else "")
        )
    return sorted(out)


def find_asides(text: str) -> Iterator[NamedAside]:
    """Occasions such as "for his birthday", children whose age is known, words for a gift."""
    for m in _occasions().finditer(text):
        name = phrase_form(m["name"])
        groups = ("adult", "baby")
        who = next((g for g in groups if name in map(phrase_form, phrases(g, "occasions"))), "")
        yield NamedAside(m.start(), m.end(), who)
    for pattern in (_CHILDREN, _GIFTS):
        for m in pattern.finditer(text):
            yield NamedAside(m.start(), m.end())


@cache
def _people() -> re.Pattern[str]:
    known = {word for group in ("female", "male", "anyone", "old") for word in recipients(group)}
    names = "|".join(
        re.escape(w).replace("\\-", "[\\s-]") for w in sorted(known, key=len, reverse=True)
    )
    return re.compile(
        rf"\b(?:(?:for|to|with|by|suit|please|surprise|thank)\s+(?:{_WHOSE}\s+)?|(?:my|our|his|her|their)\s+){_ADJ}(?:(?P<diet>vegan|vegetarian)\s+)?"
        rf"(?P<who>{names})\b(?!['’]?s?[\s-]+(?:{_AFTER}))(?:['’]s?(?!\w))?(?:\s+and\s+(?:my|her|his|our)?\s*(?:{names})\b)?",
        re.I,
    )


_GROUPS = frozenset("men women ladies gentlemen".split())  # as things are marked
_AFTER = "jacket|shoe|shirt|coat|watch|clothes|clothing|boots|size|sneakers|socks|bike"


@cache
def _occasions() -> re.Pattern[str]:
    names = "|".join(
        re.escape(p).replace("\\ ", "['’]?\\s+").replace("s['", "['’]?s['")
        for p in sorted(phrases("phrases", "occasions"), key=len, reverse=True)
    )
    return re.compile(
        rf"\b(?:(?:for|on|at|as|to)\s+)?(?:{_WHOSE}\s+)?(?:\w+(?:st|nd|rd|th)\s+)?(?P<name>{names})(?:['’]?s)?"
        r"(?:\s+(?:present|gift|surprise|day|party|season|eve))*\b(?!\s+(?:card|cards|candle|candles|cake|tree|decoration|decorations|lights|dress|balloon|balloons|ornament))",
        re.I,
    )
