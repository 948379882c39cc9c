"""What is liked *after* the picks: item-to-item counts that know which like came first.

On MovieLens-100K people like what the site shows them first, then go on to other shelves. Plain
co-occurrence, EASE and ALS forget the order and suggest more of the first shelf.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from coldstart.errors import ConfigError
from coldstart.evaluation.baselines import ScoredBaseline
from coldstart.evaluation.rivals.data import TrainingData, demographic_popularity
from coldstart.priors import demographic_lift
from coldstart.schema import UserProfile

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

FLOOR = 1e-4
"""Share of people; keeps the log of what nobody liked finite."""


def later_counts(training: TrainingData, first: int) -> tuple[Floats, Floats]:
    """Who liked what after which early like.

    Returns:
        A, shape (I, I): ``A[j, i]`` users have item j among their first ``first`` likes and liked
        item i after it; and n, shape (I,): users who have item j among them.
    """
    size = len(training.catalog)
    after, early = np.zeros((size, size)), np.zeros(size)
    for user in training.users:
        own = training.columns(training.likes.get(user, ()))
        for at, j in enumerate(own[:first]):
            after[j, own[at + 1 :]] += 1
            early[j] += 1
    return after, early


def later_lift(
    training: TrainingData, *, first: int = 10, shrink: float = 20.0, weight: float = 1.0
) -> ScoredBaseline:
    """Popularity after an early like, demographics, and the lift of every pick.

    ``log b_i + Σ_g lift_gi + w √k · mean_j log((A_ji + β b_i) / (n_j + β) b_i)`` over the k picks
    j: A and n from ``later_counts``, b_i = Σ_j A_ji / Σ_j n_j, β = ``shrink``; naive Bayes, its
    evidence growing with √k. At k=0 it is demographic popularity.

    Args:
        training: the training users; their likes must be in order, oldest first.
        first: how many of a training user's first likes stand for picks, ≥ 1.
        shrink: users added to every item's n_j, > 0.
        weight: w.
    """
    if first < 1 or not shrink > 0:
        raise ConfigError(f"first is {first} and shrink {shrink}, expected at least 1 and above 0")
    after, early = later_counts(training, first)
    base = after.sum(axis=0) / max(early.sum(), 1.0)
    given = np.log((after + shrink * base) / (early[:, None] + shrink) + FLOOR)
    lift = given - np.log(base + FLOOR)

    def score(profile: UserProfile) -> Floats:
        picks = training.picks(profile)
        if not picks:
            return demographic_popularity(training, profile)
        people = np.log(base + FLOOR) + demographic_lift(training.counts, profile)
        return np.asarray(people + weight * np.sqrt(len(picks)) * lift[picks].mean(axis=0))

    return training.ranking(score)
