"""Index of the words of a catalog, one for all that search it."""

from __future__ import annotations

import threading
import weakref
from functools import lru_cache, partial

from coldstart.catalog.catalog import Catalog
from coldstart.catalog.catalog_scripts import sample_texts
from coldstart.catalog.stems import latin_language
from coldstart.schema import Item
from coldstart.scoring.everyday import everyday_words
from coldstart.scoring.term_index import TermIndex, TermIndexes
from coldstart.scoring.words import terms

_LOCK = threading.Lock()
_INDEXES: weakref.WeakKeyDictionary[Catalog, tuple[str, TermIndexes]] = weakref.WeakKeyDictionary()
_LANGUAGES: weakref.WeakKeyDictionary[Catalog, tuple[int, str]] = weakref.WeakKeyDictionary()


def language_of(catalog: Catalog) -> str:
    """Language code of a catalog's Latin letters; see ``latin_language``.

    It is kept, and found again once the catalog has doubled.
    """
    size, language = _LANGUAGES.get(catalog, (0, "en"))
    if not size <= len(catalog) < 2 * size:
        language = latin_language(sample_texts(catalog))
        _LANGUAGES[catalog] = max(1, len(catalog)), language
    return language


def term_index(catalog: Catalog) -> TermIndex:
    """The index of a catalog as it is now, made or updated when it is first needed."""
    language = language_of(catalog)
    with _LOCK:
        known = _INDEXES.get(catalog)
        if known is None or known[0] != language:
            made = TermIndexes(partial(searched_terms, language=language))
            known = _INDEXES[catalog] = language, made
    return known[1].of(catalog)


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
