"""Diversity of a ranked list by maximal marginal relevance."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]


def diversify(
    scores: Floats,
    vectors: NDArray[Any],
    k: int,
    diversity: float,
    tiers: NDArray[np.int64] | None = None,
    shown: NDArray[Any] | None = None,
) -> list[int]:
    """Order of the first ``k`` of a ranked pool by maximal marginal relevance.

    Next comes the argmax of ``(1 − λ) · score − λ · max cosine to those chosen``, with scores
    scaled to [0, 1] over the pool (Carbonell and Goldstein, 1998).

    Args:
        scores: of the pool, descending (within a tier), shape (P,).
        vectors: unit content vectors of the pool, shape (P, dim).
        k: how many to choose.
        diversity: λ in [0, 1]; 0 keeps the order.
        tiers: of the pool, ascending, shape (P,): a tier is used up before the next; ``None``: one.
        shown: unit content vectors of items that count as chosen before, shape (S, dim).
    """
    if diversity == 0 or len(scores) <= 1:
        return list(range(min(k, len(scores))))
    spread = scores.max() - scores.min()
    relevance = (scores - scores.min()) / spread if spread > 0 else np.ones(len(scores))
    chosen: list[int] = []
    nearest = np.full(len(scores), -1.0)
    if shown is not None and len(shown):
        nearest = np.asarray((vectors @ shown.T).max(axis=1), dtype=np.float64)
    left = np.ones(len(scores), dtype=bool)
    while len(chosen) < min(k, len(scores)):
        open_now = left if tiers is None else left & (tiers == tiers[left].min())
        value = np.where(open_now, (1 - diversity) * relevance - diversity * nearest, -np.inf)
        best = int(value.argmax())
        chosen.append(best)
        left[best] = False
        nearest = np.maximum(nearest, vectors @ vectors[best])
    return chosen
