"""The packaged language model as it was published, as a ranker: nothing is learned.

They read a catalog for every list, so that they are no part of ``all``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from coldstart.evaluation.baselines.profile_text import profile_text
from coldstart.evaluation.baselines.registry import Baseline, Uses
from coldstart.evaluation.baselines.scored import ScoredBaseline
from coldstart.evaluation.baselines.text_retrieval import text_retrieval
from coldstart.evaluation.baselines.training_data import TrainingData
from coldstart.schema import UserProfile

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from coldstart.evaluation.zero_shot.title_likelihood import TitleLikelihood

    Floats = NDArray[np.float64]


def promptrec(training: TrainingData, *, shortlist: int = 50) -> ScoredBaseline:
    """A cloze about profile and item orders the items nearest by sentence embeddings.

    See ``evaluation.zero_shot.cloze``. The other items follow by cosine; without anything to
    compare, the shortlist is the first items of the catalog.

    Args:
        training: the catalog; likes only break ties of the shortlist.
        shortlist: number of items that the model reads.
    """
    from coldstart.evaluation.zero_shot.cloze import ClozeRanker
    from coldstart.evaluation.zero_shot.model import packaged_model

    ranker, nearest = ClozeRanker(training.catalog, packaged_model()), text_retrieval(training)

    def score(profile: UserProfile) -> Floats:
        near = nearest.scores(profile)
        named = {p.item for p in (*profile.liked, *profile.disliked, *profile.seen)}
        known = training.columns(sorted(named))
        order = np.argsort(-near, kind="stable")
        rows = np.sort(order[~np.isin(order, known)][:shortlist])
        out = np.asarray(near - near.max() - 1.0)
        if len(rows):
            odds = ranker.scores(profile, rows.tolist())
            out[rows] = 1 / (1 + np.exp(-odds))
        return out

    return training.ranking(score)


def untuned_lm(training: TrainingData) -> ScoredBaseline:
    """Log-probability of every title after the prompt of the profile."""
    return training.ranking(_likelihood(training).logprobs)


def untuned_lm_lift(training: TrainingData) -> ScoredBaseline:
    """The same less that after the prompt of an empty profile; without a profile, that one."""
    titles = _likelihood(training)

    def score(profile: UserProfile) -> Floats:
        said = profile_text(training, profile)
        return titles.lift(profile) if said else titles.logprobs(UserProfile())

    return training.ranking(score)


def _likelihood(training: TrainingData) -> TitleLikelihood:
    from coldstart.evaluation.zero_shot.model import packaged_model
    from coldstart.evaluation.zero_shot.title_likelihood import TitleLikelihood

    return TitleLikelihood(training.catalog, packaged_model())


def _declared(
    name: str, what: str, build: Callable[..., ScoredBaseline], position: int
) -> Baseline:
    uses: frozenset[Uses] = frozenset({"picks", "attributes", "text"})
    return Baseline(name, what, build, uses=uses, slow=True, position=position)


CLOZE = _declared(
    "promptrec",
    "PromptRec-style: an untuned language model fills in what the user thinks of each of 50 items",
    promptrec,
    152,
)
TITLES = _declared(
    "untuned_lm", "an untuned language model's log-probability of every title", untuned_lm, 154
)
LIFT = _declared("untuned_lm_lift", "the same less that without a profile", untuned_lm_lift, 156)
