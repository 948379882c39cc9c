"""Correction of one slip of the keyboard in the names of categories."""

from __future__ import annotations

from collections.abc import Iterable

SHORTEST = 6
"""Letters of the shortest word to which a misspelt one is corrected."""


class SpellingCorrector:
    """Finder of the one word that differs from a misspelt one by a slip.

    A slip is a letter too much, too few or different, or two exchanged; the first letter is right
    unless the first two are exchanged.

    Args:
        words: words to correct to; shorter ones than ``SHORTEST`` are left out.
        known: words that are right as they are.
    """

    def __init__(self, words: Iterable[str], known: frozenset[str]) -> None:
        self._words = {word for word in words if len(word) >= SHORTEST and word.isalpha()}
        self._known = known | self._words
        self._shortened: dict[str, list[str]] = {}
        for word in sorted(self._words):
            for form in {word, *_deletions(word)}:
                self._shortened.setdefault(form, []).append(word)

    def correct(self, word: str) -> str:
        """The corrected word, or the word itself if it is known or like none or like several."""
        if not SHORTEST - 1 <= len(word) <= 20 or word in self._known or not word.isalpha():
            return word
        near = {
            target
            for form in {word, *_deletions(word)}
            for target in self._shortened.get(form, ())
            if _is_slip(word, target)
        }
        return near.pop() if len(near) == 1 else word


def _deletions(word: str) -> Iterable[str]:
    return (word[:n] + word[n + 1 :] for n in range(len(word)))


def _is_slip(word: str, target: str) -> bool:
    if abs(len(word) - len(target)) == 1:
        longer, shorter = sorted((word, target), key=len, reverse=True)
        return word[0] == target[0] and shorter in _deletions(longer)
    if len(word) != len(target):
        return False
    differ = [n for n, (a, b) in enumerate(zip(word, target, strict=True)) if a != b]
    if len(differ) == 1:
        return differ[0] > 0
    swapped = len(differ) == 2 and differ[1] == differ[0] + 1
    return swapped and word[differ[0]] == target[differ[1]] and word[differ[1]] == target[differ[0]]
