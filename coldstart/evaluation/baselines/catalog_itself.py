"""What the catalog alone says of its items: their order in it, and their popularity column."""

from __future__ import annotations

import numpy as np

from coldstart.catalog.prior_popularity import prior_lift
from coldstart.evaluation.baselines.registry import Baseline
from coldstart.evaluation.baselines.scored import ScoredBaseline
from coldstart.evaluation.baselines.training_data import TrainingData


def catalog_order(training: TrainingData) -> ScoredBaseline:
    """The items as the catalog lists them."""
    order = -np.arange(len(training.catalog), dtype=np.float64)
    return training.ranking(lambda profile: order)


def catalog_popularity(training: TrainingData) -> ScoredBaseline:
    """The items by ``Item.popularity``; as the catalog lists them where it has none."""
    sales = [np.nan if i.popularity is None else i.popularity for i in training.catalog]
    lift = prior_lift(np.array(sales, dtype=np.float64))
    return training.ranking(lambda profile: lift)


ORDER = Baseline("catalog_order", "order of the catalog", catalog_order, position=32)
COLUMN = Baseline(
    "catalog_popularity", "popularity column of the catalog", catalog_popularity, position=34
)
