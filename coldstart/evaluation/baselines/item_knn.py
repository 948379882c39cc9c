"""Item-kNN: items liked by the same users, damped cosine."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from coldstart.errors import ConfigError
from coldstart.evaluation.baselines.registry import Baseline
from coldstart.evaluation.baselines.scored import TIE, ScoredBaseline
from coldstart.evaluation.baselines.training_data import TrainingData, by_picks
from coldstart.interactions.interaction_stats import popularity

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]


def item_knn(
    training: TrainingData, *, damping: float = 500.0, neighbours: int = 50
) -> ScoredBaseline:
    """Item-to-item cosine alone: ``Σ_j∈picks C_ij / √((n_i + d)(n_j + d))``.

    C_ij people like both, n_i like i, d = ``damping`` (Deshpande and Karypis, "Item-Based Top-N
    Recommendation Algorithms", ACM TOIS 2004). Each pick j speaks for its nearest items
    only; the rest, at zero, follow by popularity. At k=0 it is demographic popularity.

    Args:
        training: the training users.
        damping: likes added to every item's count, ≥ 0.
        neighbours: items that each pick speaks for, ≥ 1.
    """
    if neighbours < 1:
        raise ConfigError(f"neighbours is {neighbours}, expected at least 1")
    size = np.asarray(training.matrix.sum(axis=0)).ravel() + damping
    everyone = TIE * popularity(training.counts)

    def score(picks: list[int]) -> Floats:
        out = everyone.copy()
        for j in picks:
            both = np.asarray((training.matrix.T @ training.matrix[:, [j]]).todense()).ravel()
            both[j] = 0.0
            near = both / np.maximum(np.sqrt(size[j] * size), TIE)
            kept = np.argsort(-near, kind="stable")[:neighbours]
            out[kept] += near[kept]
        return out

    return by_picks(training, score)


BASELINE = Baseline(
    "item_knn",
    "item-kNN (damped cosine) alone; demographic popularity without picks",
    item_knn,
    uses=frozenset({"picks", "attributes"}),
    grid={"damping": (20.0, 50.0, 100.0, 200.0, 500.0), "neighbours": (20, 50, 200, 2000)},
    position=60,
)
