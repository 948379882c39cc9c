"""Near-duplicate detection by title."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from difflib import SequenceMatcher
from functools import lru_cache

from coldstart.catalog.title_numbers import arabic_title, years_agree
from coldstart.errors import ConfigError
from coldstart.schema import Item

SPELLING = 0.75
"""Minimum ``difflib`` ratio of the differing words of two spellings of one title."""


class NearDuplicates:
    """Near-duplicate criterion: titles equal after normalisation, or nearly so.

    Normalised titles are compared as they stand and with their words sorted. Titles are never
    duplicates if one has an additional word ("…, Black"), or if they differ in a word that is no
    misspelling ("red" and "blue"; "men's" and "women's"), a number ("Rocky II", "Part Two",
    "500 ml"), a single letter ("Vitamin C") or, where both years are known, by more than a year
    (remakes). Numbers may be written in any way ("Rocky 2").

    Args:
        threshold: minimum ``difflib`` ratio of duplicates, in (0, 1]; 1 for equal titles only.

    >>> toys = [Item(item_id=t, title=t) for t in ("Toy Story", "Toy Story 2", "Story, Toy")]
    >>> [x.title for x in toys if NearDuplicates().twin(x, toys[:1])]
    ['Toy Story', 'Story, Toy']
    """

    name = "near-duplicate"

    def __init__(self, threshold: float = 0.92) -> None:
        if isinstance(threshold, bool) or not 0 < threshold <= 1:
            raise ConfigError(f"threshold is {threshold!r}", "give a number above 0 and at most 1")
        self.threshold = threshold

    def twin(self, item: Item, others: Iterable[Item]) -> Item | None:
        """Return the first of ``others`` that ``item`` duplicates."""
        return next((other for other in others if self._same(item, other)), None)

    def _same(self, a: Item, b: Item) -> bool:
        if not years_agree(a.year, b.year):
            return False
        (title, words, marks), (other, other_words, other_marks) = _spell(a.title), _spell(b.title)
        if title == other:
            return True
        if marks != other_marks:
            return False
        ours, theirs = _left_over(title, other), _left_over(other, title)
        if bool(ours) != bool(theirs) or not _close(ours, theirs, SPELLING):
            return False
        return _close(words, other_words, self.threshold) or _close(title, other, self.threshold)


def _left_over(title: str, other: str) -> str:
    """Join the words of a title that are missing from the other."""
    theirs = Counter(other.split())
    out = []
    for word in title.split():
        if theirs[word]:
            theirs[word] -= 1
        else:
            out.append(word)
    return "".join(out)


def _close(a: str, b: str, threshold: float) -> bool:
    first, second = sorted((a, b))  # the ratio depends on the order
    matcher = SequenceMatcher(None, first, second, autojunk=False)
    bounds = (matcher.real_quick_ratio, matcher.quick_ratio, matcher.ratio)
    return all(ratio() >= threshold for ratio in bounds)


_TELLING = frozenset("last final men mens women womens mans womans".split())


@lru_cache(maxsize=8192)
def _spell(title: str) -> tuple[str, str, list[str]]:
    """The title in its normal form, its sorted words, and those that tell sequels and sizes."""
    key = arabic_title(title)
    words = sorted(key.split())
    return key, " ".join(words), [w for w in words if _tells_apart(w)]


def _tells_apart(word: str) -> bool:
    return len(word) == 1 or word in _TELLING or any(c.isdigit() for c in word)
