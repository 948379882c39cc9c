"""Learning the weights of the blend by what they are for: NDCG of cold users' lists.

Coordinate ascent (Metzler and Croft, "Linear feature-based models for information retrieval", 2007)
needs no gradient and optimises the ranking metric itself; averaging over bootstrap samples of the
users keeps it from fitting the few at hand.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from coldstart.features import FEATURES
from coldstart.ranking import DEFAULT_WEIGHTS, FULL_SHOTS

Floats = NDArray[np.float64]

_CUTS = (5, 10, 20, 40)
_STEPS = (0.5, 0.25, 0.125)
_GAIN = 3e-4  # of mean NDCG; a smaller one is not worth leaving the default for
_SMALLEST = 0.2  # a step is a share of the default weight, but of no less than this


@dataclass(frozen=True)
class Case:
    """One cold user to learn the blend from.

    Args:
        user: who it is; a user's cases are drawn together.
        features: shape (N, len(FEATURES)).
        targets: rows of the items the user went on to like.
        excluded: rows that may not be shown (the picks).
        shots: number of picks.
    """

    user: str
    features: NDArray[np.float32]
    targets: NDArray[np.int64]
    excluded: NDArray[np.int64]
    shots: int


class Bench:
    """Cases over one catalog, stacked, so that many weights can be tried quickly.

    Args:
        cases: at least one; those without targets are left out.
    """

    def __init__(self, cases: Sequence[Case]) -> None:
        self.cases = [c for c in cases if len(c.targets)]
        self._features = np.stack([c.features for c in self.cases]).astype(np.float32)
        shape = self._features.shape[:2]
        self._wanted, self._shown = np.zeros(shape, dtype=bool), np.ones(shape, dtype=bool)
        for row, case in enumerate(self.cases):
            self._wanted[row, case.targets] = True
            self._shown[row, case.excluded] = False
        self._far = np.array([min(c.shots, FULL_SHOTS) / FULL_SHOTS for c in self.cases])
        self._discount = 1 / np.log2(np.arange(2, max(_CUTS) + 2))
        best = np.concatenate([[0.0], np.cumsum(self._discount)])
        sizes = self._wanted.sum(axis=1)
        self._ideal = {k: best[np.minimum(k, sizes)] for k in _CUTS}
        users: dict[str, list[int]] = {}
        for row, case in enumerate(self.cases):
            users.setdefault(case.user, []).append(row)
        self.rows_of = {u: np.array(rows) for u, rows in users.items()}

    def ndcg(self, weights: Floats, rows: NDArray[np.int64], cuts: Sequence[int] = _CUTS) -> Floats:
        """NDCG of some cases, averaged over cut-offs, shape (len(rows),).

        Args:
            weights: shape (len(FEATURES), 2): without picks, and the change by 10 picks.
            rows: which cases.
            cuts: cut-offs.
        """
        at = weights[:, 0] + self._far[rows, None] * weights[:, 1]
        scores = np.einsum("nif,nf->ni", self._features[rows], at.astype(np.float32))
        scores = np.where(self._shown[rows], scores, -np.inf)
        depth = min(max(cuts), scores.shape[1])
        top = np.argpartition(-scores, depth - 1, axis=1)[:, :depth]
        top.sort(axis=1)  # then ties stay in row order, as the recommender breaks them
        best = np.take_along_axis(scores, top, axis=1)
        top = np.take_along_axis(top, np.argsort(-best, axis=1, kind="stable"), axis=1)
        hits = np.take_along_axis(self._wanted[rows], top, axis=1)
        gains = np.cumsum(hits * self._discount[:depth], axis=1)
        values = [gains[:, min(k, depth) - 1] / self._ideal[k][rows] for k in cuts]
        return np.asarray(np.mean(values, axis=0))


def as_array(weights: Mapping[str, tuple[float, float]]) -> Floats:
    """Weights by name as shape (len(FEATURES), 2)."""
    return np.array([weights.get(f, (0.0, 0.0)) for f in FEATURES])


def fit_weights(
    cases: Sequence[Case],
    names: Sequence[str],
    *,
    fixed: Mapping[str, tuple[float, float]] | None = None,
    bags: int = 8,
    seed: int = 0,
) -> dict[str, tuple[float, float]]:
    """Learn the weights of some features; the scale is fixed by popularity's weight without picks.

    Args:
        cases: of users none of the other parts was trained on, all over the same catalog.
        names: features to learn the weight of.
        fixed: weights of further features, which stay as they are; all others are zero.
        bags: bootstrap samples of the users whose weights are averaged.
        seed: of the samples.

    Returns:
        (weight without picks, change by 10 picks) of each name, learned or fixed; the defaults if
        there is nothing to learn from.
    """
    default = {n: DEFAULT_WEIGHTS[n] for n in names} | dict(fixed or {})
    if not any(len(c.targets) for c in cases):
        return default
    start = as_array(default)
    bench = Bench(cases)
    users, rng = sorted(bench.rows_of), np.random.default_rng(seed)
    found = []
    for _ in range(bags):
        drawn = rng.integers(0, len(users), size=len(users))
        rows = np.concatenate([bench.rows_of[users[n]] for n in drawn])
        found.append(_ascend(bench, rows, start, names))
    mean = np.mean(found, axis=0)
    return {n: (float(a), float(b)) for n in default for a, b in [mean[FEATURES.index(n)]]}


def _ascend(bench: Bench, rows: NDArray[np.int64], start: Floats, names: Sequence[str]) -> Floats:
    weights, best = start.copy(), float(bench.ndcg(start, rows).mean())
    for share in _STEPS:
        for name in names:
            step = share * max(abs(DEFAULT_WEIGHTS[name][0]), _SMALLEST)
            for column in (1,) if name == "popularity" else (0, 1):
                for direction in (step, -step):
                    while True:
                        tried = weights.copy()
                        tried[FEATURES.index(name), column] += direction
                        value = float(bench.ndcg(tried, rows).mean())
                        if value <= best + _GAIN:
                            break
                        weights, best = tried, value
    return weights
