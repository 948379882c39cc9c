"""Demographic popularity: most popular within the user's attribute groups, shrunk to everyone."""

from __future__ import annotations

from coldstart.catalog.catalog import Catalog
from coldstart.evaluation.baselines.registry import Baseline
from coldstart.evaluation.baselines.scored import CountBaseline, ScoreFunction
from coldstart.evaluation.baselines.training_data import TrainingData
from coldstart.interactions.interaction_stats import Counts, demographic_lift, log_popularity


def demographic_popularity(training: TrainingData) -> CountBaseline:
    """Most liked by people of the same age band, gender and occupation, shrunk to everyone."""
    return demographic_baseline(training.catalog, training.counts)


def demographic_baseline(catalog: Catalog, counts: Counts) -> CountBaseline:
    """Demographic popularity by given counts: ``log p_i + Σ_g lift_gi``, in nats."""
    return CountBaseline(catalog, counts, _score_of)


def _score_of(counts: Counts, half_life: float | None) -> ScoreFunction:
    return lambda profile: log_popularity(counts) + demographic_lift(counts, profile)


BASELINE = Baseline(
    "demographic_popularity",
    "most liked by people of the same groups",
    demographic_popularity,
    uses=frozenset({"attributes"}),
    position=10,
    headline=10,
    label="demographic popularity",
)
