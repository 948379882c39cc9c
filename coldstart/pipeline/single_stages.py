"""The stages of a recommender by themselves: resolve, generate, ground, rank, features."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from coldstart.errors import CatalogError, ConfigError
from coldstart.pipeline.request import RecommendOptions, RecommendRequest
from coldstart.pipeline.usable_text import text_use
from coldstart.profile.attributes import attribute_notes
from coldstart.profile.resolve import PickResolver, ResolvedProfile
from coldstart.protocols import Filter
from coldstart.ranking.filters import default_filters
from coldstart.schema import (
    Candidate,
    Context,
    Grounding,
    RecommendationList,
    Strategy,
    Understood,
    UserProfile,
)
from coldstart.scoring.scorer import ScoreRequest, Scores

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from coldstart.interactions.interaction_stats import Counts
    from coldstart.pipeline.parts import Parts
    from coldstart.pipeline.pipeline import Pipeline
    from coldstart.schema import DecodingConfig

    Floats = NDArray[np.float64]
    Reading = Understood | Mapping[str, Any]


class SingleStages:
    """Part of a recommender that runs single stages of its pipeline."""

    parts: Parts
    pipeline: Pipeline
    counts: Counts

    def generate(
        self,
        profile: UserProfile | Mapping[str, Any],
        context: Context | Mapping[str, Any] | None = None,
        *,
        n: int = 10,
        strategy: Strategy = "catalog",
        decoding: DecodingConfig | None = None,
        unknown_picks: str = "error",
        seed: int = 0,
        strict: bool = True,
        understood: Reading | None = None,
    ) -> list[Candidate]:
        """Candidate titles of one user, best first, without grounding, filters or ranking.

        Args:
            profile: what the user told us.
            context: the moment.
            n: how many candidates at most.
            strategy: ``catalog`` (the likeliest titles of the catalog) or ``free`` (as written).
            decoding: how ``free`` writes; its ``n`` gives way to this ``n``.
            unknown_picks: ``error`` or ``ignore``.
            seed: of free writing.
            strict: as for ``recommend``; it counts where titles are chosen from a shortlist.
            understood: likewise.
        """
        if strategy not in ("catalog", "free"):
            raise ConfigError(f"strategy is {strategy!r}", hint="generate takes catalog or free")
        if n < 1:
            raise ConfigError(f"n is {n}, expected at least 1")
        user = self._resolve(profile, context, unknown_picks, understood)
        options = RecommendOptions(
            strategy=strategy, filters=tuple(default_filters()), strict=strict
        )
        return self.pipeline.generate(RecommendRequest(user, options, decoding, seed), n)

    def ground(self, candidates: Sequence[Candidate | str]) -> list[Grounding]:
        """Look candidate titles up in the catalog: title → ids, or abstain."""
        as_candidates = [
            Candidate(text=c, logprob=0.0, strategy="free") if isinstance(c, str) else c
            for c in candidates
        ]
        return self.pipeline.resources.grounder.ground(as_candidates)

    def rank(
        self,
        profile: UserProfile | Mapping[str, Any],
        groundings: Sequence[Grounding],
        context: Context | Mapping[str, Any] | None = None,
        *,
        k: int = 10,
        filters: Iterable[Filter] | None = None,
        diversity: float = 0.0,
        popularity_penalty: float = 0.0,
        unknown_picks: str = "error",
        strict: bool = True,
        understood: Reading | None = None,
    ) -> RecommendationList:
        """Filter and rank only the items that ``groundings`` found, however they were generated."""
        user = self._resolve(profile, context, unknown_picks, understood)
        chosen = tuple(default_filters() if filters is None else filters)
        only = frozenset(m.item_id for g in groundings for m in g.matches)
        options = RecommendOptions(
            k, "free", chosen, diversity, popularity_penalty, only, strict=strict
        )
        return self.pipeline.rank_grounded(RecommendRequest(user, options), groundings)

    def features(self, user: ResolvedProfile, scores: Iterable[Scores] = ()) -> Floats:
        """The ranker's input over the whole catalog.

        Args:
            user: the resolved profile.
            scores: of scorers of other scopes, such as language models, over the whole catalog.

        Returns:
            Shape (N, len(SIGNALS)), rows in catalog order, columns in that of ``SIGNALS``. Signals
            of the text are 0 where nothing of it can be used, those of a model where it does not
            know the script, as in lists.
        """
        self.pipeline.sync()
        (made,) = self.parts.scorers.features([ScoreRequest(user, self.parts.item_store)], [scores])
        unknown = self.pipeline.score.known_scripts.unknown(user)
        return text_use(user, self.parts.item_store, made, unknown).features

    def resolve(
        self,
        profile: UserProfile | Mapping[str, Any],
        context: Context | Mapping[str, Any] | None = None,
        *,
        unknown_picks: str = "ignore",
        understood: Reading | None = None,
    ) -> ResolvedProfile:
        """Turn picks into catalog ids, and read the texts.

        A title that several items have means the most liked one; a text that is the title of one
        item and the id of another is refused, or read as the other picks are (``ignore``).

        Args:
            profile: what the user told us.
            context: the moment.
            unknown_picks: ``error`` or ``ignore``.
            understood: a reading to use instead of that of the texts.

        Raises:
            ProfileError: with ``unknown_picks="error"``, an unknown or ambiguous pick or a misspelt
                interest, naming the nearest title or category; or a malformed reading.
        """
        given, moment = UserProfile.parse(profile), Context.parse(context or {})
        user = PickResolver(self.parts.catalog, self.counts, unknown_picks).resolve(given, moment)
        stage = self.pipeline.understand
        notes = attribute_notes(given, self.counts.group_sizes)
        notes += stage.interest_notes(given, unknown_picks) if understood is None else []
        if notes:
            user = replace(user, notes=(*user.notes, *notes))
        read = stage.understand(given, moment, understood)
        if read == Understood():
            return user
        return replace(user, understood=read, reading_given=understood is not None)

    def _resolve(
        self, profile: Any, context: Any, unknown_picks: str, understood: Reading | None
    ) -> ResolvedProfile:
        if not len(self.parts.catalog):
            raise CatalogError("the catalog is empty", hint="add items: catalog.add(Item(…))")
        return self.resolve(profile, context, unknown_picks=unknown_picks, understood=understood)
