"""Simple recommenders that every other one has to beat, behind the same ``recommend()``."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from coldstart.catalog.catalog import Catalog
from coldstart.interactions.interaction_stats import (
    Counts,
    co_occurrence,
    demographic_lift,
    log_popularity,
)
from coldstart.schema import Provenance, Recommendation, RecommendationList, UserProfile

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

Scorer = Callable[[UserProfile], "Floats"]

KNN_GRID: Mapping[str, Sequence[Any]] = {"root": (False, True), "weight": (0.5, 1.0, 1.5, 2.0, 3.0)}
"""Settings of ``item_knn_baseline`` to choose from on validation users."""
KNN_DEFAULT: Mapping[str, Any] = {"root": True, "weight": 2.0}
"""For data without validation users."""


class ScoredBaseline:
    """Recommends what a scoring function puts first; picks must be item ids.

    Args:
        catalog: titles for the output.
        counts: of the training users; scores are in the order of its items.
        score: one number per item for a profile.
    """

    def __init__(self, catalog: Catalog, counts: Counts, score: Scorer) -> None:
        self._catalog, self._counts, self._score = catalog, counts, score

    def scores(self, profile: UserProfile) -> Floats:
        """Score of every item, those the profile names too, shape (I,), in the counts' order."""
        return self._score(profile)

    def recommend(self, profile: UserProfile, *, k: int = 10) -> RecommendationList:
        """Return the ``k`` best-scored items that the profile does not name."""
        scores = np.array(self.scores(profile))
        named = {p.item for p in (*profile.liked, *profile.disliked, *profile.seen)}
        gone = [self._counts.column[i] for i in named if i in self._counts.column]
        order = np.argsort(-scores, kind="stable")
        order = order[~np.isin(order, gone)][:k]
        best = [(self._catalog[self._counts.item_ids[n]], float(scores[n])) for n in order]
        return RecommendationList(
            items=tuple(
                Recommendation(
                    rank=rank,
                    item_id=item.item_id,
                    title=item.title,
                    year=item.year,
                    score=score,
                    reason="Baseline.",
                    provenance=Provenance(strategy="prior"),
                )
                for rank, (item, score) in enumerate(best, start=1)
            ),
            k=k,
            strategy="prior",
        )


def popularity_baseline(catalog: Catalog, counts: Counts) -> ScoredBaseline:
    """Most liked by the training users."""
    return ScoredBaseline(catalog, counts, lambda profile: log_popularity(counts))


def demographic_baseline(catalog: Catalog, counts: Counts) -> ScoredBaseline:
    """Most liked by people of the same age band, gender and occupation, shrunk to everyone."""

    def score(profile: UserProfile) -> Floats:
        return log_popularity(counts) + demographic_lift(counts, profile)

    return ScoredBaseline(catalog, counts, score)


def item_knn_baseline(
    catalog: Catalog, counts: Counts, *, weight: float = 1.0, root: bool = False
) -> ScoredBaseline:
    """Demographic popularity plus item-kNN on the picks.

    Args:
        catalog: titles for the output.
        counts: of the training users.
        weight: nats given to the item closest to the picks.
        root: multiply the weight by √k, which validates better than a constant.
    """

    def score(profile: UserProfile) -> Floats:
        picks = [p.item for p in profile.liked]
        scale = weight * (np.sqrt(len(picks)) if root else 1.0)
        base = log_popularity(counts) + demographic_lift(counts, profile)
        return np.asarray(base + scale * co_occurrence(counts, picks))

    return ScoredBaseline(catalog, counts, score)
