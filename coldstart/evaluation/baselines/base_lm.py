"""The artifact's base model before fine-tuning."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from coldstart.evaluation.baselines.registry import Baseline
from coldstart.evaluation.baselines.scored import ScoredBaseline
from coldstart.evaluation.recommender_adapter import CachedSignals, language_model_only
from coldstart.recommender import Recommender

if TYPE_CHECKING:
    from coldstart.evaluation.recommender_adapter import LoadedArtifact


def base_lm(artifact: LoadedArtifact) -> ScoredBaseline:
    """Log-probability of every title under the untuned model, given the artifact's prompt.

    The score is that of ``model_catalog``, renormalised over the catalog's trie, without a
    popularity prior.
    """
    tuned = artifact.recommender
    untuned = Recommender(
        tuned.catalog,
        artifact.base,
        tuned.template,
        tuned.counts,
        tuned.encoder,
        tuned.ranker,
        replace(tuned.settings, use_prior=False),
    )
    return language_model_only(CachedSignals(untuned), "logprobs")


BASELINE = Baseline(
    "base_lm",
    "the artifact's language model before tuning, log-probability of every title",
    base_lm,
    input="artifact",
    position=960,
)
