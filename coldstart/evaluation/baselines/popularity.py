"""Popularity: items by their number of likes among the training users."""

from __future__ import annotations

from coldstart.catalog.catalog import Catalog
from coldstart.evaluation.baselines.registry import Baseline
from coldstart.evaluation.baselines.scored import CountBaseline, ScoreFunction
from coldstart.evaluation.baselines.training_data import TrainingData
from coldstart.interactions.interaction_stats import Counts, log_popularity


def popularity(training: TrainingData) -> CountBaseline:
    """Most liked by the training users, the same list for every user."""
    return popularity_baseline(training.catalog, training.counts)


def popularity_baseline(catalog: Catalog, counts: Counts) -> CountBaseline:
    """Most popular by given counts: ``log p_i``, in nats."""
    return CountBaseline(catalog, counts, _score_of)


def _score_of(counts: Counts, half_life: float | None) -> ScoreFunction:
    return lambda profile: log_popularity(counts)


BASELINE = Baseline("popularity", "most liked", popularity, position=0, headline=0)
