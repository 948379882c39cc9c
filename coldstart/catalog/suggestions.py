"""Suggest titles for a text that is none: by spelling, initials, sequel numbers, beginnings."""

from __future__ import annotations

import difflib
import heapq
import re
from collections.abc import Callable, Iterable
from typing import NamedTuple

from coldstart.catalog.scripts import UNSPACED, script_of
from coldstart.catalog.title_numbers import arabic_words
from coldstart.catalog.titles import ARTICLES, normalise_title

_PART = frozenset({"part", "episode", "chapter", "volume", "vol", "pt", "ep", "no"})
_SMALL = frozenset("a an and at by for from in of on or the to with".split())
_NUMBERS = re.compile(  # that are not written in digits
    r"\b(?:[ivx]+|\d+(?:st|nd|rd|th)|zero|one|two|three|four|five|six|seven|eight|nine|ten|eleven|"
    r"twelve|\w+teen|\w+ty|\w+th|first|second|third|hundred|thousand)\b|第"
)
_INITIALS = re.compile(r"[^\W_]{2,8}")
_SHORTLIST = 100
_LONGEST = 300
_SURE = 0.8
"""Similarity in spelling from which a title comes before one with the same words or initials."""

_GUESS = 1.0  # rank of a title of similar spelling
_SHORT = 3  # letters; a slip in so few makes another word


class TitleForm(NamedTuple):
    """One title for comparison.

    Args:
        words: with numbers in digits, without "part" and the like.
        initials: first letters of the words as written.
        short: likewise, without small words such as "of".
    """

    words: tuple[str, ...]
    initials: str
    short: str


def form_of(key: str) -> TitleForm:
    """Form of a normalised title.

    >>> form_of("lord of the rings part ii").words, form_of("lord of the rings").initials
    (('lord', 'of', 'the', 'rings', '2'), 'lotr')
    """
    written = key.split()
    words = arabic_words(written) if _NUMBERS.search(key) else written
    kept = [w for w in words if w not in _PART] or words
    starts = [w if w.isdigit() else w[0] for w in written]
    short = [s for s, w in zip(starts, written, strict=True) if w not in _SMALL]
    return TitleForm(tuple(kept), "".join(starts), "".join(short))


def suggest(text: str, keys: Iterable[str], form: Callable[[str], TitleForm], n: int) -> list[str]:
    """Choose the ``n`` normalised titles that a text most likely means, the likeliest first.

    First come those with the same words but for punctuation and numerals ("Rocky 2"), then those
    that begin with the text ("Dr Strangelove", "E.T."), those of its initials ("LOTR"), of a
    similar spelling, and with all its words, or with the text within it where words are not spaced.

    Args:
        text: as typed.
        keys: normalised titles.
        form: of a key; cached by the caller.
        n: number of suggestions.
    """
    keys = list(keys)
    wanted = normalise_title(text[:_LONGEST])
    if n < 1 or not wanted:
        return []
    mine, initials = form_of(wanted), _initials_of(text)
    close = _nearest(wanted, keys, n)
    sure = _SURE if len(wanted) > _SHORT else 1.0
    ranks = {key: (_GUESS if ratio >= sure else 3, -ratio) for key, ratio in close}
    for key in keys:
        rank = _rank(mine, initials, form(key))
        if rank is not None:
            place = (rank, len(key) / 1000)
            ranks[key] = min(place, ranks.get(key, place))
    if any(rank < _GUESS for rank, _ in ranks.values()):  # then others are not worth saying
        ranks = {key: place for key, place in ranks.items() if place[0] <= _GUESS}
    return heapq.nsmallest(n, ranks, key=lambda key: (*ranks[key], len(key)))


def _initials_of(text: str) -> str:
    """The text as initials ("LOTR", "e.t."), or nothing."""
    plain = re.sub(r"[.\s]", "", text) if re.fullmatch(r"\s*(?:\w[.\s]+)+\w?\s*", text) else text
    return plain.strip().casefold() if _INITIALS.fullmatch(plain.strip()) else ""


def _rank(mine: TitleForm, initials: str, other: TitleForm) -> float | None:
    """Order of a title that is not a matter of spelling; ``None`` if it has nothing in common."""
    whole, theirs = "".join(mine.words), other.words
    if whole == "".join(theirs):
        return 0
    if len(whole) > 1 and _begins(theirs, whole):
        return 0.5
    if initials:
        for made in (other.initials, "t" + other.initials, other.short):
            if made == initials:
                return 0.7
            if made.startswith(initials) and (len(initials) > 2 or initials[1].isdigit()):
                return 0.8
    if len(mine.words) > 1 and set(mine.words) - _SMALL - ARTICLES and set(mine.words) <= {*theirs}:
        return 2
    if len(whole) > 1 and whole in "".join(theirs) and script_of(whole[0]) in UNSPACED:
        return 2
    if len(initials) > 2 and initials in other.initials:
        return 2.5
    return None


def _begins(words: Iterable[str], whole: str) -> bool:
    """Whether the first words, written as one, are ``whole``."""
    made = ""
    for word in words:
        made += word
        if len(made) >= len(whole):
            return made == whole
    return False


def nearest(text: str, pool: Iterable[str], n: int) -> list[str]:
    """Nearest strings in spelling, among the 100 with the most trigrams in common."""
    return [key for key, _ in _nearest(text[:_LONGEST], pool, n)]


def _nearest(text: str, pool: Iterable[str], n: int) -> list[tuple[str, float]]:
    wanted = _pieces(text)
    shortlist = heapq.nlargest(_SHORTLIST, pool, key=lambda s: len(wanted & _pieces(s)))
    found = difflib.get_close_matches(text, shortlist, n) if n > 0 else []
    return [(key, difflib.SequenceMatcher(None, key, text).ratio()) for key in found]


def _pieces(text: str) -> set[str]:
    return {text[i : i + 3] for i in range(max(1, len(text) - 2))}
