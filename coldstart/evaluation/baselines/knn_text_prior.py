"""Sum of demographic popularity, item-kNN and text similarity; strong where texts are rich."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from coldstart.evaluation.baselines.registry import Baseline
from coldstart.evaluation.baselines.scored import ScoredBaseline
from coldstart.evaluation.baselines.training_data import TrainingData, demographic_popularity
from coldstart.interactions.interaction_stats import co_occurrence
from coldstart.schema import UserProfile

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]


def knn_text_prior(
    training: TrainingData, *, weight: float = 2.0, text: float = 2.0
) -> ScoredBaseline:
    """Demographic popularity + item-kNN + text: ``log p + Σ_g lift_g + w √k · knn + t · max cos``.

    Args:
        training: the training users.
        weight: w, nats given to the item closest to one pick by co-occurrence.
        text: t, nats for a sentence embedding equal to that of a pick.
    """
    from coldstart.artifacts.loading import make_encoder
    from coldstart.catalog.item_encoding import encode_items
    from coldstart.runtime import models

    encoder = training.encoder or make_encoder(models.DEFAULT_ENCODER)
    vectors = encode_items(encoder, [item.content_text() for item in training.catalog])

    def score(profile: UserProfile) -> Floats:
        prior, picks = demographic_popularity(training, profile), training.picks(profile)
        if not picks:
            return prior
        near = co_occurrence(training.counts, [training.catalog.ids[n] for n in picks])
        alike = (vectors @ vectors[picks].T).max(axis=1).astype(np.float64)
        return np.asarray(prior + weight * np.sqrt(len(picks)) * near + text * alike)

    return training.ranking(score)


BASELINE = Baseline(
    "knn_text_prior",
    "demographic popularity + item-kNN + sentence embeddings of the picks",
    knn_text_prior,
    uses=frozenset({"picks", "attributes"}),
    grid={"weight": (0.5, 1.0, 2.0, 3.0, 5.0), "text": (0.0, 1.0, 2.0, 4.0)},
    position=130,
)
