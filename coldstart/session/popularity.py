"""Non-adaptive quizzes: popularity times entropy, and a random control."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from coldstart.catalog.item_store import ItemStore
from coldstart.interactions.interaction_stats import Counts, popularity
from coldstart.session.item_store_cache import ItemStoreCache
from coldstart.session.quiz import ItemQuiz, QuizState, to_rows

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

_CIRCLE = 20  # nearest items, by which familiarity with an item is estimated
_DAMPING = 20.0  # likes, as in interaction_stats.co_occurrence


class PopularityEntropy(ItemQuiz):
    """Popularity times entropy: popular items on which users are divided.

    ``p_i · H(q_i)``: the popularity p of item i, times the entropy (bits) of its like rate q among
    users familiar with it (Rashid et al., "Getting to Know You", IUI 2002, multiply the same two
    for star ratings). Counts hold likes only, so familiarity is estimated: see
    ``conditional_like_rate``.
    """

    name = "popularity_entropy"
    why = "many people know it, and they do not agree"

    def value(self, state: QuizState) -> Floats:
        """Return the static values."""
        return _TABLES.of(state.item_store)


class Random(ItemQuiz):
    """Uniformly random items: the control."""

    name = "random"
    why = "drawn at random"

    def value(self, state: QuizState) -> Floats:
        """Draw values uniformly from [0, 1), also for cold items."""
        return state.rng.random(len(state.item_store.ids))


def conditional_like_rate(counts: Counts) -> Floats:
    """Estimate each item's like rate among users familiar with it, shape (I,), in [0, 1].

    Familiar are, by assumption, the users with a like among the item's 20 nearest items j by
    damped cosine s: ``Σ_j s_ij C_ij / Σ_j s_ij n_j``.
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
    """Binary entropy of probability p, bits."""
    q = np.clip(p, 1e-12, 1 - 1e-12)
    return np.asarray(-q * np.log2(q) - (1 - q) * np.log2(1 - q))


def _divided(item_store: ItemStore) -> Floats:
    counts = item_store.counts
    values = popularity(counts) * entropy(conditional_like_rate(counts))
    return to_rows(item_store, values)


_TABLES = ItemStoreCache(_divided)
