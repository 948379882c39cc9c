"""Dense text retrieval: cosine of sentence embeddings of profile and items.

No like of any training user counts, except that exact ties are broken by popularity.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from coldstart.evaluation.baselines.profile_text import profile_text
from coldstart.evaluation.baselines.registry import Baseline
from coldstart.evaluation.baselines.scored import TIE, ScoredBaseline
from coldstart.evaluation.baselines.training_data import TrainingData
from coldstart.interactions.interaction_stats import popularity
from coldstart.schema import UserProfile

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]


def text_retrieval(training: TrainingData) -> ScoredBaseline:
    """Cosine between the sentence embeddings of ``profile_text`` and of each item's text.

    Empty profiles get popularity; at k=0 attributes, interests and ``about`` are the query.
    """
    from coldstart.artifacts.loading import make_encoder
    from coldstart.catalog.item_encoding import encode_items
    from coldstart.runtime import models

    encoder = training.encoder or make_encoder(models.DEFAULT_ENCODER)
    vectors = encode_items(encoder, [item.content_text() for item in training.catalog])
    everyone = popularity(training.counts)

    def score(profile: UserProfile) -> Floats:
        said = profile_text(training, profile)
        if not said:
            return everyone
        return np.asarray(vectors @ encoder.encode([said])[0], dtype=np.float64) + TIE * everyone

    return training.ranking(score)


BASELINE = Baseline(
    "text_retrieval",
    "sentence embeddings of profile and items, cosine",
    text_retrieval,
    uses=frozenset({"picks", "attributes", "text"}),
    position=140,
)
