"""The packaged language model as it was published, as a ranker: nothing is learned.

It orders the items nearest by sentence embeddings, as language models usually are made rankers (Hou
et al., "Large Language Models are Zero-Shot Rankers for Recommender Systems", 2024). A list takes
seconds, so that they are no part of ``all``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from coldstart.evaluation.baselines.registry import Baseline, Uses
from coldstart.evaluation.baselines.scored import ScoredBaseline
from coldstart.evaluation.baselines.text_retrieval import text_retrieval
from coldstart.evaluation.baselines.training_data import TrainingData
from coldstart.evaluation.zero_shot.shortlist import reordered
from coldstart.schema import UserProfile

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from coldstart.evaluation.zero_shot.title_likelihood import TitleLikelihood

    Floats = NDArray[np.float64]
    RowScore = Callable[[UserProfile, Sequence[int]], Floats]


def promptrec(training: TrainingData, *, shortlist: int = 50) -> ScoredBaseline:
    """Order the nearest items by a cloze about profile and item; see ``zero_shot.cloze``.

    Args:
        training: the catalog; likes only break ties of the shortlist.
        shortlist: number of items that the model reads; 0: all.
    """
    from coldstart.evaluation.zero_shot.cloze import ClozeRanker
    from coldstart.evaluation.zero_shot.model import packaged_model

    ranker = ClozeRanker(training.catalog, packaged_model())
    return _of_nearest(training, shortlist, ranker.scores)


def untuned_lm(training: TrainingData, *, shortlist: int = 200) -> ScoredBaseline:
    """Order the nearest items by the log-probability of their titles after the profile.

    Args:
        training: as of ``promptrec``.
        shortlist: likewise.
    """
    return _of_nearest(training, shortlist, _likelihood(training).logprobs)


def untuned_lm_lift(training: TrainingData, *, shortlist: int = 200) -> ScoredBaseline:
    """As ``untuned_lm``, less the log-probability of the title after an empty profile."""
    return _of_nearest(training, shortlist, _likelihood(training).lift)


def _of_nearest(training: TrainingData, shortlist: int, score: RowScore) -> ScoredBaseline:
    nearest = text_retrieval(training)

    def scores(profile: UserProfile) -> Floats:
        picks = sorted({p.item for p in (*profile.liked, *profile.disliked, *profile.seen)})
        near, named = nearest.scores(profile), training.columns(picks)
        return reordered(near, named, shortlist, lambda rows: score(profile, rows))

    return training.ranking(scores)


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
    "PromptRec-style: an untuned language model fills in what the user thinks of the 50 nearest",
    promptrec,
    152,
)
TITLES = _declared(
    "untuned_lm", "an untuned language model's log-probability of the 200 nearest", untuned_lm, 154
)
LIFT = _declared("untuned_lm_lift", "the same less that without a profile", untuned_lm_lift, 156)
