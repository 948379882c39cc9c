"""A recommender of the toy catalog that knows nothing and grows."""

from __future__ import annotations

from typing import get_args

from coldstart import Recommender, prompts
from coldstart.interactions.interaction_stats import Counts
from coldstart.ranking.ranker import BlendRanker
from coldstart.schema import Strategy
from coldstart.scoring.evidence import PICKS_WEIGHT
from tests.fakes import FakeEncoder
from tests.toy import toy_catalog

WEIGHTS = {
    "evidence_popularity": (1.0, 0.0),
    "evidence_content": PICKS_WEIGHT,
    "evidence_picks": PICKS_WEIGHT,
}


def growing_recommender() -> Recommender:
    """No counts, and a ranker of observed likes."""
    catalog = toy_catalog()
    return Recommender(
        catalog,
        None,
        prompts.load("movies-en"),
        Counts.fit(catalog.ids, {}, {}),
        FakeEncoder(),
        BlendRanker({strategy: WEIGHTS for strategy in get_args(Strategy)}),
    )
