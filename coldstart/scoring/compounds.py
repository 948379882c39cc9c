"""Compound nouns of a request, such as "coffee machine", and whether any item is called so."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from coldstart.encoding.coverage import knows
from coldstart.scoring.category_nearness import FAR
from coldstart.scoring.piece_matches import fulfils_any
from coldstart.scoring.stated import text_similarity
from coldstart.scoring.wishes import wanted_groups
from coldstart.understanding.products.forms import words
from coldstart.understanding.products.vocabulary import ProductVocabulary

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from coldstart.catalog.item_store import ItemStore
    from coldstart.schema import Piece, Understood

    Bools = NDArray[np.bool_]
    Ints = NDArray[np.int64]

CLOSE_FROM = 3.0
"""Standard deviations from which an item is close to a type; a shared category counts as 1 or 2."""
WIDE_FROM = 0.1
"""Share of the items from which a head alone says little."""
RELATED_FROM = 1.5
"""Those from which it is related to it."""
_TITLES = 20  # of items, by which the script of a catalog is told


@dataclass(frozen=True)
class Compound:
    """A thing that is asked for, with the nouns before it.

    Args:
        groups: alternatives for its head, then those for each noun before it.
        words: the whole as it was typed, corrected where it was misspelt.
    """

    groups: tuple[tuple[Piece, ...], ...]
    words: str

    @property
    def spans(self) -> tuple[tuple[int, int], ...]:
        """Characters of each noun in the text, those of the head first."""
        return tuple((group[0].start, group[0].end) for group in self.groups)

    def called_so(self, items: ItemStore) -> Bools:
        """Mask of the items that are of the head's type and have every noun before it, (N,)."""
        out = np.ones(len(items.ids), dtype=bool)
        for group in self.groups:
            out &= fulfils_any(items, group)
        return out

    def of_type(self, items: ItemStore) -> Bools:
        """Mask of the items that come first for it, shape (N,).

        After the desk lamp other lamps do; not after the dog toy all other toys, which are a tenth
        of the items or more, and none where nothing is called by the whole.
        """
        called, head = self.called_so(items), fulfils_any(items, self.groups[0])
        return head if called.any() and head.mean() < WIDE_FROM else called

    def levels(self, items: ItemStore, apart: Ints) -> Ints:
        """How far the items that are not of the type are from it, shape (N,), 0 to ``FAR``.

        Similarity to the words, in standard deviations above the catalog's mean, and nearness by
        category add up, and what is close has both: a category tells little by itself (a pillow is
        in Travel with suitcases), and so does a meaning (everything is nearest to something). With
        encoders that compare letters, or do not know these, the categories decide.

        Args:
            items: a whole store or a part.
            apart: nearness by category, see ``category_nearness.apart_from``.
        """
        if not self._compares(items):
            return apart
        shared = FAR - apart
        near = text_similarity(items, self.words) + shared
        close = (near >= CLOSE_FROM) & (shared > 0)
        return np.where(close, 0, np.where(near >= RELATED_FROM, 1, FAR))

    def _compares(self, items: ItemStore) -> bool:
        """Whether the encoder knows the meaning of the words, and of the items' titles."""
        encoder = items.encoder
        titles = " ".join(item.title for item in items.items[:_TITLES])
        by_letters = getattr(encoder, "by_letters", False)
        return not by_letters and knows(encoder, self.words) and knows(encoder, titles)


def compounds(understood: Understood, items: ItemStore) -> list[Compound]:
    """Types of things that a request asks for, each with the nouns directly before it.

    A word is a noun here if it is a type of thing in the catalog or part of a category's name, and
    no value of an attribute: "coffee machine" and "camping chair" are compounds, "red kettle",
    "wooden toys" and "silent keyboard" are a thing and its quality.

    Args:
        understood: the reading.
        items: of the catalog, whole or a part.
    """
    groups = [g for g in wanted_groups(understood) if all(p.strict for p in g)]
    heads = [g for g in groups if all(p.kind == "type" for p in g) and len(_spans(g)) == 1]
    if not heads:
        return []
    vocabulary = ProductVocabulary.of(items.catalog)
    out = []
    for head in heads:
        parts, at = [tuple(head)], head[0].start
        while (before := _before(groups, at, understood.text)) and _is_noun(before, vocabulary):
            parts.append(tuple(before))
            at = before[0].start
        named = " ".join(_word(group) for group in reversed(parts))
        out.append(Compound(tuple(parts), named))
    return out


def uncalled(found: Sequence[Compound], items: ItemStore) -> list[Compound]:
    """Those of several nouns that no item of the catalog is called by."""
    return [c for c in found if len(c.groups) > 1 and not c.called_so(items).any()]


def _before(groups: Sequence[Sequence[Piece]], at: int, text: str) -> Sequence[Piece]:
    """The quality whose words end right before a character; empty without one."""
    for group in groups:
        ends = group[0].end
        if len(_spans(group)) == 1 and ends < at and re.fullmatch(r"[\s-]+", text[ends:at]):
            return group if any(p.kind == "term" for p in group) else ()
    return ()


def _is_noun(group: Sequence[Piece], vocabulary: ProductVocabulary) -> bool:
    if any(p.kind == "attribute" for p in group):
        return False
    stems = words(next(p.value for p in group if p.kind == "term"))
    return bool(stems) and (vocabulary.is_type(stems[-1]) or vocabulary.in_category(stems[-1]))


def _word(group: Sequence[Piece]) -> str:
    return next(p.value for p in group if p.kind in ("term", "type"))


def _spans(group: Sequence[Piece]) -> set[tuple[int, int]]:
    return {(p.start, p.end) for p in group}
