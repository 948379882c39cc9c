"""Coldstart from a catalog alone: nothing is trained, likes are counted as they come in."""

from __future__ import annotations

from coldstart import prompts
from coldstart.artifacts.loading import make_encoder
from coldstart.evaluation.baselines.registry import Baseline, Uses
from coldstart.evaluation.baselines.training_data import TrainingData
from coldstart.interactions.interaction_stats import Counts
from coldstart.ranking.filters import Known
from coldstart.ranking.ranker import BlendRanker
from coldstart.recommender import Recommender
from coldstart.runtime import models
from coldstart.schema import RecommendationList, UserProfile
from coldstart.scoring.evidence import PICKS_WEIGHT

_WEIGHTS = {
    "evidence_popularity": (1.0, 0.0),
    "evidence_content": PICKS_WEIGHT,
    "evidence_picks": PICKS_WEIGHT,
}


class FromNothing:
    """A recommender without training, which learns of likes one by one.

    Args:
        recommender: of ``coldstart start``, without a language model.
    """

    def __init__(self, recommender: Recommender) -> None:
        self.recommender = recommender

    def recommend(self, profile: UserProfile, *, k: int = 10) -> RecommendationList:
        """Rank the whole catalog."""
        return self.recommender.recommend(
            profile,
            k=k,
            strategy="prior",
            filters=[Known()],
            near_duplicates=True,
            unknown_picks="ignore",
        )

    def observe(self, profile: UserProfile, item_id: str) -> None:
        """Count one like, with the earlier ones of a user who is new."""
        user, earlier = profile.user_id or "", [pick.item for pick in profile.liked]
        self.recommender.observe(user, *earlier, item_id)


def from_nothing(training: TrainingData) -> FromNothing:
    """The recommender of ``coldstart start`` after the likes of the training users."""
    made = content_alone(training)
    for user, items in training.likes.items():
        made.recommender.evidence.observe(user, items)
    return made


def content_alone(training: TrainingData) -> FromNothing:
    """The recommender of ``coldstart start``, told of no likes."""
    catalog = training.catalog
    encoder = training.encoder or make_encoder(models.DEFAULT_ENCODER)
    recommender = Recommender(
        catalog,
        None,
        prompts.load(prompts.DEFAULT),
        Counts.fit(catalog.ids, {}, {}),
        encoder,
        BlendRanker({"prior": _WEIGHTS}),
    )
    return FromNothing(recommender)


_USES: frozenset[Uses] = frozenset({"picks"})
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
