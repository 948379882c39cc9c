"""Similarity of two ranked lists: overlap, rank-biased overlap, footrule; means over users."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from coldstart.errors import ConfigError, DataError
from coldstart.metrics.significance import bootstrap_interval

TOP = 10
"""Length of the list that a user is shown."""

DEPTH = 100
"""Ranks that are compared; what is not among them counts as one rank below."""

MEASURES = ("overlap", "rbo", "shift")


@dataclass(frozen=True)
class MeanInterval:
    """A mean over users, or over items.

    Args:
        value: the mean.
        low: lower end of its 95 % bootstrap interval.
        high: upper end.
        n: how many values.
    """

    value: float
    low: float
    high: float
    n: int

    def __str__(self) -> str:
        return f"{self.value:.3f} ± {(self.high - self.low) / 2:.3f}"


def mean_of(values: Mapping[str, float], seed: int = 0) -> MeanInterval:
    """Mean and percentile bootstrap interval of values by user.

    Raises:
        DataError: there is no value, or one is not finite.
    """
    low, high = bootstrap_interval(values.values(), seed)
    return MeanInterval(sum(values.values()) / len(values), low, high, len(values))


def overlap(a: Sequence[str], b: Sequence[str], k: int = TOP) -> float:
    """Share of the first ``k`` places that both lists give to the same items, in [0, 1].

    ``|a_1..k ∩ b_1..k| / max(|a_1..k|, |b_1..k|)``; 1 for two empty lists. The order counts
    nothing.
    """
    _refuse(a, b, k)
    longest = max(len(a[:k]), len(b[:k]))
    return len(set(a[:k]).intersection(b[:k])) / longest if longest else 1.0


def rank_biased_overlap(a: Sequence[str], b: Sequence[str], p: float = 0.9) -> float:
    """Rank-biased overlap, extrapolated, in [0, 1]: 1 for equal lists, 0 for disjoint ones.

    ``RBO_ext = A_D · p^D + (1 − p)/p · Σ_{d=1..D} A_d · p^d`` with the agreement
    ``A_d = |a_1..d ∩ b_1..d| / d`` and D the length of the shorter list (Webber, Moffat and Zobel,
    2010, equation 30). With p = 0.9 the first ten ranks have 86 % of the weight.

    Args:
        a: ids, best first, without repeats.
        b: ids, likewise.
        p: chance to go on to the next rank, in (0, 1).

    Returns:
        1 for two empty lists, 0 if only one is empty.

    Raises:
        ConfigError: ``p`` is not in (0, 1).
        DataError: a list names an id twice.
    """
    if not 0 < p < 1:
        raise ConfigError(f"p is {p!r}", hint="give a number between 0 and 1, such as 0.9")
    _refuse(a, b, 1)
    if not a or not b:
        return float(not a and not b)
    seen_a: set[str] = set()
    seen_b: set[str] = set()
    both, total, agreement = 0, 0.0, 0.0
    depth = min(len(a), len(b))
    for d, (x, y) in enumerate(zip(a[:depth], b[:depth], strict=True), start=1):
        both += (x == y) + (x in seen_b) + (y in seen_a)
        seen_a.add(x)
        seen_b.add(y)
        agreement = both / d
        total += agreement * p**d
    return min(1.0, agreement * p**depth + (1 - p) / p * total)


def rank_shift(a: Sequence[str], b: Sequence[str], k: int = TOP, depth: int = DEPTH) -> float:
    """Places that the first ``k`` items of ``a`` move in ``b``, mean of the absolute values, ≥ 0.

    ``1/k · Σ_{i ∈ a_1..k} |r_a(i) − r_b(i)|``, where an item that is not among the first ``depth``
    of ``b`` has rank ``depth + 1``: Spearman's footrule with location parameter ℓ = depth + 1
    (Fagin, Kumar and Sivakumar, 2003), for the items shown in ``a``. 0 for an empty ``a``.
    """
    _refuse(a, b, k)
    if depth < k:
        raise ConfigError(f"depth is {depth}", hint=f"give k = {k} or more")
    rank = {item: r for r, item in enumerate(b[:depth], start=1)}
    moved = [abs(r - rank.get(item, depth + 1)) for r, item in enumerate(a[:k], start=1)]
    return sum(moved) / len(moved) if moved else 0.0


def compare(a: Sequence[str], b: Sequence[str]) -> dict[str, float]:
    """All of ``MEASURES`` for a list and its changed version."""
    values = (overlap(a, b), rank_biased_overlap(a, b), rank_shift(a, b))
    return dict(zip(MEASURES, values, strict=True))


def _refuse(a: Sequence[str], b: Sequence[str], k: int) -> None:
    if k < 1:
        raise ConfigError(f"k is {k}", hint="give 1 or more")
    for ids in (a, b):
        if len(set(ids)) != len(ids):
            raise DataError("a list names an item twice", hint="give every id once, best first")
