"""Metrics of one recommender on one cold-start case, full ranking."""

from __future__ import annotations

import math
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from coldstart.errors import ConfigError, DataError
from coldstart.evaluation.cases import ColdCase, cut
from coldstart.metrics.ranking_metrics import (
    HEAD,
    MIDDLE,
    TAIL,
    gauc,
    hit_rate,
    inverse_propensity,
    ips_ndcg,
    mrr,
    ndcg,
    recall,
    stratum_ndcg,
    terciles,
)
from coldstart.protocols import Recommends
from coldstart.schema import MAX_K, Pick, UserProfile

MAIN = "ndcg@10"
"""The primary metric."""

ACCURACY = (MAIN, "recall@10", "recall@20")

UNTESTED = ("gauc", "rated")
"""The AUC of the user's rated items outside the support, and their number, the weight of the user
in its mean: for comparability with papers that report nothing else, and in no significance test.
Both are ``None`` for users who liked none of them or rated none of them low."""

METRICS = (
    *ACCURACY,
    "hr@10",
    "mrr@20",
    "ips_ndcg@10",
    "head_ndcg@10",
    "middle_ndcg@10",
    "tail_ndcg@10",
    *UNTESTED,
)
"""Values of a ``Record``; see ``metrics.ranking_metrics``. The reciprocal rank is that of the first
hit among 20; popularity for the four after it is counted on the fold's training users."""

COLD_METRICS = (
    *METRICS[:5],
    "cold_share@10",
    "cold_ndcg@10",
    "cold_recall@10",
    "cold_recall@20",
    *UNTESTED,
)
"""Metrics where the targets are cold items, liked by no training user, for which popularity is
undefined. ``cold_share@10`` is the share of cold items in the list, in [0, 1]; the three after it
rank the cold items only."""

DEPTH, TOP = 20, 10


@dataclass(frozen=True)
class Record:
    """Result of one system for one case.

    Args:
        system: its name.
        fold: number of the fold.
        user: id of the test user.
        n_picks: number of picks.
        values: one for each metric; ``None`` is left out of means.
        top: the first ten recommended ids, best first.
        milliseconds: latency of the call.
    """

    system: str
    fold: int
    user: str
    n_picks: int
    values: tuple[float | None, ...]
    top: tuple[str, ...]
    milliseconds: float


