"""Item-kNN plus demographic popularity, the strongest baseline of counts alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from coldstart.catalog.catalog import Catalog
from coldstart.evaluation.baselines.registry import Baseline
from coldstart.evaluation.baselines.scored import CountBaseline, ScoreFunction
from coldstart.evaluation.baselines.training_data import TrainingData
from coldstart.interactions.interaction_stats import (
    Counts,
    co_occurrence,
    demographic_lift,
    log_popularity,
)
from coldstart.interactions.recency import recent_co_occurrence
from coldstart.schema import UserProfile

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]


def item_knn_prior(
    training: TrainingData, *, root: bool = True, weight: float = 2.0
) -> CountBaseline:
    """Demographic popularity plus item-kNN on the picks; see ``item_knn_baseline``."""
    return item_knn_baseline(training.catalog, training.counts, weight=weight, root=root)


def item_knn_baseline(
    catalog: Catalog, counts: Counts, *, weight: float = 1.0, root: bool = False
) -> CountBaseline:
    """Item-kNN plus demographic popularity by given counts: ``log p + Σ_g lift_g + w · knn``.

    With a half-life the picks are weighted by recency (``recent_co_occurrence``).

    Args:
        catalog: titles for the output.
        counts: of the training users.
        weight: w, nats given to the item closest to the picks.
        root: multiply the weight by √k, which validates better than a constant.
    """

    def score_of(counts: Counts, half_life: float | None) -> ScoreFunction:
        def score(profile: UserProfile) -> Floats:
            picks = [p.item for p in profile.liked]
            base = log_popularity(counts) + demographic_lift(counts, profile)
            if half_life is None:
                scale = weight * (np.sqrt(len(picks)) if root else 1.0)
                return np.asarray(base + scale * co_occurrence(counts, picks))
            near = recent_co_occurrence(counts, picks, half_life)
            if not root and near.max() > 0:
                near = near / near.max()
            return np.asarray(base + weight * near)

        return score

    return CountBaseline(catalog, counts, score_of, decays=True)


def _describe(setting: Mapping[str, Any]) -> str:
    return f"weight {setting['weight']:g}{' · √k' if setting['root'] else ''}"


BASELINE = Baseline(
    "item_knn_prior",
    "item-kNN + demographic popularity, its weight tuned on the fold's validation users",
    item_knn_prior,
    uses=frozenset({"picks", "attributes"}),
    grid={"root": (False, True), "weight": (0.5, 1.0, 1.5, 2.0, 3.0)},
    tuning="always",
    position=20,
    headline=20,
    label="item-kNN + demographic prior",
    describe=_describe,
)
