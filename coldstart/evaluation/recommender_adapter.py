"""Adapter from ``Recommender`` to systems under test; the only module that uses its stages.

Filters are reduced to the user's own picks and near-duplicates are kept, since a metric counts ids
and no baseline is restricted otherwise.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeVar, cast

import numpy as np

from coldstart.encoding.vector_cache import CachedEncoder
from coldstart.errors import ArtifactError, ConfigError
from coldstart.evaluation.baselines.scored import ScoredBaseline
from coldstart.interactions.interaction_stats import Counts
from coldstart.pipeline.request import RecommendOptions, RecommendRequest
from coldstart.prompts import PromptTemplate
from coldstart.ranking.filters import Known
from coldstart.recommender import Recommender
from coldstart.schema import (
    DecodingConfig,
    Grounding,
    RecommendationList,
    Strategy,
    UserProfile,
)
from coldstart.scoring.cached_scorer import CachedScorer
from coldstart.scoring.lm_signals import LMSignals, joined
from coldstart.scoring.recency import RecencyScorers

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from coldstart.generation.models.causal import CausalLM
    from coldstart.profile.resolve import ResolvedProfile
    from coldstart.scoring.scorer import Scorer

    Floats = NDArray[np.float64]

CACHE_BYTES = 512 * 2**20

T = TypeVar("T")


class CachedSignals:
    """Language-model scores, computed once per profile and shared by all systems of an artifact.

    Args:
        recommender: its scores are cached.
        seed: of free generation.
        most_bytes: approximate memory per scorer, ≥ 0; beyond it the oldest entries are evicted.
            The latest entry always stays.

    Raises:
        ConfigError: ``most_bytes`` is negative.
    """

    def __init__(
        self, recommender: Recommender, seed: int = 0, *, most_bytes: int = CACHE_BYTES
    ) -> None:
        if most_bytes < 0:
            raise ConfigError(f"most_bytes is {most_bytes}, expected at least 0")
        self.recommender, self.seed = recommender, seed
        self._cached: list[CachedScorer] = []

        def cached(scorer: Scorer) -> Scorer:
            if scorer.scope == "candidates":
                return scorer
            self._cached.append(CachedScorer(scorer, most_bytes=most_bytes))
            return self._cached[-1]

        self.scorers = recommender.scorers.replaced(cached)

    @property
    def bytes(self) -> int:
        """Approximate memory of the cache."""
        return sum(scorer.bytes for scorer in self._cached)

    def lm_signals(
        self,
        profile: UserProfile,
        strategy: Strategy = "both",
        rows: NDArray[np.int64] | None = None,
    ) -> tuple[ResolvedProfile, LMSignals]:
        """Signals of a profile; ``seen`` items are in no prompt, hence in no key.

        ``both`` is joined from ``catalog`` and ``free``, which are cached separately.

        Args:
            profile: of the user.
            strategy: which signals.
            rows: items to score, ``None`` for all.
        """
        user = self.recommender.resolve(profile)
        scores = self.recommender.pipeline.model_scores(
            user, strategy, rows=rows, seed=self.seed, scorers=self.scorers
        )
        return user, joined(s.lm for s in scores if s.lm is not None)


class StrategySystem:
    """The recommender under one strategy."""

    def __init__(self, signals: CachedSignals, strategy: Strategy) -> None:
        self._signals, self._strategy = signals, strategy

    def recommend(self, profile: UserProfile, *, k: int = 10) -> RecommendationList:
        """Rank the whole catalog from cached scores."""
        ours = self._signals.recommender
        options = RecommendOptions(k, self._strategy, (Known(),), near_duplicates=True)
        request = RecommendRequest(ours.resolve(profile), options, seed=self._signals.seed)
        return ours.pipeline.one(request, self._signals.scorers)


def language_model_only(
    signals: CachedSignals, feature: Literal["logprobs", "written"]
) -> ScoredBaseline:
    """Ranking by the language model's score, without ranker or prior.

    Args:
        signals: of the recommender.
        feature: ``logprobs`` (log-probability of every title) or ``written`` (similarity to the
            generated titles).
    """
    recommender = signals.recommender
    strategy: Strategy = "catalog" if feature == "logprobs" else "free"

    def score(profile: UserProfile) -> Floats:
        values = getattr(signals.lm_signals(profile, strategy)[1], feature)
        rows = recommender.item_store.rows
        return np.asarray(values)[[rows[i] for i in recommender.counts.item_ids]]

    return ScoredBaseline(recommender.catalog, recommender.counts, score)


class PriorSystem:
    """A recommender without its language model, which can follow live counts.

    Args:
        recommender: its ranker is kept with other counts.
    """

    decays = True

    def __init__(self, recommender: Recommender) -> None:
        self.recommender = recommender
        self._encoder = CachedEncoder(recommender.encoder, None)  # a snapshot encodes the catalog

    @property
    def counts(self) -> Counts:
        """Counts of the training users."""
        return self.recommender.counts

    def recommend(self, profile: UserProfile, *, k: int = 10) -> RecommendationList:
        """Rank the whole catalog by everything but the language model."""
        return self.recommender.recommend(
            profile, k=k, strategy="prior", filters=[Known()], near_duplicates=True
        )

    def with_counts(self, counts: Counts, half_life: float | None = None) -> PriorSystem:
        """See ``FollowsCounts``; ranker weights and trees are kept."""
        like = self.recommender
        made = Recommender(
            like.catalog,
            None,
            like.template,
            counts,
            self._encoder,
            like.ranker,
            like.settings,
            scorers=RecencyScorers(half_life, like.scorers),
        )
        return PriorSystem(made)


class LoadedArtifact:
    """A trained artifact, loaded lazily and shared by all systems made of it.

    Args:
        load: makes the recommender.
        seed: of free generation.
    """

    def __init__(self, load: Callable[[], Recommender], seed: int = 0) -> None:
        self.load, self.seed = load, seed
        self._made: dict[Callable[[LoadedArtifact], object], object] = {}

    @classmethod
    def of(cls, folder: Path, seed: int = 0) -> LoadedArtifact:
        """The artifact in a folder."""
        return cls(lambda: Recommender.from_pretrained(folder), seed)

    def once(self, make: Callable[[LoadedArtifact], T]) -> T:
        """Result of ``make``, computed on first use and cached by function."""
        if make not in self._made:
            self._made[make] = make(self)
        return cast(T, self._made[make])

    @property
    def signals(self) -> CachedSignals:
        """Signals of the tuned model."""
        return self.once(_signals)

    @property
    def recommender(self) -> Recommender:
        """The recommender."""
        return self.signals.recommender

    @property
    def base(self) -> CausalLM:
        """The base model, without the adapter."""
        return self.once(_base)


def base_model(recommender: Recommender) -> CausalLM:
    """The base model of a recommender's adapter, loaded again since adapters are merged.

    Raises:
        ArtifactError: the manifest names none, or another model has that name here.
    """
    from coldstart.artifacts.loading import load_base
    from coldstart.generation.models.causal import CausalLM

    try:
        base = recommender.manifest["base"]
        name, fingerprint = base["name"], base["fingerprint"]
    except (KeyError, TypeError) as e:
        raise ArtifactError(
            f"the manifest lacks {e}, so the base model is unknown", hint="save the artifact again"
        ) from e
    return CausalLM(*load_base(name, fingerprint))


def with_template(recommender: Recommender, template: PromptTemplate) -> Recommender:
    """The same recommender with another prompt template; for measurements only.

    Made of the finished parts; nothing is loaded, and the artifact is not changed.
    """
    made = Recommender(
        recommender.catalog,
        recommender.lm,
        template,
        recommender.counts,
        recommender.encoder,
        recommender.ranker,
        recommender.settings,
    )
    made.item_store = recommender.item_store
    return made


def prompt_text(recommender: Recommender, profile: UserProfile) -> str:
    """The rendered prompt of a profile."""
    recommender.pipeline.sync()
    return recommender.pipeline.resources.model.prompt(recommender.resolve(profile)).text


def written_titles(
    recommender: Recommender, profile: UserProfile, n: int, config: DecodingConfig, seed: int
) -> list[Grounding]:
    """Titles generated freely for a profile, grounded in the catalog."""
    text, resources = prompt_text(recommender, profile), recommender.pipeline.resources
    return resources.grounder.ground(resources.model.write(text, n, config, seed))


def grounding_threshold(recommender: Recommender) -> float:
    """Cosine from which a generated title is matched to one of the catalog."""
    return recommender.pipeline.resources.grounder.threshold


def _signals(artifact: LoadedArtifact) -> CachedSignals:
    return CachedSignals(artifact.load(), artifact.seed)


def _base(artifact: LoadedArtifact) -> CausalLM:
    return base_model(artifact.recommender)
