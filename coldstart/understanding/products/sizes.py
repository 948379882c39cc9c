"""Sizes in requests: "size 5", "in size M", "a size 42", 42码."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from coldstart.schema import Item
from coldstart.understanding.numbers import BELOW_100, number_in_words

_COLUMN = re.compile(
    r"(?:.*[ _-])?(?:sizes?|gr(?:ö|oe)(?:ß|ss)en?|taille)$|.*(?:尺码|尺寸|鞋码|码数|号码)$", re.I
)
_LETTERS = r"(?:x{0,4}[sl]|\d?x[sl]|m|one[\s-]size)"
_ENGLISH = re.compile(
    rf"(?<!\w)(?:in\s+)?(?:an?\s+)?(?:shoe\s+|dress\s+)?size\s+(?P<n>\d+(?:[.,]\d+)?|{BELOW_100}|{_LETTERS})(?!\w)"
    rf"|(?<!\w)in\s+(?:an?\s+)?(?P<l>{_LETTERS})(?=\s*(?:[,.;!?]|$|please|size))",
    re.I,
)
_CHINESE = re.compile(
    rf"(?P<n>(?<![\d月])\d{{1,3}}|(?<![a-z]){_LETTERS})\s*(?:码|號|号)"
    r"(?!\s*(?:球?线|电池))",
    re.I,
)
_SPLIT = re.compile(r"\s*[|,;，；、/]\s*")
_SPAN = re.compile(r"\s*(\d+(?:\.\d+)?)\s*(?:-|–|—|to|~|至|到)\s*(\d+(?:\.\d+)?)\s*", re.I)


class NamedSize(NamedTuple):
    """A size in a text: the character span, and the size, as in "42" and "xl"."""

    start: int
    end: int
    size: str


def find_sizes(text: str) -> Iterator[NamedSize]:
    """Sizes named in an English or Chinese text, in order.

    >>> [s.size for s in find_sizes("a football, size five, and a shirt in XL")]
    ['5', 'xl']
    """
    for m in sorted((*_ENGLISH.finditer(text), *_CHINESE.finditer(text)), key=lambda m: m.start()):
        named = (m["n"] or m["l"]).casefold().replace(",", ".")
        number = number_in_words(named) if named.isalpha() or "-" in named else None
        yield NamedSize(m.start(), m.end(), named if number is None else f"{number:g}")


def size_values(items: Iterable[Item]) -> Mapping[str, Mapping[str, tuple[float, float] | None]]:
    """Columns of sizes: each of their values, with its numbers where it is a span of them."""
    out: dict[str, dict[str, tuple[float, float] | None]] = {}
    for item in items:
        for name, text in item.attributes.items():
            if _COLUMN.fullmatch(name):
                for part in (text.strip(), *_SPLIT.split(text)):
                    span = _SPAN.fullmatch(part)
                    numbers = (float(span[1]), float(span[2])) if span else None
                    out.setdefault(name, {})[part] = numbers
    return out


def fitting(
    size: str, columns: Mapping[str, Mapping[str, tuple[float, float] | None]]
) -> list[tuple[str, str]]:
    """(column, value) of each value that is a size, or a span of sizes that it is in.

    >>> fitting("42", {"size": {"40-43": (40.0, 43.0), "44": None, "42": None}})
    [('size', '40-43'), ('size', '42')]
    """
    number = float(size) if re.fullmatch(r"\d+(?:\.\d+)?", size) else None
    return [
        (name, value)
        for name, values in columns.items()
        for value, span in values.items()
        if value.casefold() == size
        or (span is not None and number is not None and span[0] <= number <= span[1])
    ]
