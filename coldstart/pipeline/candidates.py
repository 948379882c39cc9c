"""Candidate selection: the whole catalog, or what scorers retrieve from a large one.

Below some ten thousand items every signal is computed for every item. Beyond, that would take
longer than the language model. So each scorer names its best items first, and everything else
happens among these few thousand: retrieval first, ranking second (Covington et al., "Deep neural
networks for YouTube recommendations", 2016).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

from coldstart.grounding.index.approximate import ApproximateIndex

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from coldstart.catalog.item_store import ItemStore
    from coldstart.pipeline.parts import Parts
    from coldstart.profile.resolve import ResolvedProfile
    from coldstart.protocols import Float, Index

    Ints = NDArray[np.int64]


class CandidateStage:
    """Selects the candidate set of one request.

    Args:
        parts: of the recommender; its ``content_index`` holds the content vectors of a large
            catalog, ``None``: one in memory.
    """

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._content: _ContentIndex | None = None

    def select(self, user: ResolvedProfile, named: Iterable[str] = ()) -> ItemStore:
        """The whole catalog, or a part of it where it has more than ``pool_from`` items.

        Args:
            user: the resolved profile.
            named: ids of items that are candidates in any case.
        """
        items = self._parts.item_store
        items.sync()
        if len(items.ids) <= self._parts.settings.pool_from:
            return items
        if self._content is None or not self._content.serves(self._parts):
            self._content = _ContentIndex(self._parts)
        nearest = self._content.synced().nearest
        found = [items.rows_of([*user.liked, *user.disliked, *named])]
        for scorer in self._parts.scorers:
            found += scorer.retrieve(user, items, nearest)
        return items.part(np.unique(np.concatenate(found)), [*user.liked, *user.disliked])


class _ContentIndex:
    """Nearest items by content vector, following the catalog's changes."""

    def __init__(self, parts: Parts) -> None:
        self._items, self._given = parts.item_store, parts.content_index
        # Candidates need not be the very nearest: fewer rows are compared than for grounding.
        given = self._given  # may be empty, and then false
        self._index: Index = ApproximateIndex(scan=8192, share=0.02) if given is None else given
        self._version = 0

    def serves(self, parts: Parts) -> bool:
        return self._items is parts.item_store and self._given is parts.content_index

    def synced(self) -> _ContentIndex:
        """Put what changed in its place among the others."""
        items = self._items
        if self._version != items.version:
            changed, gone = items.catalog.changes_since(self._version)
            ids = changed & items.rows.keys()
            if len(ids) == len(items.ids):
                self._index.set(items.ids, items.content)
            elif ids:
                rows = np.sort(items.rows_of(ids))
                self._index.set([items.ids[row] for row in rows], items.content[rows])
            self._index.remove(sorted(gone - items.rows.keys()))
            self._version = items.version
        return self

    def nearest(self, vector: Float, n: int) -> Ints:
        """Rows of the n items nearest to a unit vector."""
        (found,) = self._index.search(vector[None], n)
        return self._items.rows_of([item_id for item_id, _ in found])
