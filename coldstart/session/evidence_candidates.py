"""Quiz of evidence candidates (MeLU): popular items with the largest effect on the scores."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from coldstart.catalog.item_store import ItemStore
from coldstart.interactions.interaction_stats import pick_lift, popularity
from coldstart.session.item_store_cache import ItemStoreCache
from coldstart.session.quiz import ItemQuiz, QuizState, to_rows

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

MOST_ITEMS = 1000
"""Number of most liked items that may be asked about."""


class EvidenceCandidates(ItemQuiz):
    """Evidence candidates: popular items with the largest effect of a like on other scores.

    ``p_i · √(Σ_j≠i p_j · l_ij²)``: the popularity p of item i, times the popularity-weighted root
    mean square of the lift l that a like of i adds to the other items
    (``interaction_stats.pick_lift``). MeLU (Lee et al., KDD 2019) selects evidence candidates by
    popularity times the norm of the gradient that an answer causes; scores here are linear in
    lifts, so the lift takes the place of the gradient. The order is static: answers do not change
    it.
    """

    name = "evidence"
    why = "your answer would move the list most"

    def value(self, state: QuizState) -> Floats:
        """Return the static values; 0 for items beyond the 1,000 most liked."""
        return _TABLES.of(state.item_store)


def _values(item_store: ItemStore) -> Floats:
    counts = item_store.counts
    share = popularity(counts)
    values = np.zeros(len(share))
    for column in np.argsort(-counts.likes, kind="stable")[:MOST_ITEMS]:
        lift = pick_lift(counts, [counts.item_ids[column]])
        lift[column] = 0.0
        values[column] = share[column] * np.sqrt(share @ lift**2)
    return to_rows(item_store, values)


_TABLES = ItemStoreCache(_values)
