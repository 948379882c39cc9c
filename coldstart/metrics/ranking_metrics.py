"""Ranking metrics of one user's list; the formula of each is in its docstring.

Lists are best first, without repeats; ``k`` is at least 1. Where nothing is relevant the value is
0.0, except where that would distort a mean over users: those functions return ``None``.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence

import numpy as np

from coldstart.errors import ConfigError, DataError

HEAD, MIDDLE, TAIL = range(3)


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


def mrr(ranked: Sequence[str], relevant: Collection[str], k: int) -> float:
    """Reciprocal rank of the first relevant item, in [0, 1]; its mean over users is the MRR.

    ``1 / min{r ≤ k: item_r relevant}``, 0 if none of the first ``k`` is (Voorhees, 1999).
    """
    wanted = set(relevant)
    return next((1 / r for r, i in enumerate(ranked[:k], start=1) if i in wanted), 0.0)


def precision(ranked: Sequence[str], relevant: Collection[str], k: int) -> float:
    """Share of the first ``k`` places that hold a relevant item, in [0, 1].

    ``|top-k ∩ relevant| / k``: the divisor is ``k`` for short lists too, and is not capped at the
    number of relevant items, as in trec_eval.
    """
    return len(set(relevant).intersection(ranked[:k])) / k if k > 0 else 0.0


def ips_ndcg(
    ranked: Sequence[str], relevant: Collection[str], k: int, weight: Mapping[str, float]
) -> float:
    """NDCG at ``k`` with inverse propensities as gains, in [0, 1].

    ``Σ_{r≤k} [item_r relevant] · w_r / log2(r + 1)``, divided by the same sum for the best possible
    list: the relevant items by falling weight (after PSnDCG of Jain, Prabhu and Varma, 2016). Likes
    of popular items, which are the likeliest to be observed, count less. Divided by an ideal of the
    same weights, this is no unbiased estimate of anything: it compares systems, no more.

    Args:
        ranked: item ids.
        relevant: item ids.
        k: number of places.
        weight: by item, positive, of all relevant items; see ``inverse_propensity``.

    Raises:
        DataError: a relevant item has no positive, finite weight.
    """
    gains = {i: weight.get(i, 0.0) for i in relevant}
    if bad := sorted(i for i, w in gains.items() if not 0 < w < math.inf):
        raise DataError(
            f"{len(bad)} relevant items, first {bad[0]!r}, have no positive, finite weight",
            hint="floor the popularity of items that nobody liked, as inverse_propensity does",
        )
    best = sorted(gains.values(), reverse=True)[:k]
    ideal = sum(w / math.log2(r + 1) for r, w in enumerate(best, start=1))
    gain = sum(gains.get(i, 0.0) / math.log2(r + 1) for r, i in enumerate(ranked[:k], start=1))
    return gain / ideal if ideal else 0.0


def inverse_propensity(likes: Mapping[str, float], power: float = 0.5) -> dict[str, float]:
    """Weight of each item for ``ips_ndcg``: 1 for the most liked, more for others.

    ``(max(n_i, 1) / max_j n_j) ** -power``, where n_i is the likes of item i (Saito et al., 2020,
    with power 0.5). Items without likes weigh as much as those liked once.

    Args:
        likes: number by item, of the whole catalog, counted on training users only.
        power: how fast propensity grows with likes, in [0, 1]; 0 weighs all items alike.
    """
    if not 0 <= power <= 1:
        raise ConfigError(f"power is {power!r}", hint="give a number from 0 to 1")
    top = max([1.0, *likes.values()])
    return {i: (max(n, 1.0) / top) ** -power for i, n in likes.items()}


def terciles(likes: Mapping[str, float]) -> dict[str, int]:
    """Cut a catalog by popularity so that each part holds a third of the likes, not of the items.

    Items are ordered by falling likes, those with equal likes by id; an item is in the third in
    which its likes begin: ``⌊3 · likes before it / all likes⌋``. So the head is the fewest items
    that hold a third of the likes: the short head of Cremonesi, Koren and Turrin (2010).

    Args:
        likes: number by item, counted on training users only.

    Returns:
        ``HEAD`` (0), ``MIDDLE`` (1) or ``TAIL`` (2) by item; items without likes are in the tail.

    Raises:
        DataError: a number is negative or not finite, or all are 0.
    """
    if not all(0 <= n < math.inf for n in likes.values()) or not any(likes.values()):
        raise DataError("these likes cannot be cut in three", hint="give counts, not all 0")
    total, before, out = math.fsum(likes.values()), 0.0, {}
    for item in sorted(likes, key=lambda i: (-likes[i], i)):
        out[item] = min(TAIL, int(3 * before / total)) if likes[item] else TAIL
        before += likes[item]
    return out


def stratum_ndcg(
    ranked: Sequence[str],
    relevant: Collection[str],
    k: int,
    strata: Mapping[str, int],
    stratum: int,
) -> float | None:
    """NDCG at ``k`` where only items of one part of the catalog are relevant, in [0, 1].

    The list stays whole: a place given to another part is lost to this one. The parts do not add
    up to the NDCG.

    Args:
        ranked: item ids.
        relevant: item ids.
        k: number of places.
        strata: part by item, from ``terciles``; an item that it lacks is in the tail.
        stratum: the relevant part.

    Returns:
        ``None`` if the user has no relevant item there: such users belong in no mean.
    """
    wanted = {i for i in relevant if strata.get(i, TAIL) == stratum}
    return ndcg(ranked, wanted, k) if wanted else None


def gauc(scores_liked: Sequence[float], scores_disliked: Sequence[float]) -> float | None:
    """Share of a user's (liked, disliked) pairs that are ordered right, in [0, 1]; chance is ½.

    ``Σ_{i liked, j disliked} ([s_i > s_j] + ½ [s_i = s_j]) / (|liked| · |disliked|)``, the AUC
    within one user. Its mean over users, each weighted by the number of impressions, is GAUC:
    ``Σ_u n_u · AUC_u / Σ_u n_u`` (Zhu et al., 2017; Zhou et al., 2018, "Deep interest network for
    click-through rate prediction", section 6.2); weights are the caller's. For comparability only:
    it orders what users chose to rate, not the catalog.

    Args:
        scores_liked: of items the user liked.
        scores_disliked: of items the user disliked.

    Returns:
        ``None`` if either is empty: such users belong in no mean.

    Raises:
        DataError: a score is not a number.
    """
    liked, disliked = np.asarray(scores_liked, float), np.sort(np.asarray(scores_disliked, float))
    if np.isnan(liked).any() or np.isnan(disliked).any():
        raise DataError("a score is not a number", hint="does the system score all items?")
    if not liked.size or not disliked.size:
        return None
    below = np.searchsorted(disliked, liked, "left")
    level = np.searchsorted(disliked, liked, "right") - below
    return float((below + level / 2).mean() / disliked.size)
