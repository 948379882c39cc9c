"""Lexical match: the words of a request against title, categories, description and people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from coldstart.scoring.catalog_index import language_of, stated_text, term_index
from coldstart.scoring.retrieval import best
from coldstart.scoring.scorer import ColumnScorer
from coldstart.scoring.signal import Signal
from coldstart.scoring.stated import request_text
from coldstart.scoring.term_index import scores_of
from coldstart.scoring.words import ending, shared_words, terms

if TYPE_CHECKING:
    from coldstart.catalog.item_store import ItemStore
    from coldstart.profile.resolve import ResolvedProfile
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

    def columns(self, user: ResolvedProfile, items: ItemStore) -> Mapping[str, Floats]:
        """Zero where nothing is stated, or no word of it is in any item."""
        language = language_of(items.catalog)
        wanted = terms(_asked(user), characters=True, language=language)
        if not wanted:
            return {"lexical": np.zeros(len(items.ids))}
        return {"lexical": scores_of(term_index(items.catalog), items, wanted) / _SCALE}

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
        item, language = items.items[row], language_of(items.catalog)
        read = [piece.words for piece in user.understood.pieces if piece.kind != "phrase"]
        if user.understood.values("category"):
            read += item.categories
        found = shared_words(_asked(user), stated_text(item), ". ".join(read), language)
        return {"words": found[:_WORDS]} if found else None


def _asked(user: ResolvedProfile) -> str:
    """The request without the limits on numbers that it states, which no item has as words."""
    text = request_text(user)
    for piece in user.understood.pieces:
        if piece.kind == "attribute" and (piece.low is not None or piece.high is not None):
            text = text.replace(piece.words, " ")
    return ending(text, _LONGEST)
