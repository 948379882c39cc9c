"""Scripts of texts: in which letters they are written."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterable
from functools import lru_cache

SYLLABIC = frozenset({"Han", "Kana", "Hangul"})
"""Scripts of which one character is a syllable or a word rather than a letter."""
UNSPACED = SYLLABIC | {"Thai", "Lao", "Khmer", "Myanmar"}
"""Scripts that are written without spaces between words, and Korean, whose words grow endings."""

_NAMES = {"Cjk": "Han", "Hiragana": "Kana", "Katakana": "Kana"}


@lru_cache(maxsize=1 << 14)
def script_of(character: str) -> str:
    """Script of a letter by its Unicode name, such as "Latin", "Han" or "Cyrillic"; else empty.

    >>> [script_of(c) for c in "aж鞋っ한ก1"]
    ['Latin', 'Cyrillic', 'Han', 'Kana', 'Hangul', 'Thai', '']
    """
    if not character.isalpha():
        return ""
    first = unicodedata.name(character, "").split(" ")[0].split("-")[0].capitalize()
    return _NAMES.get(first, first)


def scripts(texts: Iterable[str]) -> dict[str, float]:
    """Share of the letters of every script in some texts, the largest first.

    >>> scripts(["Tea 茶"])
    {'Latin': 0.75, 'Han': 0.25}
    """
    letters: Counter[str] = Counter()
    for text in texts:
        if text.isascii():
            letters["Latin"] += sum(map(str.isalpha, text))
        else:
            letters.update(filter(None, map(script_of, text)))
    total = letters.total()
    return {name: n / total for name, n in letters.most_common() if n}
