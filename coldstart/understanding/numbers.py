"""Numbers in English words."""

from __future__ import annotations

import re

_SMALL = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen "
    "sixteen seventeen eighteen nineteen"
).split()
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()
_VALUES = {word: n for n, word in enumerate(_SMALL)} | {
    word: 10 * n for n, word in enumerate(_TENS, start=2)
}
_DIGIT = "|".join(_SMALL[1:10])
BELOW_100 = rf"(?:(?:{'|'.join(_TENS)})(?:[\s-](?:{_DIGIT})\b)?|(?:{'|'.join(_SMALL[::-1])}))"
"""Pattern of a number from zero to ninety-nine in words."""
_HUNDREDS = rf"(?:(?:a|{BELOW_100})\s+(?:and\s+a\s+half\s+)?hundred(?:\s+(?:and\s+)?{BELOW_100})?)"
WORDS = (
    rf"(?:(?:half\s+)?a\s+dozen"
    rf"|(?:a|{_HUNDREDS}|{BELOW_100})\s+(?:and\s+a\s+half\s+)?thousand"
    rf"(?:\s+(?:and\s+)?(?:{_HUNDREDS}|{BELOW_100}))?"
    rf"|{_HUNDREDS}|{BELOW_100}(?:\s+and\s+a\s+half|\s+dozen)?)"
)
"""Pattern of a number in words, such as "a hundred and fifty" or "half a dozen"."""


def number_in_words(text: str) -> float | None:
    """The number that a text spells; ``None`` if it has no word of a number.

    >>> [number_in_words(t) for t in ("twenty-five", "a hundred and fifty", "half a dozen")]
    [25.0, 150.0, 6.0]
    >>> number_in_words("two and a half thousand"), number_in_words("one thousand two hundred")
    (2500.0, 1200.0)
    """
    words = re.findall(r"[a-z]+", text.casefold())
    total, group, seen = 0.0, 0.0, False  # group: what the next "thousand" multiplies
    for n, word in enumerate(words):
        if word in ("hundred", "dozen"):
            group, seen = max(group, 1.0) * (100 if word == "hundred" else 12), True
        elif word == "thousand":
            total, group, seen = total + 1000 * max(group, 1.0), 0.0, True
        elif word in _VALUES:
            group, seen = group + _VALUES[word], True
        elif word == "half":
            before = words[:n]
            group += 0.5 if before and before[-1] == "a" and seen else 0.0
    total += group
    return total / 2 if seen and words[:1] == ["half"] else total if seen else None
