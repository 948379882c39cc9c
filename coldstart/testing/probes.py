"""Views of single stages of a recommender, for tests and benchmarks."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from coldstart import Recommender
from coldstart.catalog.item_store import ItemStore
from coldstart.pipeline.draft import Draft
from coldstart.pipeline.request import RecommendOptions, RecommendRequest
from coldstart.pipeline.score import score_candidates, shortlist
from coldstart.profile.resolve import ResolvedProfile
from coldstart.schema import Strategy
from coldstart.scoring.lm_signals import LMSignals, joined
from coldstart.scoring.scorer import ScoreRequest, Scores
from coldstart.scoring.scorers import Scorers


def features_of(
    items: ItemStore, user: ResolvedProfile, scores: Iterable[Scores] = ()
) -> np.ndarray:
    """The ranker's input of one request, by new scorers."""
    return Scorers().features([ScoreRequest(user, items)], [scores])[0]


def lm_signals_of(
    rec: Recommender,
    user: ResolvedProfile,
    strategy: Strategy,
    rows: np.ndarray | None = None,
    seed: int = 0,
) -> LMSignals:
    """Language-model signals over the whole catalog."""
    scores = rec.pipeline.model_scores(user, strategy, rows=rows, seed=seed)
    return joined(s.lm for s in scores if s.lm is not None)


def candidates_of(rec: Recommender, user: ResolvedProfile) -> ItemStore:
    """The candidate set."""
    return rec.pipeline.candidates.select(user)


def shortlist_of(
    rec: Recommender, user: ResolvedProfile, options: RecommendOptions
) -> np.ndarray | None:
    """Rows that the language model scores."""
    rec.pipeline.sync()
    draft = Draft(0, RecommendRequest(user, options), candidates_of(rec, user))
    score_candidates([draft], rec.scorers)
    assert draft.made is None
    return shortlist(rec.parts, draft)


def prompt_of(rec: Recommender, user: ResolvedProfile) -> str:
    """The rendered prompt."""
    rec.pipeline.sync()
    return rec.pipeline.resources.model.prompt(user).text
