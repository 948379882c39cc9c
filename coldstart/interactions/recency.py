"""Recency weights of picks: exponential decay by rank, and item-to-item counts under it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from coldstart.errors import ConfigError
from coldstart.interactions.interaction_stats import Counts, co_occurrence

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]


def pick_weights(n: int, half_life: float | None) -> Floats:
    """Weight of each of ``n`` picks, oldest first, shape (n,), in (0, 1]; the newest has 1.

    ``w_a = 2^(−a / h)`` for a pick with a newer ones after it: exponential forgetting (Ding and Li,
    2005, "Time weight collaborative filtering"), in picks instead of days.

    >>> pick_weights(3, 1.0).tolist()
    [0.25, 0.5, 1.0]

    Args:
        n: number of picks, at least 0.
        half_life: h, in picks, above 0; ``None`` weighs all alike.

    Raises:
        ConfigError: ``half_life`` is not a number above 0.
    """
    if half_life is None:
        return np.ones(n)
    if not (math.isfinite(half_life) and half_life > 0):
        raise ConfigError(
            f"half_life is {half_life!r}", hint="give a number of picks above 0, such as 5"
        )
    return np.asarray(np.exp2(-np.arange(n)[::-1] / half_life))


def window_shares(n: int, half_life: float | None) -> Floats:
    """Share of each window "the last m of n picks", m = 1 … n, shape (n,); they sum to 1.

    A mean over picks with weights w_a is a mixture of plain means over windows (Abel's summation):
    ``Σ_a w_a f_a / Σ_a w_a = Σ_m q_m · mean(f_0 … f_{m−1})`` with
    ``q_m = m · (w_{m−1} − w_m) / Σ_a w_a`` and w_n = 0. So whatever reads unweighted picks can be
    read with recency, by reading windows.

    Raises:
        ConfigError: ``half_life`` is not a number above 0.
    """
    newest_first = pick_weights(n, half_life)[::-1]
    if not n:
        return newest_first
    drops = newest_first - np.append(newest_first[1:], 0.0)
    return np.asarray(np.arange(1, n + 1) * drops / newest_first.sum())


def recent_co_occurrence(
    counts: Counts, picks: Sequence[str], half_life: float | None, *, damping: float = 20.0
) -> Floats:
    """Item-to-item closeness with weighted picks, times √n of the picks that count; shape (I,).

    As ``co_occurrence``, with weights:
    ``√n_eff · Σ_j w_j C_ij / √((n_i + d)(n_j + d))``, the sum scaled to a maximum of 1, with
    ``n_eff = (Σ w)² / Σ w²`` (Kish, 1965): n equal weights count as n picks.

    Args:
        counts: of the training users.
        picks: item ids, oldest first; those without a count are left out.
        half_life: in picks; ``None`` weighs all alike.
        damping: d, in likes.

    Raises:
        ConfigError: ``half_life`` is not a number above 0.
    """
    known = [i for i in dict.fromkeys(picks) if i in counts.column]
    weights = pick_weights(len(known), half_life)
    if not known:
        return np.zeros(len(counts.item_ids))
    effective = weights.sum() ** 2 / (weights**2).sum()
    closeness = co_occurrence(counts, known, damping=damping, weights=weights)
    return np.asarray(np.sqrt(effective) * closeness)
