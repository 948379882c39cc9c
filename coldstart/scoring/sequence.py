"""The order of likes: what is liked after the picks, and what is liked late."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from coldstart.interactions.interaction_stats import later_lift
from coldstart.scoring.co_occurrence import best_given_picks
from coldstart.scoring.scorer import ColumnScorer
from coldstart.scoring.signal import Signal

if TYPE_CHECKING:
    from coldstart.catalog.item_store import ItemStore
    from coldstart.profile.resolve import ResolvedProfile
    from coldstart.scoring.retrieval import Nearest
    from coldstart.scoring.scorer import Floats, Ints


class SequenceScorer(ColumnScorer):
    """First likes come from other shelves than later ones; these signals tell them apart."""

    name = "sequence"
    signals = (
        Signal(
            "next",
            "How much likelier the item is liked after the k picks than after any likes, times √k.",
            "nats · √k",
            group="liked",
        ),
        Signal(
            "late",
            "How much likelier the item is liked late than at all.",
            "nats",
            group="popularity",
        ),
        Signal(
            "beyond",
            "``late`` for histories and for users without picks; 0 otherwise.",
            "nats",
            weight=(0.5, 0.0),
            in_trees=False,
            group="popularity",
        ),
    )

    def columns(self, user: ResolvedProfile, items: ItemStore) -> Mapping[str, Floats]:
        """All three."""
        liked = user.liked
        first = user.profile.history or not liked
        return {
            "next": items.spread(later_lift(items.counts, liked)) * np.sqrt(len(liked)),
            "late": items.late,
            "beyond": items.late if first else np.zeros(len(items.ids)),
        }

    def retrieve(self, user: ResolvedProfile, items: ItemStore, nearest: Nearest) -> Sequence[Ints]:
        """Items liked after a pick, by cosine and by lift."""
        counts = items.counts
        return best_given_picks(items, counts.later, counts.later_share + 1e-9, user.liked)