class CaseEvaluator:
    """Requests a list for a case and computes its metrics.

    Args:
        likes: number of the fold's training users that like each candidate.
        cold: the only relevant items, if they are cold items.
        metrics: names out of ``COLD_METRICS`` if ``cold`` is given, else of ``METRICS``; ``None``
            for all of them.

    Raises:
        ConfigError: an unknown metric.
    """

    def __init__(
        self,
        likes: Mapping[str, float],
        cold: Collection[str] | None = None,
        metrics: Sequence[str] | None = None,
    ) -> None:
        self._items = frozenset(likes)
        self._cold = None if cold is None else frozenset(cold)
        self._known = METRICS if cold is None else COLD_METRICS
        self.metrics = tuple(self._known if metrics is None else metrics)
        if unknown := [m for m in self.metrics if m not in self._known]:
            raise ConfigError(f"no metric {unknown[0]!r}", hint=f"some of {', '.join(self._known)}")
        self._weight = inverse_propensity(likes)
        self._strata = terciles(likes)
        self._picks = {i: Pick(item=i, by="id") for i in likes}

    def evaluate(self, name: str, fold: int, system: Recommends, case: ColdCase) -> Record:
        """Request enough items for 20 candidates to remain without the excluded ones.

        For cold items a second request follows, with all other items ``seen``;
        likewise for the GAUC, if the user liked some of the rated items and disliked others. The
        latency is that of the first request.

        Raises:
            DataError: the list repeats an item, or holds one that is no candidate.
        """
        hidden = case.excluded & self._items
        profile, wanted = case.profile, min(DEPTH + len(hidden), len(self._items))
        if wanted > MAX_K:  # longer than any list: pass the excluded items as seen
            profile, wanted = self._having_seen(case, hidden), DEPTH
        start = time.perf_counter()
        answer = system.recommend(profile, k=wanted)
        milliseconds = 1000 * (time.perf_counter() - start)
        ranked = self._cut(name, answer.item_ids, case)
        among: list[str] = []
        if self._cold is not None:
            among = self._only(name, system, case, self._cold, DEPTH)
        rated: list[str] = []
        if case.targets and case.disliked and not set(UNTESTED).isdisjoint(self.metrics):
            both = case.targets | case.disliked
            rated = self._only(name, system, case, both, min(len(both), MAX_K))
        values = self.values(ranked, case, among, rated)
        top = tuple(ranked[:TOP])
        return Record(name, fold, case.user, case.n_picks, values, top, round(milliseconds, 3))

    def values(
        self,
        ranked: Sequence[str],
        case: ColdCase,
        among: Sequence[str] = (),
        rated: Sequence[str] = (),
    ) -> tuple[float | None, ...]:
        """One for each metric; ``None`` where the user has no target in a tercile, or no AUC.

        Args:
            ranked: candidates, best first.
            case: its targets are relevant.
            among: cold items only, best first.
            rated: rated items outside the support, best first. Missing ones come last, tied.
        """
        found = dict(zip(self._known, self._all(ranked, case, among, rated), strict=True))
        return tuple(found[m] for m in self.metrics)

    def _all(
        self, ranked: Sequence[str], case: ColdCase, among: Sequence[str], rated: Sequence[str]
    ) -> tuple[float | None, ...]:
        wanted = case.targets
        first = (
            ndcg(ranked, wanted, 10),
            recall(ranked, wanted, 10),
            recall(ranked, wanted, 20),
            hit_rate(ranked, wanted, 10),
            mrr(ranked, wanted, DEPTH),
        )
        if self._cold is None:
            return (
                *first,
                ips_ndcg(ranked, wanted, 10, self._weight),
                *(stratum_ndcg(ranked, wanted, 10, self._strata, s) for s in (HEAD, MIDDLE, TAIL)),
                *_untested(rated, case),
            )
        top = ranked[:TOP]
        return (
            *first,
            sum(i in self._cold for i in top) / max(1, len(top)),
            ndcg(among, wanted, 10),
            recall(among, wanted, 10),
            recall(among, wanted, 20),
            *_untested(rated, case),
        )

    def _having_seen(self, case: ColdCase, items: Collection[str]) -> UserProfile:
        """The case's profile with all these items but the picks as ``seen``."""
        liked = {p.item for p in case.profile.liked}
        gone = {i for i in items if i not in liked}
        seen = tuple(pick for item, pick in self._picks.items() if item in gone)
        return case.profile.model_copy(update={"seen": seen})

    def _only(
        self, name: str, system: Recommends, case: ColdCase, items: Collection[str], k: int
    ) -> list[str]:
        """Rank ``items`` only: all others are ``seen``."""
        profile = self._having_seen(case, self._items.difference(items))
        among = self._cut(name, system.recommend(profile, k=k).item_ids, case, k)
        if known := [i for i in among if i not in items]:
            raise DataError(
                f"{name} shows {known[0]!r} to somebody who has seen it",
                hint="a list leaves out what the profile has seen",
            )
        return among

    def _cut(self, name: str, item_ids: Sequence[str], case: ColdCase, k: int = DEPTH) -> list[str]:
        ranked = cut(item_ids, case.excluded, k)
        if len(set(ranked)) < len(ranked):
            raise DataError(f"{name} shows an item twice", hint="a list has every item once")
        if strange := [i for i in ranked if i not in self._items]:
            raise DataError(
                f"{name} shows {strange[0]!r}, which is no candidate",
                hint="recommend from the catalog of the training data",
            )
        return ranked


def mean_by_picks(
    system: Recommends, cases: Sequence[ColdCase], metric: str = MAIN
) -> dict[int, float]:
    """Mean of an accuracy metric over the cases of each number of picks.

    Args:
        system: a recommender.
        cases: of any users.
        metric: one of ``ACCURACY``.

    Raises:
        ConfigError: an unknown metric.
    """
    if metric not in ACCURACY:
        raise ConfigError(f"unknown metric {metric!r}", hint=f"one of {', '.join(ACCURACY)}")
    measure = ndcg if metric == MAIN else recall
    depth = int(metric.partition("@")[2])
    found: dict[int, list[float]] = {}
    for case in cases:
        ids = system.recommend(case.profile, k=DEPTH + len(case.excluded)).item_ids
        value = measure(cut(ids, case.excluded, DEPTH), case.targets, depth)
        found.setdefault(case.n_picks, []).append(value)
    return {k: float(np.mean(values)) for k, values in found.items()}


def _untested(rated: Sequence[str], case: ColdCase) -> tuple[float | None, float | None]:
    """``gauc`` of one user by ranks, and the number of its items."""
    place = {item: -float(rank) for rank, item in enumerate(rated)}
    liked, disliked = (
        [place.get(i, -math.inf) for i in items] for items in (case.targets, case.disliked)
    )
    found = gauc(liked, disliked)
    return found, None if found is None else float(len(liked) + len(disliked))
