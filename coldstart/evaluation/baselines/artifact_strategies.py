"""A trained artifact under each of its strategies, and its language model without the ranker."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from coldstart.evaluation.baselines.registry import Baseline
from coldstart.evaluation.recommender_adapter import StrategySystem, language_model_only
from coldstart.protocols import Recommends

if TYPE_CHECKING:
    from coldstart.evaluation.recommender_adapter import LoadedArtifact

_OURS: dict[str, Any] = {"input": "artifact", "ours": True}


def coldstart_catalog(artifact: LoadedArtifact) -> Recommends:
    """Titles scored by constrained decoding over the catalog."""
    return StrategySystem(artifact.signals, "catalog")


def coldstart_free(artifact: LoadedArtifact) -> Recommends:
    """Titles generated freely and grounded."""
    return StrategySystem(artifact.signals, "free")


def coldstart_both(artifact: LoadedArtifact) -> Recommends:
    """Both signals."""
    return StrategySystem(artifact.signals, "both")


def coldstart_prior(artifact: LoadedArtifact) -> Recommends:
    """The artifact's ranker without language-model signals."""
    return StrategySystem(artifact.signals, "prior")


def model_catalog(artifact: LoadedArtifact) -> Recommends:
    """Log-probability of every title, no ranker."""
    return language_model_only(artifact.signals, "logprobs")


def model_free(artifact: LoadedArtifact) -> Recommends:
    """Similarity to the generated titles, no ranker."""
    return language_model_only(artifact.signals, "written")


CATALOG = Baseline(
    "coldstart_catalog",
    "the artifact, titles judged",
    coldstart_catalog,
    position=900,
    headline=140,
    label="**coldstart, catalog**",
    **_OURS,
)
FREE = Baseline(
    "coldstart_free",
    "the artifact, titles written freely",
    coldstart_free,
    position=910,
    headline=130,
    label="**coldstart, free**",
    **_OURS,
)
BOTH = Baseline(
    "coldstart_both",
    "the artifact, titles judged and written",
    coldstart_both,
    position=920,
    headline=150,
    label="**coldstart, both**",
    **_OURS,
)
PRIOR = Baseline(
    "coldstart_prior",
    "the artifact without its language model",
    coldstart_prior,
    position=930,
    headline=120,
    label="blend without the language model",
    **_OURS,
)
MODEL_CATALOG = Baseline(
    "model_catalog",
    "the artifact's language model alone, log-probability of every title",
    model_catalog,
    position=940,
    headline=100,
    label="language model alone, catalog",
    **_OURS,
)
MODEL_FREE = Baseline(
    "model_free",
    "the artifact's language model alone, closeness to the titles it writes",
    model_free,
    position=950,
    headline=110,
    label="language model alone, free",
    **_OURS,
)
