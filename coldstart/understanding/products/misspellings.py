"""Misspelt words of requests, corrected to words of the catalog."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from spellchecker import SpellChecker

SHORTEST = 5
"""Letters of the shortest word that is taken for a misspelt one."""
LONGEST = 20
"""Letters of the longest."""
_KEPT = 10_000  # corrections
_TWO_SLIPS = 7  # letters from which a word may have two slips


class Misspellings:
    """Corrector of words that neither English nor the catalog has.

    English words stay as they are, whatever resembles them in the catalog: a horse is no hose. They
    are those of ``pyspellchecker``'s list. A slip is a letter too much, too few or different, or
    two exchanged; words of seven letters may have two. The first letter is right, or exchanged with
    the second. Corrections are kept by a digest: requests hold what people wrote.

    Args:
        words: of the catalog, with a weight: of several that are as close the heaviest is meant.
    """

    def __init__(self, words: Mapping[str, int]) -> None:
        self._words = {w: n for w, n in words.items() if len(w) >= SHORTEST and w.isalpha()}
        self._corrected: dict[bytes, str] = {}  # empty: the word stays

    def correct(self, word: str) -> str:
        """The catalog's word that a word is misspelt for; the word itself if there is none.

        Args:
            word: in small letters, unknown to the catalog.
        """
        if not (SHORTEST <= len(word) <= LONGEST and word.isascii() and word.isalpha()):
            return word
        if not self._words or word in self._words or is_english(word):
            return word
        key = hashlib.sha256(word.encode()).digest()
        meant = self._corrected.get(key)  # other threads may clear them
        if meant is None:
            meant = self._nearest(word)
            if len(self._corrected) >= _KEPT:
                self._corrected.clear()
            self._corrected[key] = meant
        return meant or word

    def _nearest(self, word: str) -> str:
        """The catalog's word that is nearest to a word; empty if none is near."""
        from rapidfuzz import process
        from rapidfuzz.distance import OSA

        slips = 2 if len(word) >= _TWO_SLIPS else 1
        found = process.extract(
            word, self._words.keys(), scorer=OSA.distance, score_cutoff=slips, limit=None
        )
        near = [
            (distance, -self._words[other], other)
            for other, distance, _ in found
            if other[0] == word[0] or other[:2] == word[1::-1]
        ]
        return min(near)[2] if near else ""


def is_english(word: str) -> bool:
    """Whether a word is an English one, in small letters, by the list of ``pyspellchecker``.

    Of British spellings the list has the American ones.

    >>> is_english("horse"), is_english("flavour"), is_english("coffe")
    (True, True, False)
    """
    american = (word.replace(british, other) for british, other in _BRITISH)
    with _READING:
        known = _dictionary()
        return word in known or any(form in known for form in american)


_BRITISH = (("our", "or"), ("is", "iz"), ("ys", "yz"), ("tre", "ter"), ("ll", "l"), ("ae", "e"))


_READING = threading.Lock()


@cache
def _dictionary() -> SpellChecker:
    from spellchecker import SpellChecker

    return SpellChecker(language="en")
