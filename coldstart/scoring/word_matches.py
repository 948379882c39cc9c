"""Which items are of a type or have a term, over a whole item store at once."""

from __future__ import annotations

import re
from collections.abc import Set as AbstractSet
from typing import TYPE_CHECKING
from unicodedata import combining, normalize

import numpy as np

from coldstart.scoring.catalog_index import language_of, term_index
from coldstart.scoring.term_index import scores_of
from coldstart.scoring.words import terms
from coldstart.understanding.products.forms import beginnings, stem
from coldstart.understanding.products.item_words import ProductWords, term_of
from coldstart.understanding.products.lexicon import Term, covered, kinds
from coldstart.understanding.products.vocabulary import ProductVocabulary
from coldstart.understanding.products.words_cache import words_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from coldstart.catalog.item_store import ItemStore
    from coldstart.schema import Item, Piece

    Bools = NDArray[np.bool_]
    Floats = NDArray[np.float64]

_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")
_FREE, _LACKING = "-free", "不含"
LARGE = 50_000
"""Items of a store beyond which the words of all of them take seconds to read."""
MOST_READ = 2_000
"""Items whose words are read in a larger store."""


def matching(items: ItemStore, piece: Piece) -> Bools:
    """Mask of the items that have a ``term``, or are of a ``type``, shape (N,).

    A term that ends in "-free" is true of the items whose text says that they have none of it. In
    a large store the words of ``MOST_READ`` items are read, those of the best BM25 for the piece's
    own words; of the others with one of these words a rejected piece is true, a wanted one is not.
    """
    of_type = piece.kind == "type"
    holds = Matcher(piece, ProductVocabulary.of(items.catalog).common if of_type else frozenset())
    if len(items.items) > LARGE and (likely := holds.likely(items)) is not None:
        out = likely > 0 if not piece.wanted else np.zeros(len(items.items), dtype=bool)
        rows = np.flatnonzero(likely > 0)
        best = np.lexsort((-items.popularity[rows], -likely[rows]))[:MOST_READ]
        for row in rows[best].tolist():
            out[row] = holds(items.items[row])
        return out
    found = (holds.may_hold(item) and holds(item) for item in items.items)
    return np.fromiter(found, dtype=bool, count=len(items.items))


class Matcher:
    """Test of one item against a term or a type, with its synonyms and what falls under it.

    Args:
        piece: of the kind ``term`` or ``type``.
        common: stems of several items of the catalog, by which names in titles are told.
    """

    def __init__(self, piece: Piece, common: AbstractSet[str] = frozenset()) -> None:
        self._common = common
        text = piece.value
        self._lacking = piece.kind == "term" and (text.endswith(_FREE) or text.startswith(_LACKING))
        term = term_of(text.removesuffix(_FREE).removeprefix(_LACKING) if self._lacking else text)
        self._is_type = piece.kind == "type"
        self._terms = _types(term) if self._is_type else covered(term)
        one = len(kinds(term)) > 1 or not term[-1:][0].isascii() if term else True
        self._modifiers = [] if one or not self._is_type else [covered((w,)) for w in term[:-1]]

        whole = all(part.isascii() for term in self._terms for part in term)
        starts = (beginnings(term[-1]) for term in self._terms if term)
        #: Strings of which every item that fulfils the piece has one; empty: unknown.
        self._parts = tuple(part for parts in starts for part in parts) if whole else ()

    def word_of(self, item: Item) -> str:
        """The word of an item by which a term is true of it, as it stands there; may be empty.

        "Dog", of a term "puppy"; the term's own word, where it has that.
        """
        own = words_of(item)
        found = next((term for term in self._terms if own.has(term)), ())
        if found and not found[0].isascii():
            return "".join(found) if len(found) > 1 else ""
        texts = (item.title, *item.categories, *item.attributes.values(), item.description)
        for text in texts if found else ():
            tokens = _WORD.findall(text)
            stems = [stem(token) for token in tokens]
            for at in range(len(tokens)):
                if tuple(stems[at : at + len(found)]) == found:
                    return " ".join(tokens[at : at + len(found)]).casefold()
        return ""

    def may_hold(self, item: Item) -> bool:
        """Whether it is worth while to look at an item's words."""
        if not self._parts:
            return True
        texts = (
            item.title,
            item.description,
            *item.categories,
            *item.attributes,
            *item.attributes.values(),
        )
        folded = "\n".join(texts).casefold()
        if not folded.isascii():  # "chèvre" begins as its stem does, without the accent
            folded = "".join(c for c in normalize("NFKD", folded) if not combining(c))
        return any(part in folded for part in self._parts)

    def likely(self, items: ItemStore) -> Floats | None:
        """BM25 of the last words of the terms, shape (N,); ``None`` without a term."""
        language = language_of(items.catalog)
        wanted: list[str] = []
        for term in filter(None, self._terms):
            last = (term[-1], *beginnings(term[-1])[1:]) if term[-1].isascii() else ("".join(term),)
            for text in last:
                # A stem of a stem may be another one: "suede", "sued", "su".
                wanted += [text, *terms(text, characters=len(text) == 1, language=language)]
        return scores_of(term_index(items.catalog), items, wanted) if wanted else None

    def __call__(self, item: Item) -> bool:
        """Whether the piece is true of an item."""
        words = words_of(item)
        if self._lacking:
            return any(words.lacks(term) for term in self._terms)
        if self._is_type:
            return any(words.is_a(kind, self._common) for kind in self._terms) and all(
                _has(words, modifier) for modifier in self._modifiers
            )
        return _has(words, self._terms)


def _has(words: ProductWords, terms: tuple[Term, ...]) -> bool:
    return any(words.has(term) for term in terms)


def _types(term: Term) -> tuple[Term, ...]:
    """Head nouns of a type: a phrase that has synonyms itself, or its last word."""
    whole = kinds(term)
    by_characters = bool(term) and not term[-1].isascii()
    return whole if by_characters or len(whole) > 1 or len(term) < 2 else kinds(term[-1:])
