"""Titles of the catalog in a text: where they are, and which item each names."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from itertools import chain
from typing import NamedTuple

from coldstart.catalog.catalog import Catalog
from coldstart.catalog.titles import ARTICLES, normalise_title, split_year
from coldstart.interactions.interaction_stats import Counts
from coldstart.profile.resolve import most_liked
from coldstart.understanding.tokens import phrase_form

MOST_WORDS = 12
"""Words of the longest title that is matched."""

_WORD = re.compile(r"[^\W_]+(?:[-'’.][^\W_]+)*", re.UNICODE)
_YEAR_AFTER = re.compile(r"\s*\(\s*(?:1[89]|20)\d\d\s*\)")
_CAPITAL_AFTER = re.compile(r" [A-Z][a-z]")
_PRAISE = re.compile(
    r"(?:\b(?:like|liked|love|loved|enjoy|enjoyed|adore|adored|watched|saw|seen|read|heard|played|"
    r"hate|hated|dislike|disliked|loathe|loathed|favou?rites?(?:\s+\w+)?\s+(?:is|are|was)|"
    r"similar\s+to|fan\s+of|than|or|and)\s+|[\"“«'‘,])\s*$",
    re.I,
)
_EXAMPLE = re.compile(
    r"\b(?:lines\s+of\s+|reminds\s+me\s+of\s+|vein\s+of\s+|style\s+of\s+|similar\s+to\s+|(?:i|we|she|he|they|really|just)\s+"
    r"(?:loved|liked|enjoyed|adored|hated|watched|saw)\s+|watched\s+|like\s+)$",
    re.I,
)
_NAMING = re.compile(r"\b(?:the\s+(?:movie|film))\s+[\"“'‘]?$", re.I)
_NOUN_AFTER = re.compile(r"\s+(?:movie|film|flick|stuff|stor|stuff|picture|party|night)", re.I)
_SERIES = re.compile(r":| and the ")
_ELLIPSIS = re.compile(r"\b(?:like|similar\s+to)\s+$", re.I)


class NamedTitle(NamedTuple):
    """A title in a text: its character span, and the item that it names."""

    start: int
    end: int
    item_id: str


class TitleSpotter:
    """Finder of the catalog's titles in texts.

    Args:
        catalog: whose titles are found.
        counts: of several items of one title, the most liked is meant (``most_liked``).
        common: words that alone make no title when written in lower case.
        known: whether a phrase means something else, such as "aliens".
        direct: whether a phrase is the name of a category, which is never read as a title.
    """

    def __init__(
        self,
        catalog: Catalog,
        counts: Counts,
        common: frozenset[str],
        known: Callable[[str], bool],
        direct: Callable[[str], bool],
    ) -> None:
        self._direct = direct
        self._catalog, self._counts, self._common, self._known = catalog, counts, common, known
        self._firsts: set[str] = set()
        self._series: dict[str, list[str]] = {}
        for item in catalog:
            self._firsts.update(_first_words(item.title))
            if series := _series(item.title):
                self._series.setdefault(normalise_title(series), []).append(item.item_id)

    def find(self, text: str) -> list[NamedTitle]:
        """Titles in a text: the longest at each place, without overlaps.

        With capitals, titles of several words are found anywhere, titles of one word after a word
        of liking or disliking, a quote or a comma, or as the whole text. Without capitals, titles
        of three words or more are found if one of them is uncommon, or after a word such as
        "like"; shorter ones only after such a word, and if a word is uncommon.
        """
        words = list(_WORD.finditer(text))
        found: list[NamedTitle] = []
        at = 0
        while at < len(words):
            size = 0
            if self._may_start(words, at):
                sizes = range(min(MOST_WORDS, len(words) - at), 0, -1)
                size = next((n for n in sizes if self._is_title(text, words[at : at + n])), 0)
            if size:
                start, end = words[at].start(), words[at + size - 1].end()
                after = _YEAR_AFTER.match(text, end)
                if after and self._catalog.find_title(text[start : after.end()]):
                    end = after.end()
                ids = self._ids(text[start:end])
                found.append(NamedTitle(start, end, most_liked(ids, self._counts)))
                while at < len(words) and words[at].start() < end:
                    at += 1
            else:
                at += 1
        return found

    def _ids(self, span: str) -> Sequence[str]:
        """Items of a title, or of a series: "Star Wars"."""
        series = self._series.get(normalise_title(span), ()) if self._series else ()
        return tuple(dict.fromkeys((*self._catalog.find_title(span), *series)))

    def _of_year(self, span: str, year: int) -> bool:
        """Whether a title is of about a year; sources differ by one."""
        years = (self._catalog[item_id].year for item_id in self._ids(span))
        return any(known is None or abs(known - year) <= 1 for known in years)

    def _may_start(self, words: list[re.Match[str]], at: int) -> bool:
        for n in (at, at + 1):
            if n < len(words):
                form = _squeezed(words[n][0])
                if form in self._firsts:
                    return True
                if form not in ARTICLES:
                    return False
        return False

    def _is_title(self, text: str, words: list[re.Match[str]]) -> bool:
        start, end = words[0].start(), words[-1].end()
        span = text[start:end]
        if not self._ids(span):
            return False
        whole = not _WORD.search(text[:start]) and not _WORD.search(text[end:])
        if whole:
            if len(words) > 1 and all(w[0][0].isupper() for w in words):
                return not self._direct(phrase_form(span))
            forms = phrase_form(span).split()
            plain = self._is_common(words) and any(self._known(form) for form in forms)
            return not (plain or self._known(" ".join(forms))) or bool(_YEAR_AFTER.match(text, end))
        if dated := _YEAR_AFTER.match(text, end):
            if not self._of_year(span, int(re.sub(r"\D", "", dated[0]))):
                return False  # another film of this title
            return words[0][0][0].isupper() or words[0][0][0].isdigit() or len(words) > 1
        before = text[max(0, start - 60) : start]
        if self._known(phrase_form(span)):
            return self._is_known_title(span, before, text[end : end + 20])
        upper = [w[0][0].isupper() or w[0][0].isdigit() for w in words]
        if not any(upper):
            return self._is_plain_title(span, words, before)
        named = len(words) > 1 and all(w[0][0].isupper() for w in words)  # "The Mask"
        opening = start == 0 or bool(re.search(r"[.!?]\s*$", before))
        if named and not (opening and self._is_common(words)):
            return True
        if len(normalise_title(span).split()) > 1:
            lone = sum(upper) == 1 and upper[0] and opening or span.startswith("I ")
            return not (lone and self._is_common(words))
        goes_on = _CAPITAL_AFTER.match(text, end)  # a longer title, which the catalog lacks
        return words[-1][0][0].isupper() and not goes_on and bool(_PRAISE.search(before))

    def _is_known_title(self, span: str, before: str, after: str) -> bool:
        """Whether words that also mean something else are a title: "like Alien"."""
        if self._direct(phrase_form(span)) or not span[0].isupper():
            return False
        named = _NAMING.search(before) or _PRAISE.search(before)
        return bool(named) and not _NOUN_AFTER.match(after)

    def _is_plain_title(self, span: str, words: list[re.Match[str]], before: str) -> bool:
        """Whether words in lower case are a title."""
        if self._known(phrase_form(span).removeprefix("the ").removeprefix("a ")):
            return False
        example = bool(_EXAMPLE.search(before))
        if all(self._known(w) or w in self._common for w in phrase_form(span).split()):
            return example and len(words) > 3
        if len(words) == 1:
            return len(span) > 4 and bool(_EXAMPLE.search(before) and _ELLIPSIS.search(before))
        rare = sum(not self._known(w) and w not in self._common for w in phrase_form(span).split())
        return (len(words) > 2 and (rare > 1 or len(words) > 3)) or example

    def _is_common(self, words: list[re.Match[str]]) -> bool:
        forms = (phrase_form(w[0]) for w in words)
        return all(form in self._common or self._known(form) for form in forms)


def _series(title: str) -> str:
    """What stands before a colon, or before "and the", if it is two words or more."""
    whole = split_year(title)[0]
    name = _SERIES.split(whole, maxsplit=1)[0].strip()
    return name if name != whole and len(normalise_title(name).split()) > 1 else ""


def _first_words(title: str) -> set[str]:
    """Squeezed first words under which a title may be written."""
    plain = split_year(title)[0]
    outside, *inside = re.split(r"[()]", plain)
    out: set[str] = set()
    for name in (outside, *inside):
        first = normalise_title(name).split()[:1]
        out.update(first)
        written = ""
        for written in chain((_squeezed(m[0]) for m in _WORD.finditer(name)), first):
            if written not in ARTICLES:
                break
        out.add(written)
    return out - {""}


@lru_cache(maxsize=1 << 15)
def _squeezed(word: str) -> str:
    return phrase_form(word).replace(" ", "")
