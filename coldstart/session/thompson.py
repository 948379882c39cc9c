"""Ask about what might be liked, as a bandit would: draw from a belief about every item."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from coldstart.interactions.interaction_stats import popularity
from coldstart.session.quiz import ItemQuiz, Known, to_columns, to_rows

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

CERTAINTY = 10.0
"""Likes and no-likes that the popularity of an item counts as."""
WEIGHT = 10.0
"""Likes that one answer counts as for an item of cosine 1."""
_DAMPING = 20.0  # likes, as in priors.co_occurrence


class Thompson(ItemQuiz):
    """Draws from a Beta belief about every item and asks about the highest draw.

    Belief i starts as ``Beta(c p_i, c (1 − p_i))`` with popularity p and c = ``CERTAINTY``. A like
    of item j adds ``w s_ij`` to its first number, a no to its second, with the damped cosine s and
    w = ``WEIGHT``; "don't know" adds half as much to the second. So answers about one item change
    the beliefs about those like it, as in PEBOL (Austin et al., 2024), whose language model's
    entailment is a count of people here.
    """

    name = "thompson"
    why = "you might like it, and it is worth finding out"

    def value(self, known: Known) -> Floats:
        """The draws, in [0, 1]."""
        item_store, counts = known.item_store, known.item_store.counts
        share = np.clip(popularity(counts), 1e-4, 1 - 1e-4)
        yes, no = CERTAINTY * share, CERTAINTY * (1 - share)
        size = counts.likes + _DAMPING
        for rows, weight, belief in (
            (known.liked, WEIGHT, yes),
            (known.disliked, WEIGHT, no),
            (known.unfamiliar, WEIGHT / 2, no),
        ):
            for j in to_columns(item_store, rows):
                both = counts.together[[j]].toarray().ravel()
                belief += weight * both / np.sqrt(size[j] * size)
        return to_rows(item_store, known.rng.beta(yes, no))
