"""Random order: the lower bound of every metric."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

import numpy as np

from coldstart.evaluation.baselines.registry import Baseline
from coldstart.evaluation.baselines.scored import ScoredBaseline
from coldstart.evaluation.baselines.training_data import TrainingData
from coldstart.schema import UserProfile

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]


def random_items(training: TrainingData, *, seed: int = 0) -> ScoredBaseline:
    """Any items, in an order drawn from ``seed`` and the profile: equal profiles, equal lists."""

    def score(profile: UserProfile) -> Floats:
        person = zlib.crc32(profile.model_dump_json().encode())
        return np.random.default_rng([seed, person]).random(len(training.catalog))

    return training.ranking(score)


BASELINE = Baseline("random_items", "random order", random_items, position=30)
