"""Coldstart from a catalog alone: nothing is trained, likes are counted as they come in."""

from __future__ import annotations

from collections.abc import Sequence

from coldstart import prompts
from coldstart.artifacts.loading import make_encoder
from coldstart.evaluation.baselines.registry import Baseline, Uses
from coldstart.evaluation.baselines.training_data import TrainingData
from coldstart.interactions.interaction_stats import Counts
from coldstart.ranking.filters import Known
from coldstart.recommender import Recommender
from coldstart.runtime import models
from coldstart.schema import Pick, RecommendationList, UserProfile
from coldstart.starting.domain import has_departments
from coldstart.starting.weights import from_nothing_ranker, starting_state

_PICKS = ("liked", "disliked", "seen")


class FromNothing:
    """A recommender without training, which learns of likes one by one.

    Args:
        recommender: of ``coldstart start``, without a language model.
        ignores_likes: whether it is told of none.
    """

    def __init__(self, recommender: Recommender, *, ignores_likes: bool = False) -> None:
        self.recommender, self.ignores_likes = recommender, ignores_likes

    def recommend(self, profile: UserProfile, *, k: int = 10) -> RecommendationList:
        """Rank the whole catalog; picks that it lacks are left out."""
        known = {what: self._known(getattr(profile, what)) for what in _PICKS}
        return self.recommender.recommend(
            profile.model_copy(update=known),
            k=k,
            strategy="prior",
            filters=[Known()],
            near_duplicates=True,
        )

    def observe(self, profile: UserProfile, item_id: str) -> None:
        """Count one like, with the earlier ones of a user who is new."""
        if self.ignores_likes:
            return
        user, earlier = profile.user_id or "", [pick.item for pick in profile.liked]
        self.recommender.observe(user, *earlier, item_id)

    def _known(self, picks: Sequence[Pick]) -> tuple[Pick, ...]:
        """Picks of items of the catalog, each once."""
        known = {pick.item: pick for pick in picks if pick.item in self.recommender.catalog}
        return tuple(known.values())


def from_nothing(training: TrainingData) -> FromNothing:
    """The recommender of ``coldstart start`` after the likes of the training users."""
    made = FromNothing(_started(training))
    for user, items in training.likes.items():
        made.recommender.evidence.observe(user, items)
    return made


def content_alone(training: TrainingData) -> FromNothing:
    """The recommender of ``coldstart start``, told of no likes."""
    return FromNothing(_started(training), ignores_likes=True)


def _started(training: TrainingData) -> Recommender:
    catalog = training.catalog
    encoder = training.encoder or make_encoder(models.DEFAULT_ENCODER)
    return Recommender(
        catalog,
        None,
        prompts.load(prompts.DEFAULT),
        Counts.fit(catalog.ids, {}, {}),
        encoder,
        from_nothing_ranker(departments=has_departments(catalog)),
        adapter=starting_state(),
    )


_USES: frozenset[Uses] = frozenset({"picks", "text"})
GROWING = Baseline(
    "from_nothing",
    "coldstart without training: content, and likes as they come in",
    from_nothing,
    uses=_USES,
    ours=True,
    position=940,
)
FROZEN = Baseline(
    "content_alone",
    "coldstart without training, told of no likes",
    content_alone,
    uses=_USES,
    position=145,
)
