"""A trained recommender as a system under test on requests."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property

import numpy as np

from coldstart.data.requests.recorded import RecordedRequest, RequestLog
from coldstart.errors import DataError
from coldstart.evaluation.requests.system import Floats
from coldstart.pipeline.request import RecommendOptions, RecommendRequest
from coldstart.ranking.filters import Known
from coldstart.recommender import Recommender
from coldstart.schema import MAX_K, Strategy, UserProfile

STRATEGIES: tuple[Strategy, ...] = ("prior", "catalog", "free", "both")
_LONGEST = 20_000


def profile_of(request: RecordedRequest) -> UserProfile:
    """Profile of a request: its text, and the mentioned items as picks.

    Items that the person named are liked, unless known to be disliked; what the other side named
    is seen.
    """
    named = [m for m in request.mentioned if m.by_user]
    return UserProfile.parse(
        request.profile.model_dump(exclude_defaults=True)
        | {
            "about": request.text[-_LONGEST:].strip() or None,
            "liked": [m.item_id for m in named if m.liked is not False],
            "disliked": [m.item_id for m in named if m.liked is False],
            "seen": [m.item_id for m in request.mentioned if not m.by_user],
        }
    )


class TrainedRecommender:
    """A recommender loaded on first use, for all systems that are made of it.

    Args:
        load: makes it.
    """

    def __init__(self, load: Callable[[], Recommender]) -> None:
        self._load = load

    @cached_property
    def recommender(self) -> Recommender:
        """The recommender."""
        return self._load()


class TrainedSystem:
    """A trained recommender under one strategy; it learns nothing here.

    Its lists are as long as they may be, filtered by what the request mentions alone; near
    duplicates stay. An item outside the list gets a score below all that are in it, so that the
    order behind place ``MAX_K`` is not known to the metrics.

    Args:
        trained: the recommender. Whoever trained it must have left out the test requests.
        strategy: of the lists.
    """

    def __init__(self, trained: TrainedRecommender, strategy: Strategy) -> None:
        self.name = f"trained:{strategy}"
        self.description = f"the trained recommender, strategy {strategy}"
        self._trained, self._strategy = trained, strategy

    def fit(self, log: RequestLog) -> None:
        """Check that the recommender knows the log's items.

        Raises:
            DataError: it lacks one.
        """
        known = self._trained.recommender.catalog
        if missing := [i for i in log.catalog.ids if i not in known]:
            raise DataError(
                f"the trained recommender lacks {len(missing)} items of {log.name}, first "
                f"{missing[0]!r}",
                hint="train one on the catalog of the requests: coldstart train --requests",
            )
        self._rows = log.catalog.rows

    def scores(self, requests: Sequence[RecordedRequest]) -> Floats:
        """Places from the end of the list, 0 for items outside it, shape (B, N)."""
        ours = self._trained.recommender
        options = RecommendOptions(MAX_K, self._strategy, (Known(),), near_duplicates=True)
        asked = [RecommendRequest(ours.resolve(profile_of(r)), options) for r in requests]
        out = np.zeros((len(requests), len(self._rows)), dtype=np.float32)
        for row, found in zip(out, ours.pipeline.all(asked), strict=True):
            for item in found:
                if item.item_id in self._rows:
                    row[self._rows[item.item_id]] = MAX_K + 1 - item.rank
        return out
