"""Lexical match: the words of a request against title, categories, description and people."""

from __future__ import annotations

import weakref
from collections.abc import Mapping, Sequence
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any

import numpy as np

from coldstart.catalog.catalog_scripts import sample_texts
from coldstart.catalog.stems import latin_language
from coldstart.scoring.everyday import everyday_words
from coldstart.scoring.retrieval import best
from coldstart.scoring.scorer import ColumnScorer
from coldstart.scoring.signal import Signal
from coldstart.scoring.stated import request_text
from coldstart.scoring.term_index import TermIndexes, scores_of
from coldstart.scoring.words import ending, shared_words, terms

if TYPE_CHECKING:
    from coldstart.catalog.catalog import Catalog
    from coldstart.catalog.item_store import ItemStore
    from coldstart.profile.resolve import ResolvedProfile
    from coldstart.schema import Item
    from coldstart.scoring.retrieval import Nearest
    from coldstart.scoring.scorer import Floats, Ints

_LONGEST = 600  # characters of a request
_SCALE = 10.0  # BM25 of a good match
_WORDS = 3  # words that a reason names


class LexicalScorer(ColumnScorer):
    """BM25 of what a request asks for over the items' texts."""

    name = "lexical"
    signals = (
        Signal(
            "lexical",
            "BM25 of the words of the request over title, year, categories, description and "
            "attribute values.",
            "BM25 / 10",
            low=0.0,
            in_trees=False,
            of_words=True,
            group="words",
            reason="mentions_words",
        ),
    )

    def __init__(self) -> None:
        self._languages = CatalogLanguages()
        self._indexes: dict[str, TermIndexes] = {}

    def columns(self, user: ResolvedProfile, items: ItemStore) -> Mapping[str, Floats]:
        """Zero where nothing is stated, or no word of it is in any item."""
        language = self._languages.of(items.catalog)
        wanted = terms(_asked(user), characters=True, language=language)
        if not wanted:
            return {"lexical": np.zeros(len(items.ids))}
        if language not in self._indexes:
            self._indexes = {language: TermIndexes(partial(searched_terms, language=language))}
        index = self._indexes[language].of(items.catalog)
        return {"lexical": scores_of(index, items, wanted) / _SCALE}

    def retrieve(self, user: ResolvedProfile, items: ItemStore, nearest: Nearest) -> Sequence[Ints]:
        """Items of the largest scores above zero."""
        values = self.columns(user, items)["lexical"]
        rows = best(values)
        return [rows[values[rows] > 0]]

    def facts(
        self, reason: str, user: ResolvedProfile, items: ItemStore, row: int
    ) -> dict[str, Any] | None:
        """Words of the request that the item's text has, as they were written.

        Without what was read as a category, a title, …, of which other reasons speak.
        """
        item, language = items.items[row], self._languages.of(items.catalog)
        read = [piece.words for piece in user.understood.pieces]
        if user.understood.values("category"):
            read += item.categories
        found = shared_words(_asked(user), stated_text(item), ". ".join(read), language)
        return {"words": found[:_WORDS]} if found else None


class CatalogLanguages:
    """Language of the latest catalog's Latin letters; found again once it has doubled."""

    def __init__(self) -> None:
        self._found: tuple[weakref.ref[Catalog] | None, int, str] = None, 0, "en"

    def of(self, catalog: Catalog) -> str:
        """The language code of a catalog; see ``latin_language``."""
        known, size, language = self._found
        if known is None or known() is not catalog or not size <= len(catalog) < 2 * size:
            language = latin_language(sample_texts(catalog))
            self._found = weakref.ref(catalog), max(1, len(catalog)), language
        return language


def stated_text(item: Item) -> str:
    """Title, year, categories, description and attribute values of an item."""
    year = "" if item.year is None else str(item.year)
    parts = (item.title, year, *item.categories, item.description, *item.attributes.values())
    return "\n".join(part for part in parts if part)


def searched_terms(item: Item, language: str = "en") -> list[str]:
    """Terms of ``stated_text``, and those of everyday words of the categories."""
    found = terms(stated_text(item), characters=True, language=language)
    return [*found, *_everyday_terms(item.categories, language)]


@lru_cache(maxsize=1 << 14)
def _everyday_terms(categories: tuple[str, ...], language: str) -> list[str]:
    everyday = "\n".join(map(everyday_words, categories))
    return terms(everyday, language=language)


def _asked(user: ResolvedProfile) -> str:
    return ending(request_text(user), _LONGEST)
