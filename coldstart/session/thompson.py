"""Thompson sampling: select the item of the highest draw from its like-rate posterior."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from coldstart.interactions.interaction_stats import popularity
from coldstart.session.quiz import ItemQuiz, QuizState, to_columns, to_rows

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

CERTAINTY = 10.0
"""Strength of the Beta prior, in pseudo-observations."""
WEIGHT = 10.0
"""Pseudo-observations of one answer for an item of cosine 1."""
_DAMPING = 20.0  # likes, as in interaction_stats.co_occurrence


class Thompson(ItemQuiz):
    """Thompson sampling from a Beta posterior over each item's like rate.

    The prior of item i is ``Beta(c p_i, c (1 − p_i))`` with popularity p and c = ``CERTAINTY``. A
    like of item j adds ``w s_ij`` to the first parameter, a dislike to the second, with the damped
    cosine s and w = ``WEIGHT``; "don't know" adds half as much to the second. Answers so propagate
    to similar items as in PEBOL (Austin et al., 2024), with co-occurrence counts in the place of a
    language model's entailment.
    """

    name = "thompson"
    why = "you might like it, and it is worth finding out"

    def value(self, state: QuizState) -> Floats:
        """Draw one like rate per item, in [0, 1]."""
        item_store, counts = state.item_store, state.item_store.counts
        share = np.clip(popularity(counts), 1e-4, 1 - 1e-4)
        yes, no = CERTAINTY * share, CERTAINTY * (1 - share)
        size = counts.likes + _DAMPING
        for rows, weight, belief in (
            (state.liked, WEIGHT, yes),
            (state.disliked, WEIGHT, no),
            (state.unfamiliar, WEIGHT / 2, no),
        ):
            for j in to_columns(item_store, rows):
                both = counts.together[[j]].toarray().ravel()
                belief += weight * both / np.sqrt(size[j] * size)
        return to_rows(item_store, state.rng.beta(yes, no))
