"""D3: decoding over the catalog with a text-free assistant."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from coldstart.errors import ConfigError
from coldstart.evaluation.baselines.item_knn_prior import BASELINE as ITEM_KNN_PRIOR
from coldstart.evaluation.baselines.item_knn_prior import item_knn_baseline
from coldstart.evaluation.baselines.registry import Baseline
from coldstart.evaluation.baselines.scored import ScoredBaseline
from coldstart.evaluation.recommender_adapter import language_model_only
from coldstart.schema import UserProfile

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from coldstart.evaluation.recommender_adapter import LoadedArtifact

    Floats = NDArray[np.float64]

ALPHAS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
"""Grid of the weight of the language model, from little to the model alone."""


def d3(
    artifact: LoadedArtifact,
    *,
    alpha: float = 0.5,
    assistant: Mapping[str, Any] = ITEM_KNN_PRIOR.defaults,
) -> ScoredBaseline:
    """Decode over the catalog with an assistant that reads no text: ``α log p_LM + (1 − α) log p``.

    K. Bao, J. Zhang, Y. Zhang et al., "Decoding Matters: Addressing Amplification Bias and
    Homogeneity Issue for LLM-based Recommendation", EMNLP 2024. There is no length normalisation,
    and a "ghost" token, the only one that may follow in the catalog's trie, has probability 1 and
    counts for nothing. The assistant's p of a token is its mass of the items below the token over
    that of the items below the node, so that along a title its terms sum to log p of the title.

    What differs from the paper: every title is scored exactly, where a beam may lose some; the
    model's probabilities are renormalised over what may follow in the trie (there they are over
    the whole vocabulary, and a ghost token is only nearly free); the assistant is item-kNN with
    demographic popularity in place of SASRec, the softmax of its score in nats; the model is the
    artifact's, tuned on soft targets; and what its settings mix in (``use_prior``) stays in it.

    Args:
        artifact: its model is decoded.
        alpha: weight of the language model, in [0, 1].
        assistant: settings of ``item_knn_baseline``; p is its softmax.

    Raises:
        ConfigError: α is no share.
    """
    if not 0 <= alpha <= 1:
        raise ConfigError(f"alpha is {alpha}, expected a share in [0, 1]")
    recommender = artifact.recommender
    model = language_model_only(artifact.signals, "logprobs")
    text_free = item_knn_baseline(recommender.catalog, recommender.counts, **assistant)

    def score(profile: UserProfile) -> Floats:
        nats = text_free.scores(profile)
        logprobs = nats - np.logaddexp.reduce(nats)
        return np.asarray(alpha * model.scores(profile) + (1 - alpha) * logprobs)

    return ScoredBaseline(recommender.catalog, recommender.counts, score)


BASELINE = Baseline(
    "d3",
    "D3-style: its log-probability of every title, and item-kNN's",
    d3,
    grid={"alpha": ALPHAS},
    tuning="always",
    input="artifact",
    position=980,
)
