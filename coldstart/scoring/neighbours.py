"""Content neighbours of the picks: by vector, by co-occurrence of neighbours, by attributes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from coldstart.catalog.item_similarity import co_occurrence_of_relatives
from coldstart.scoring import retrieval
from coldstart.scoring.scorer import ColumnScorer
from coldstart.scoring.signal import Signal

if TYPE_CHECKING:
    from coldstart.catalog.item_store import ItemStore
    from coldstart.profile.resolve import ResolvedProfile
    from coldstart.scoring.retrieval import Nearest
    from coldstart.scoring.scorer import Floats, Ints


class NeighbourScorer(ColumnScorer):
    """Signals that also speak of items with few likes or none."""

    name = "neighbours"
    signals = (
        Signal(
            "smoothed",
            "Co-occurrence between content neighbours of the picks and of the item, times √k.",
            "cosine · √k",
            low=0.0,
            group="liked",
            reason="alike",
        ),
        Signal(
            "resembles",
            "Cosine of the item's content and that of the pick it is most like.",
            "cosine",
            low=-1.0,
            high=1.0,
            weight=(2.0, 0.0),
            reads="content",
            group="alike",
            reason="alike",
        ),
        Signal(
            "shares",
            "Share of a pick's attribute values that the item has, rare values counting more; "
            "of the pick it shares most with.",
            "share",
            low=0.0,
            high=1.0,
            weight=(0.5, 0.0),
            group="alike",
            reason="shares",
        ),
    )

    def columns(self, user: ResolvedProfile, items: ItemStore) -> Mapping[str, Floats]:
        """All three; zero without picks."""
        rows = items.rows_in_order(user.liked)
        if not rows:
            return {signal.name: np.zeros(len(items.ids)) for signal in self.signals}
        walked = np.zeros(len(items.ids))
        if items.counts.together.nnz:  # else the graph of all contents need not be made
            walked = co_occurrence_of_relatives(items.counts, items.alike, items.columns, rows)
        return {
            "smoothed": walked * np.sqrt(len(rows)),
            "resembles": (items.content @ items.content[rows].T).max(axis=1),
            "shares": _shares(items, rows),
        }

    def retrieve(self, user: ResolvedProfile, items: ItemStore, nearest: Nearest) -> Sequence[Ints]:
        """Items nearest to each pick by content."""
        rows = items.rows_in_order(user.liked)
        return [nearest(items.content[row], retrieval.BY_SIGNAL) for row in rows]


def _shares(items: ItemStore, rows: Sequence[int]) -> Floats:
    if not items.attributes.shape[1]:
        return np.zeros(len(items.ids))
    theirs = items.attributes[list(rows)]
    total = np.maximum(np.asarray(theirs.sum(axis=1)).ravel(), 1e-9)
    common = items.attributes @ (theirs > 0).astype(np.float64).T
    return np.asarray((common.toarray() / total).max(axis=1))
