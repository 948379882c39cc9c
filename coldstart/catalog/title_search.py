"""Search items by title while it is typed: beginnings of words, initials, slips of the keyboard."""

from __future__ import annotations

import heapq
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator
from functools import cached_property
from typing import TYPE_CHECKING

from rapidfuzz import fuzz, process
from rapidfuzz.distance import OSA

from coldstart.catalog.suggestions import form_of
from coldstart.catalog.titles import normalise_title

if TYPE_CHECKING:
    from coldstart.catalog.catalog import Catalog

_LONGEST = 100  # characters of a query
_FEWEST_LETTERS = 4  # of a word; a slip in fewer makes another word
_TWO_SLIPS = 8  # letters of a word from which it may have two
_MOST_WORDS = 60  # of the catalog that one misspelt word may mean
_ALIKE = 72.0  # of 100, similarity of whole titles ("pulpfiction")

# Ranks, the best first; popularity decides within one.
_EXACT, _BEGINS, _INITIALS, _WORDS, _BEGINNINGS, _MORE_INITIALS, _WITHIN, _SLIPS = range(8)
_LAST = 20


class TitleSearch:
    """Index of the titles of one catalog; follows its changes.

    A title is found in all its forms: without an article, with a sequel's number in digits, and by
    the name in parentheses. Case, accents and punctuation do not matter.

    >>> from coldstart.catalog.catalog import Catalog
    >>> from coldstart.schema import Item
    >>> titles = ("The Lord of the Rings", "Lost in Translation", "七武士")
    >>> films = Catalog(Item(item_id=str(n), title=t) for n, t in enumerate(titles))
    >>> search = TitleSearch(films)
    >>> [search.find(q, 1) for q in ("lotr", "ring", "tranlation", "武士")]
    [['0'], ['0'], ['1'], ['2']]

    Args:
        catalog: may change between searches.
    """

    def __init__(self, catalog: Catalog) -> None:
        self.catalog, self._version = catalog, 0
        self._ids: dict[str, set[str]] = {}  # by normalised title
        self._keys: dict[str, frozenset[str]] = {}  # by item
        self._with: dict[str, set[str]] = {}  # keys by word
        self._initials: dict[str, set[str]] = {}  # keys by initials

    def find(
        self, text: str, limit: int, weight: Callable[[str], float] = lambda item_id: 0.0
    ) -> list[str]:
        """Ids of the items that a text most likely means, the likeliest first.

        Args:
            text: as far as it is typed.
            limit: number of ids at most.
            weight: of an item, such as its popularity: decides between equally good matches.
        """
        self._sync()
        wanted = normalise_title(text[:_LONGEST])
        if limit < 1 or not wanted:
            return []
        ranks: dict[str, int] = {}
        for rank, key in self._matches(wanted):
            ranks[key] = min(rank, ranks.get(key, _LAST))
        if not ranks:
            for rank, key in self._misspelt(wanted):
                ranks.setdefault(key, rank)
        best: dict[str, int] = {}
        for key, rank in ranks.items():
            for item_id in self._ids[key]:
                best[item_id] = min(rank, best.get(item_id, _LAST))
        rows = self.catalog.rows
        return heapq.nsmallest(limit, best, key=lambda i: (best[i], -weight(i), rows[i]))

    def _matches(self, wanted: str) -> Iterator[tuple[int, str]]:
        """Keys that have all words of a text, or beginnings of words, in any order."""
        words = wanted.split()
        for key in self._having([self._begun(word) for word in words]):
            if key == wanted:
                yield _EXACT, key
            elif key.startswith(wanted):
                yield _BEGINS, key
            else:
                yield _WORDS if set(words) <= set(key.split()) else _BEGINNINGS, key
        whole = "".join(words)
        if 2 <= len(whole) <= _TWO_SLIPS:
            for letters in _between(self._letters, whole):
                rank = _INITIALS if letters == whole or len(whole) > 2 else _MORE_INITIALS
                yield from ((rank, key) for key in self._initials[letters])
        if len(whole) > 1:
            yield from ((_WITHIN, key) for key in self._ids if wanted in key)
        if len(whole) >= _FEWEST_LETTERS:
            for joined in _between(self._joined_order, whole):
                yield from ((_BEGINS, key) for key in self._joined[joined])

    def _misspelt(self, wanted: str) -> Iterator[tuple[int, str]]:
        """Keys whose words are those of a text but for slips, or that are alike as a whole."""
        found = [self._near(word) for word in wanted.split()]
        slips = max((min(near.values(), default=_LAST) for near in found), default=_LAST)
        if slips < _LAST and (keys := self._having([list(near) for near in found])):
            yield from ((_SLIPS + slips, key) for key in keys)
            return
        for key, _, _ in process.extract(
            wanted, self._names, scorer=fuzz.ratio, score_cutoff=_ALIKE, limit=_MOST_WORDS
        ):
            yield _LAST - 1, key

    def _near(self, word: str) -> dict[str, int]:
        """Words of the catalog that begin with a word, or with it but for slips → how many."""
        near = dict.fromkeys(self._begun(word), 0)
        if near or len(word) < _FEWEST_LETTERS:
            return near
        most = 1 + (len(word) >= _TWO_SLIPS)
        for begin in (None, len(word)):
            found = process.extract(
                word,
                self._beginnings(begin),
                scorer=OSA.distance,
                score_cutoff=most,
                limit=_MOST_WORDS,
            )
            for text, slips, _ in found:
                for other in [text] if begin is None else self._begun(text):
                    near.setdefault(other, int(slips))
        return near

    def _begun(self, word: str) -> list[str]:
        return list(_between(self._vocabulary, word))

    def _beginnings(self, length: int | None) -> list[str]:
        """All words, or their distinct beginnings of some length; made once."""
        if length not in self._begin:
            words = self._vocabulary
            made = words if length is None else dict.fromkeys(w[:length] for w in words)
            self._begin[length] = list(made)
        return self._begin[length]

    def _having(self, words: list[list[str]]) -> set[str]:
        """Keys that have one word of every group."""
        found: set[str] | None = None
        for group in sorted(words, key=len):
            keys = set().union(*(self._with[w] for w in group)) if group else set()
            found = keys if found is None else found & keys
            if not found:
                return set()
        return found or set()

    @cached_property
    def _vocabulary(self) -> list[str]:
        return sorted(self._with)

    @cached_property
    def _letters(self) -> list[str]:
        return sorted(self._initials)

    @cached_property
    def _names(self) -> list[str]:
        return list(self._ids)

    @cached_property
    def _joined(self) -> dict[str, list[str]]:
        """Keys by themselves without spaces."""
        out: dict[str, list[str]] = {}
        for key in self._ids:
            out.setdefault(key.replace(" ", ""), []).append(key)
        return out

    @cached_property
    def _joined_order(self) -> list[str]:
        return sorted(self._joined)

    @cached_property
    def _begin(self) -> dict[int | None, list[str]]:
        return {}

    def _sync(self) -> None:
        """Follow the catalog, at the cost of the change."""
        if self._version == self.catalog.version:
            return
        changed, removed = self.catalog.changes_since(self._version)
        self._version = self.catalog.version
        for item_id in (*removed, *changed):
            for key in self._keys.pop(item_id, ()):
                self._ids[key].discard(item_id)
                if not self._ids[key]:
                    self._drop(key)
        for item_id in changed:
            self._keys[item_id] = keys = self.catalog.title_keys(item_id)
            for key in keys:
                if key not in self._ids:
                    self._take(key)
                self._ids.setdefault(key, set()).add(item_id)
        for name in ("_vocabulary", "_letters", "_names", "_begin", "_joined", "_joined_order"):
            self.__dict__.pop(name, None)

    def _take(self, key: str) -> None:
        words, letters = _forms(key)
        for word in words:
            self._with.setdefault(word, set()).add(key)
        for initials in letters:
            self._initials.setdefault(initials, set()).add(key)

    def _drop(self, key: str) -> None:
        del self._ids[key]
        words, letters = _forms(key)
        for index, names in ((self._with, words), (self._initials, letters)):
            for name in names:
                index[name].discard(key)
                if not index[name]:
                    del index[name]


def _forms(key: str) -> tuple[set[str], set[str]]:
    """Words of a normalised title, also with numbers in digits, and its initials."""
    form = form_of(key)
    letters = {form.initials, "t" + form.initials, form.short}
    return {*key.split(), *form.words}, {i for i in letters if len(i) > 1}


def _between(ordered: list[str], beginning: str) -> Iterable[str]:
    """Of sorted texts those with a beginning."""
    first = bisect_left(ordered, beginning)
    for at in range(first, len(ordered)):
        if not ordered[at].startswith(beginning):
            return
        yield ordered[at]
