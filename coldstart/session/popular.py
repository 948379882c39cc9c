"""Quizzes that do not listen: famous and divisive items first, or any."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from coldstart.catalog.item_store import ItemStore
from coldstart.interactions.interaction_stats import Counts, popularity
from coldstart.session.quiz import ItemQuiz, Known, Tables, to_rows

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

_CIRCLE = 20  # items whose audience is taken for those who know an item
_DAMPING = 20.0  # likes, as in priors.co_occurrence


class PopularityEntropy(ItemQuiz):
    """Items that many like and on which those who know them are divided.

    ``p_i · H(q_i)``: the share p of people who like item i, times the entropy (bits) of liking it
    among those who know it (Rashid et al., "Getting to Know You", IUI 2002, multiply the same two
    for star ratings). Counts hold likes only, so that who knows an item has to be estimated: those
    who like one of its closest 20 items by damped cosine, and q is the share of them who like it.
    """

    name = "popularity_entropy"
    why = "many people know it, and they do not agree"

    def value(self, known: Known) -> Floats:
        """See the class."""
        return _TABLES.of(known.item_store)


class Random(ItemQuiz):
    """Any item: the control."""

    name = "random"
    why = "drawn at random"

    def value(self, known: Known) -> Floats:
        """Uniform in [0, 1); items nobody met among them."""
        return known.rng.random(len(known.item_store.ids))


def liked_by_those_who_know(counts: Counts) -> Floats:
    """Estimated share that likes each item among those who know it, shape (I,), in [0, 1].

    ``Σ_j s_ij C_ij / Σ_j s_ij n_j`` over the 20 items j of the highest damped cosine s.
    """
    together = counts.together.tocsr()
    size = counts.likes + _DAMPING
    out = np.zeros(len(counts.item_ids))
    for i in range(len(out)):
        span = slice(together.indptr[i], together.indptr[i + 1])
        others, both = together.indices[span], together.data[span]
        near = both / np.sqrt(size[i] * size[others])
        circle = np.argsort(-near, kind="stable")[:_CIRCLE]
        audience = float(near[circle] @ counts.likes[others[circle]])
        out[i] = near[circle] @ both[circle] / audience if audience > 0 else 0.0
    return out


def entropy(p: Floats) -> Floats:
    """Entropy of a yes that has probability p, bits."""
    q = np.clip(p, 1e-12, 1 - 1e-12)
    return np.asarray(-q * np.log2(q) - (1 - q) * np.log2(1 - q))


def _divided(item_store: ItemStore) -> Floats:
    counts = item_store.counts
    values = popularity(counts) * entropy(liked_by_those_who_know(counts))
    return to_rows(item_store, values)


_TABLES = Tables(_divided)
