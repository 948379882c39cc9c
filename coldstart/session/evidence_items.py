"""Ask first about items whose opinion moves a list most, whoever is asked."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from coldstart.catalog.item_store import ItemStore
from coldstart.interactions.interaction_stats import pick_lift, popularity
from coldstart.session.quiz import ItemQuiz, Known, Tables, to_rows

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

MOST_ITEMS = 1000
"""The most liked items, which may be asked about."""


class EvidenceCandidates(ItemQuiz):
    """Items that many like and whose like moves everybody's scores most.

    ``p_i · √(Σ_j≠i p_j · l_ij²)``: the share p of people who like item i, times the root mean
    square of what a like of i adds to the scores of the others, l (``priors.pick_lift``), weighted
    by popularity. MeLU (Lee et al., KDD 2019) chooses its evidence candidates by popularity times
    the norm of the gradient that an answer causes; scores here are linear in lifts, so that the
    lift is what an answer changes. Answers do not change the order.
    """

    name = "evidence"
    why = "your answer would move the list most"

    def value(self, known: Known) -> Floats:
        """See the class; 0 for items beyond the 1,000 most liked."""
        return _TABLES.of(known.item_store)


def _values(item_store: ItemStore) -> Floats:
    counts = item_store.counts
    share = popularity(counts)
    values = np.zeros(len(share))
    for column in np.argsort(-counts.likes, kind="stable")[:MOST_ITEMS]:
        lift = pick_lift(counts, [counts.item_ids[column]])
        lift[column] = 0.0
        values[column] = share[column] * np.sqrt(share @ lift**2)
    return to_rows(item_store, values)


_TABLES = Tables(_values)
