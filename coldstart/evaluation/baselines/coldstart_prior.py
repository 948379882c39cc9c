"""Coldstart without the language model: interaction counts and boosted trees."""

from __future__ import annotations

from coldstart import prompts
from coldstart.artifacts.loading import make_encoder
from coldstart.data.dataset import Dataset
from coldstart.evaluation.baselines.registry import Baseline
from coldstart.evaluation.baselines.training_data import TrainingData
from coldstart.evaluation.recommender_adapter import PriorSystem
from coldstart.recommender import Recommender
from coldstart.runtime import models
from coldstart.splitting.user_splits import Split
from coldstart.training.crossfit import learn_classical
from coldstart.training.out_of_fold import OutOfFold


def coldstart_prior(
    training: TrainingData, split: Split, data: Dataset, *, seed: int = 0
) -> PriorSystem:
    """The part of ``coldstart train`` that precedes the language model.

    Counts, and with 100 training users or more the tree correction, cross-fitted on out-of-fold
    counts; the weights are those that the trees correct.
    """
    encoder = training.encoder or make_encoder(models.DEFAULT_ENCODER)
    out_of_fold = OutOfFold(data, split.train, encoder, seed=seed)
    ranker = learn_classical(data, split.train, out_of_fold, seed=seed)
    counts, template = out_of_fold.everyone.counts, prompts.load(prompts.DEFAULT)
    scorers = out_of_fold.scorers_of()
    return PriorSystem(
        Recommender(training.catalog, None, template, counts, encoder, ranker, scorers=scorers)
    )


BASELINE = Baseline(
    "coldstart_prior",
    "coldstart without the language model: counts and trees",
    coldstart_prior,
    uses=frozenset({"picks", "attributes", "text"}),
    input="fold",
    requires="lightgbm",
    ours=True,
    position=930,
)
