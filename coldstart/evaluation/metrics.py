"""Ranking metrics of one user's list; the formula of each is in its docstring."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence


def ndcg(ranked: Sequence[str], relevant: Collection[str], k: int) -> float:
    """Normalised discounted cumulative gain at ``k`` with binary gains, in [0, 1].

    ``Σ_{r≤k} [item_r relevant] / log2(r + 1)``, divided by the same sum for the best possible
    list, which has min(k, number of relevant items) hits in front (Järvelin and Kekäläinen, 2002).
    """
    wanted = set(relevant)
    gain = sum(1 / math.log2(r + 1) for r, i in enumerate(ranked[:k], start=1) if i in wanted)
    ideal = sum(1 / math.log2(r + 1) for r in range(1, min(k, len(wanted)) + 1))
    return gain / ideal if ideal else 0.0


def recall(ranked: Sequence[str], relevant: Collection[str], k: int) -> float:
    """Share of the relevant items that are among the first ``k``, in [0, 1].

    ``|top-k ∩ relevant| / |relevant|``: the divisor is not capped at ``k``.
    """
    wanted = set(relevant)
    return len(wanted.intersection(ranked[:k])) / len(wanted) if wanted else 0.0


def hit_rate(ranked: Sequence[str], relevant: Collection[str], k: int) -> float:
    """1 if any of the first ``k`` is relevant, else 0."""
    return float(bool(set(relevant).intersection(ranked[:k])))
