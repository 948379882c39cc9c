"""Order-aware item-to-item counts: what is liked *after* the picks.

On MovieLens-100K people like what the site shows them first, then go on to other shelves. Plain
co-occurrence, EASE and ALS forget the order and suggest more of the first shelf.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from coldstart.errors import ConfigError
from coldstart.evaluation.baselines.registry import Baseline
from coldstart.evaluation.baselines.scored import ScoredBaseline
from coldstart.evaluation.baselines.training_data import TrainingData, demographic_popularity
from coldstart.interactions import interaction_stats as priors
from coldstart.interactions.interaction_stats import FLOOR, demographic_lift
from coldstart.schema import UserProfile

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]


def later_lift(
    training: TrainingData, *, first: int = 10, shrink: float = 20.0, weight: float = 1.0
) -> ScoredBaseline:
    """Popularity after an early like, demographics, and the lift of every pick.

    ``log b_i + Σ_g lift_gi + w √k · mean_j lift_ji`` over the k picks j, with b = ``later_share``
    and the lifts of ``interaction_stats.later_lift``; naive Bayes, its evidence growing with √k. At
    k=0 it is demographic popularity.

    Args:
        training: the training users, their likes oldest first; if their order says nothing, this
            is demographic popularity.
        first: how many of a training user's first likes stand for picks, ≥ 1.
        shrink: pseudo-count added to the early likes of a pick, > 0.
        weight: w.
    """
    if first < 1 or not shrink > 0:
        raise ConfigError(f"first is {first} and shrink {shrink}, expected at least 1 and above 0")
    counts = training.counted(first)
    base = np.log(counts.later_share + FLOOR)

    def score(profile: UserProfile) -> Floats:
        picks = [p.item for p in profile.liked if p.item in counts.column]
        if not picks:
            return demographic_popularity(training, profile)
        people = base + demographic_lift(counts, profile)
        lift = priors.later_lift(counts, picks, shrink=shrink)
        return np.asarray(people + weight * np.sqrt(len(set(picks))) * lift)

    return training.ranking(score)


BASELINE = Baseline(
    "later_lift",
    "what is liked after the picks (order-aware counts) + demographic lift",
    later_lift,
    uses=frozenset({"picks", "attributes"}),
    grid={"first": (5, 10, 20), "shrink": (20.0, 50.0, 100.0), "weight": (0.5, 1.0, 1.5)},
    position=120,
    headline=50,
    label="likes after the picks + demographic prior",
)
