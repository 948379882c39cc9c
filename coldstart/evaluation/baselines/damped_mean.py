"""Damped mean rating: quality without reach."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from coldstart.evaluation.baselines.registry import Baseline
from coldstart.evaluation.baselines.scored import ScoredBaseline
from coldstart.evaluation.baselines.training_data import TrainingData

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]


def damped_mean(training: TrainingData, *, damping: float = 500.0) -> ScoredBaseline:
    """Damped mean of ratings, or of likes and dislikes: ``(Σ_u r_ui + d·μ) / (n_i + d)``.

    r is the rating if ratings are given, else 1 for a like and 0 for a dislike; n_i is the
    number of ratings of item i, μ the mean of all ratings and d = ``damping``. It measures quality
    but not reach, so it predicts interactions less well than popularity. The profile is ignored,
    except that picks are not recommended. Unrated items score μ.

    Args:
        training: the training users.
        damping: judgements of mean value added to every item, ≥ 0; very many of them rank by
            ``Σ_u (r_ui − μ)``, which is popularity again.
    """
    total, number = _judgements(training)
    mean = total.sum() / max(number.sum(), 1.0)
    scores = (total + damping * mean) / np.maximum(number + damping, 1e-9)
    return training.ranking(lambda profile: scores)


def _judgements(training: TrainingData) -> tuple[Floats, Floats]:
    """Sum and number of each item's judgements, shape (I,) each."""
    size = len(training.catalog)
    total, number = np.zeros(size), np.zeros(size)
    if training.ratings:
        for user in training.users:
            for item, value in training.ratings.get(user, {}).items():
                for column in training.columns([item]):
                    total[column] += value
                    number[column] += 1
        return total, number
    total = np.asarray(training.matrix.sum(axis=0)).ravel()
    return total, total + np.asarray(training.as_matrix(training.dislikes).sum(axis=0)).ravel()


BASELINE = Baseline(
    "damped_mean",
    "damped mean of likes against dislikes",
    damped_mean,
    grid={"damping": (10.0, 50.0, 200.0, 500.0)},
    position=40,
)
