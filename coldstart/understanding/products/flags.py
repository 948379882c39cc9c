"""Columns of yes and no, which people ask for by their name: "vegan", "that kids will eat"."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from coldstart.schema import Item
from coldstart.understanding.draft import Value
from coldstart.understanding.products.forms import words

YES = frozenset("yes true 1 y ja oui si 是 有 有的".split())
NO = frozenset("no false 0 n nein non 否 无 没有".split())
_PREFIX = re.compile(
    r"^(?:is|are|has|have|contains?|includes?|with|needs?|requires?|suitable[\s_]+for|是否|含有?|有)"
    r"[\s_-]+",
    re.I,
)
_KIDS = frozenset(words("kid child children family toddler"))
_SHARE = 0.95  # of the values that are yes or no


def spoken(name: str) -> str:
    """The words of a column's name, without verbs such as "is" and "contains".

    >>> spoken("is_vegan"), spoken("contains_nuts"), spoken("dishwasher-safe")
    ('vegan', 'nuts', 'dishwasher safe')
    """
    bare = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).replace("_", " ").replace("-", " ").strip()
    return _PREFIX.sub("", bare).casefold()


def flag_columns(items: Iterable[Item]) -> Mapping[str, str]:
    """Columns of yes and no, each with the words of its name."""
    found: dict[str, list[bool]] = {}
    for item in items:
        for name, value in item.attributes.items():
            folded = value.strip().casefold()
            if folded:
                found.setdefault(name, []).append(folded in YES or folded in NO)
    return {
        name: spoken(name)
        for name, flags in found.items()
        if sum(flags) >= _SHARE * len(flags) and words(spoken(name))
    }


def value_of_yes(items: Iterable[Item], name: str) -> str:
    """How a column of yes and no writes yes; empty if no item has it."""
    for item in items:
        value = item.attributes.get(name, "").strip()
        if value.casefold() in YES:
            return value
    return ""


def kids_columns(items: Sequence[Item]) -> tuple[Value, ...]:
    """Values of columns of yes and no that say that something is for children."""
    named = (name for name, told in flag_columns(items).items() if _KIDS & set(words(told)))
    found = ((name, value_of_yes(items, name)) for name in named)
    return tuple(("attribute", yes, name) for name, yes in found if yes)
