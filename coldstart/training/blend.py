"""Fit linear weights of additional features by coordinate ascent on NDCG of cold users.

Coordinate ascent (Metzler and Croft, "Linear feature-based models for information retrieval", 2007)
needs no gradient and optimises the ranking metric directly; bagging over users regularises it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from coldstart.ranking.ranker import FULL_PICKS
from coldstart.scoring.registry import SIGNALS

Floats = NDArray[np.float64]

_CUTS = (5, 10, 20, 40)
_STEPS = (0.5, 0.25, 0.125)
_DIRECTIONS = np.array([[1, 1], [1, 0], [0, 1], [1, -1], [-1, -1], [-1, 0], [0, -1], [-1, 1]])
"""Search directions of (weight without picks, weight with 10 picks)."""
_GAIN = 3e-4  # minimum improvement of mean NDCG


@dataclass(frozen=True)
class Case:
    """One simulated cold request with its features and targets.

    Args:
        user: user id; the cases of a user are sampled together.
        features: shape (N, len(SIGNALS)).
        targets: rows of the relevant items: the user's later likes.
        excluded: rows excluded from the ranking (the picks).
        n_picks: number of picks.
    """

    user: str
    features: NDArray[np.float32]
    targets: NDArray[np.int64]
    excluded: NDArray[np.int64]
    n_picks: int


class NDCGEvaluator:
    """Vectorised NDCG of cases over one catalog as a function of the feature weights.

    Args:
        cases: at least one; cases without targets are ignored.
        base: scores of all items without the features to be weighted, shape (N,) per case.
        names: the M features to be weighted.
    """

    def __init__(self, cases: Sequence[Case], base: Sequence[Floats], names: Sequence[str]) -> None:
        useful = [n for n, c in enumerate(cases) if len(c.targets)]
        self.cases = [cases[n] for n in useful]
        self._base = np.stack([base[n] for n in useful])
        columns = [SIGNALS.index(name) for name in names]
        self._features = np.stack([c.features[:, columns] for c in self.cases]).astype(np.float64)
        shape = self._base.shape
        self._wanted, self._shown = np.zeros(shape, dtype=bool), np.ones(shape, dtype=bool)
        for row, case in enumerate(self.cases):
            self._wanted[row, case.targets] = True
            self._shown[row, case.excluded] = False
        self._far = np.array([min(c.n_picks, FULL_PICKS) / FULL_PICKS for c in self.cases])
        self._discount = 1 / np.log2(np.arange(2, max(_CUTS) + 2))
        best = np.concatenate([[0.0], np.cumsum(self._discount)])
        sizes = self._wanted.sum(axis=1)
        self._ideal = {k: best[np.minimum(k, sizes)] for k in _CUTS}
        users: dict[str, list[int]] = {}
        for row, case in enumerate(self.cases):
            users.setdefault(case.user, []).append(row)
        self.rows_of = {u: np.array(rows) for u, rows in users.items()}

    def ndcg(self, weights: Floats, rows: NDArray[np.int64], cuts: Sequence[int] = _CUTS) -> Floats:
        """NDCG of cases, averaged over cut-offs, shape (len(rows),).

        Args:
            weights: shape (M, 2): without picks, and with 10 picks.
            rows: positions of the cases.
            cuts: cut-offs.
        """
        far = self._far[rows, None]
        at = (1 - far) * weights[:, 0] + far * weights[:, 1]
        scores = self._base[rows] + np.einsum("nim,nm->ni", self._features[rows], at)
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


def fit_weights(
    cases: Sequence[Case],
    base: Sequence[Floats],
    names: Sequence[str],
    *,
    bags: int = 8,
    seed: int = 0,
) -> dict[str, tuple[float, float]]:
    """Fit non-negative weights of features on top of fixed base scores.

    Starts from zero; a step is taken only if it improves mean NDCG by ``_GAIN``.

    Args:
        cases: of held-out users, all over the same catalog.
        base: scores of all items without those features, shape (N,) per case.
        names: the features.
        bags: number of bootstrap samples of the users, over which the weights are averaged.
        seed: of the samples.

    Returns:
        (weight without picks, change by 10 picks) of each of ``names``; the defaults if no case
        has targets.
    """
    if not any(len(c.targets) for c in cases):
        return {n: SIGNALS[n].weight for n in names}
    if not names:
        return {}
    evaluator = NDCGEvaluator(cases, base, names)
    users, rng = sorted(evaluator.rows_of), np.random.default_rng(seed)
    found = []
    for _ in range(bags):
        drawn = rng.integers(0, len(users), size=len(users))
        rows = np.concatenate([evaluator.rows_of[users[n]] for n in drawn])
        found.append(_ascend(evaluator, rows, [SIGNALS[n].weight[0] for n in names]))
    ends = np.mean(found, axis=0).tolist()
    return {name: (near, far - near) for name, (near, far) in zip(names, ends, strict=True)}


def _ascend(evaluator: NDCGEvaluator, rows: NDArray[np.int64], scales: Sequence[float]) -> Floats:
    weights = np.zeros((len(scales), 2))
    best = float(evaluator.ndcg(weights, rows).mean())
    for share in _STEPS:
        for feature, scale in enumerate(scales):
            for direction in _DIRECTIONS:
                while True:
                    tried = weights.copy()
                    tried[feature] += share * scale * direction
                    if tried.min() < 0:
                        break
                    value = float(evaluator.ndcg(tried, rows).mean())
                    if value <= best + _GAIN:
                        break
                    weights, best = tried, value
    return weights
