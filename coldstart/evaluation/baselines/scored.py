"""Recommenders that rank by one score per item; those of counts can follow live counts."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol, runtime_checkable

import numpy as np

from coldstart.catalog.catalog import Catalog
from coldstart.interactions.interaction_stats import Counts
from coldstart.protocols import Recommends
from coldstart.schema import Provenance, Recommendation, RecommendationList, UserProfile

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

TIE = 1e-9
"""Weight of popularity where it only breaks ties."""

ScoreFunction = Callable[[UserProfile], "Floats"]
"""Profile → one score per item, shape (I,), higher is better."""

CountScore = Callable[[Counts, float | None], ScoreFunction]
"""(counts, half-life of a pick in picks, ``None`` for no decay) → a score function."""


@runtime_checkable
class FollowsCounts(Protocol):
    """A trained recommender that can be rebuilt cheaply from other interaction counts.

    Attributes:
        counts: of the training users.
        decays: whether a half-life changes its lists.
    """

    counts: Counts
    decays: bool

    def with_counts(self, counts: Counts, half_life: float | None = None) -> Recommends:
        """Rebuild from other counts; trained and tuned parameters are kept.

        Args:
            counts: to be used instead, of the same catalog.
            half_life: of a pick, in picks; ``None`` for no decay.
        """
        ...


class ScoredBaseline:
    """Ranks the catalog by a score function; picks must be item ids.

    Args:
        catalog: titles for the output.
        counts: of the training users; scores are in the order of its items.
        score: one number per item for a profile.
    """

    def __init__(self, catalog: Catalog, counts: Counts, score: ScoreFunction) -> None:
        self.catalog, self.counts, self._score = catalog, counts, score

    def scores(self, profile: UserProfile) -> Floats:
        """Score of every item, those the profile names too, shape (I,), in the counts' order."""
        return self._score(profile)

    def recommend(self, profile: UserProfile, *, k: int = 10) -> RecommendationList:
        """Return the ``k`` best-scored items that the profile does not name."""
        scores = np.array(self.scores(profile))
        named = {p.item for p in (*profile.liked, *profile.disliked, *profile.seen)}
        gone = [self.counts.column[i] for i in named if i in self.counts.column]
        order = np.argsort(-scores, kind="stable")
        order = order[~np.isin(order, gone)][:k]
        best = [(self.catalog[self.counts.item_ids[n]], float(scores[n])) for n in order]
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


class CountBaseline(ScoredBaseline):
    """Ranks by a score of interaction counts, so that it can follow live counts.

    Args:
        catalog: titles for the output.
        counts: of the training users.
        score_of: counts and half-life → score function.
        half_life: of a pick, in picks; ``None`` for no decay.
        decays: whether a half-life changes the lists.
    """

    def __init__(
        self,
        catalog: Catalog,
        counts: Counts,
        score_of: CountScore,
        half_life: float | None = None,
        *,
        decays: bool = False,
    ) -> None:
        super().__init__(catalog, counts, score_of(counts, half_life))
        self._score_of, self.decays = score_of, decays

    def with_counts(self, counts: Counts, half_life: float | None = None) -> CountBaseline:
        """See ``FollowsCounts``."""
        return CountBaseline(self.catalog, counts, self._score_of, half_life, decays=self.decays)
