"""Co-occurrence with the picks: item-kNN, EASE, lift and the closest pick."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from coldstart.interactions.interaction_stats import (
    closest_pick,
    co_occurrence,
    fold_in,
    pick_lift,
)
from coldstart.scoring.retrieval import best
from coldstart.scoring.scorer import ColumnScorer
from coldstart.scoring.signal import Signal

if TYPE_CHECKING:
    from scipy import sparse

    from coldstart.catalog.item_store import ItemStore
    from coldstart.profile.resolve import ResolvedProfile
    from coldstart.scoring.retrieval import Nearest
    from coldstart.scoring.scorer import Floats, Ints

_DAMPING = 20.0  # likes


class CoOccurrenceScorer(ColumnScorer):
    """Signals from the users who liked a pick and the item."""

    name = "co_occurrence"
    signals = (
        Signal(
            "picks",
            "Damped cosine of co-occurrence with the k picks, scaled to a maximum of 1, times √k.",
            "cosine · √k",
            low=0.0,
            weight=(1.2, 0.0),
            group="liked",
            reason="picks",
        ),
        Signal(
            "fold_in", "EASE given the picks.", "EASE score / √k", group="liked", reason="picks"
        ),
        Signal(
            "lift",
            "How much more users who liked a pick like the item; mean over the picks.",
            "nats",
            group="liked",
            reason="picks",
        ),
        Signal(
            "closest",
            "Damped cosine of co-occurrence with the closest pick.",
            "cosine",
            low=0.0,
            high=1.0,
            group="liked",
            reason="picks",
        ),
    )

    def columns(self, user: ResolvedProfile, items: ItemStore) -> Mapping[str, Floats]:
        """All four; zero without picks."""
        counts, liked = items.counts, user.liked
        return {
            "picks": items.spread(co_occurrence(counts, liked)) * np.sqrt(len(liked)),
            "fold_in": items.spread(fold_in(counts, liked)),
            "lift": items.spread(pick_lift(counts, liked)),
            "closest": items.spread(closest_pick(counts, liked)),
        }

    def retrieve(self, user: ResolvedProfile, items: ItemStore, nearest: Nearest) -> Sequence[Ints]:
        """Items liked together with a pick, by cosine and by lift."""
        size = items.counts.likes + _DAMPING
        return best_given_picks(items, items.counts.together, size, user.liked)


def best_given_picks(
    items: ItemStore, matrix: sparse.csr_array, usual: Floats, picks: Sequence[str]
) -> list[Ints]:
    """For each pick the rows with the largest counts, over the root and the whole of the usual.

    Args:
        items: the whole catalog.
        matrix: item-to-item counts in the column order of ``items.counts``, shape (I, I).
        usual: what each column has anyway, shape (I,); its square root gives a cosine, itself a
            lift.
        picks: item ids; those without counts name nothing.
    """
    out = []
    for pick in picks:
        row = items.counts.column.get(pick)
        if row is None:
            continue
        start, end = matrix.indptr[row], matrix.indptr[row + 1]
        columns = matrix.indices[start:end].astype(np.int64)
        for power in (0.5, 1.0):
            values = matrix.data[start:end] / usual[columns] ** power
            rows = items.rows_of_columns[columns[best(values)]]
            out.append(rows[rows >= 0])
    return out
