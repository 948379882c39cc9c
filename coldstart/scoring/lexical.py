"""Lexical match: the words of a request against title, categories, description and people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from coldstart.scoring.everyday import everyday_words
from coldstart.scoring.retrieval import best
from coldstart.scoring.scorer import ColumnScorer
from coldstart.scoring.signal import Signal
from coldstart.scoring.stated import request_text
from coldstart.scoring.term_index import TermIndexes, scores_of
from coldstart.scoring.words import ending, spelled_terms, terms

if TYPE_CHECKING:
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
        self._indexes = TermIndexes(searched_terms)

    def columns(self, user: ResolvedProfile, items: ItemStore) -> Mapping[str, Floats]:
        """Zero where nothing is stated, or no word of it is in any item."""
        wanted = terms(_asked(user), characters=True)
        if not wanted:
            return {"lexical": np.zeros(len(items.ids))}
        return {"lexical": scores_of(self._indexes.of(items.catalog), items, wanted) / _SCALE}

    def retrieve(self, user: ResolvedProfile, items: ItemStore, nearest: Nearest) -> Sequence[Ints]:
        """Items of the largest scores above zero."""
        values = self.columns(user, items)["lexical"]
        rows = best(values)
        return [rows[values[rows] > 0]]

    def facts(
        self, reason: str, user: ResolvedProfile, items: ItemStore, row: int
    ) -> dict[str, Any] | None:
        """Words of the request that the item's text has, as they were written.

        Without categories and what was read as a title, …, of which other reasons speak.
        """
        asked = spelled_terms(_asked(user))
        categories = items.items[row].categories
        read = ". ".join([*(piece.words for piece in user.understood.pieces), *categories])
        text = stated_text(items.items[row])
        has = set(terms(text)) - set(terms(read))
        found = _joined([word for term, word in asked.items() if term in has], text)
        return {"words": found[:_WORDS]} if found else None


def stated_text(item: Item) -> str:
    """Title, year, categories, description and attribute values of an item."""
    year = "" if item.year is None else str(item.year)
    parts = (item.title, year, *item.categories, item.description, *item.attributes.values())
    return "\n".join(part for part in parts if part)


def searched_terms(item: Item) -> list[str]:
    """Terms of ``stated_text``, and those of everyday words of the categories."""
    everyday = "\n".join(map(everyday_words, item.categories))
    return [*terms(stated_text(item), characters=True), *terms(everyday)]


def _joined(words: Sequence[str], text: str) -> list[str]:
    """Words, with pairs of characters that follow each other in the text as one: 跑步, 步鞋."""
    out: list[str] = []
    for word in words:
        longer = out[-1] + word[1:] if out and out[-1][-1] == word[0] else ""
        if not word.isascii() and len(word) == 2 and longer and longer in text:
            out[-1] = longer
        else:
            out.append(word)
    return out


def _asked(user: ResolvedProfile) -> str:
    return ending(request_text(user), _LONGEST)
