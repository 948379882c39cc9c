"""One question to one recommender, and what its answer is worth."""

from __future__ import annotations

import math
import time
from collections.abc import Collection, Mapping, Sequence

from coldstart.errors import DataError
from coldstart.evaluation.cases import SupportCase, cut
from coldstart.evaluation.result_cache import Record
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

UNTESTED = ("gauc", "rated")
"""The AUC of the user's rated items outside the support, and their number, by which a mean of it
weighs its users: reported for comparability with papers that have nothing else, and never tested.
Both are ``None`` for users who liked none of them or rated none of them low."""

METRICS = (
    "ndcg@10",
    "recall@10",
    "recall@20",
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
"""The same where the targets are cold items, liked by no training user, so that popularity says
nothing about them. ``cold_share@10`` is the share of the list that is cold items, in [0, 1]; the
three after it are about a second list in which cold items compete with nothing but cold items."""

DEPTH, SHOWN = 20, 10


class Judge:
    """Asks a system about a case and takes down what came.

    Args:
        likes: number of the fold's training users who like each item that may be shown.
        cold: the items that are looked for, if only some are; then the values are
            ``COLD_METRICS``, otherwise ``METRICS``.
    """

    def __init__(self, likes: Mapping[str, float], cold: Collection[str] | None = None) -> None:
        self._items = frozenset(likes)
        self._cold = None if cold is None else frozenset(cold)
        self._weight = inverse_propensity(likes)
        self._strata = terciles(likes)
        self._picks = {i: Pick(item=i) for i in likes}

    def ask(self, name: str, fold: int, system: Recommends, case: SupportCase) -> Record:
        """Ask for enough items to have 20 left when the excluded ones are cut.

        Where only some items are looked for, a second question follows: the same user has seen
        all others. So it is with the items that the user rated, if some were liked and some were
        not. The time taken down is that of the first question.

        Raises:
            DataError: the system shows an item twice, or one that is no candidate.
        """
        hidden = case.excluded & self._items
        profile, wanted = case.profile, min(DEPTH + len(hidden), len(self._items))
        if wanted > MAX_K:  # more than anybody answers: what is excluded has been seen, then
            profile, wanted = self._having_seen(case, hidden), DEPTH
        start = time.perf_counter()
        answer = system.recommend(profile, k=wanted)
        milliseconds = 1000 * (time.perf_counter() - start)
        ranked = self._cut(name, answer.item_ids, case)
        among: list[str] = []
        if self._cold is not None:
            among = self._only(name, system, case, self._cold, DEPTH)
        rated: list[str] = []
        if case.targets and case.disliked:
            both = case.targets | case.disliked
            rated = self._only(name, system, case, both, min(len(both), MAX_K))
        values = self.values(ranked, case, among, rated)
        top = tuple(ranked[:SHOWN])
        return Record(name, fold, case.user, case.shots, values, top, round(milliseconds, 3))

    def values(
        self,
        ranked: Sequence[str],
        case: SupportCase,
        among: Sequence[str] = (),
        rated: Sequence[str] = (),
    ) -> tuple[float | None, ...]:
        """One for each metric; ``None`` where the user has no target in a tercile, or no AUC.

        Args:
            ranked: what may be shown, best first.
            case: what was asked.
            among: the same of cold items only; looked at only where the metrics are
                ``COLD_METRICS``.
            rated: the same of what the user rated outside the support. Those that it leaves out
                come last, level with each other.
        """
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
        top = ranked[:SHOWN]
        return (
            *first,
            sum(i in self._cold for i in top) / max(1, len(top)),
            ndcg(among, wanted, 10),
            recall(among, wanted, 10),
            recall(among, wanted, 20),
            *_untested(rated, case),
        )

    def _having_seen(self, case: SupportCase, items: Collection[str]) -> UserProfile:
        """The case's profile, if all these items but the picks had been seen."""
        liked = {p.item for p in case.profile.liked}
        gone = {i for i in items if i not in liked}
        seen = tuple(pick for item, pick in self._picks.items() if item in gone)
        return case.profile.model_copy(update={"seen": seen})

    def _only(
        self, name: str, system: Recommends, case: SupportCase, items: Collection[str], k: int
    ) -> list[str]:
        """Ask a user who has seen everything but ``items``."""
        profile = self._having_seen(case, self._items.difference(items))
        among = self._cut(name, system.recommend(profile, k=k).item_ids, case, k)
        if known := [i for i in among if i not in items]:
            raise DataError(
                f"{name} shows {known[0]!r} to somebody who has seen it",
                hint="a list leaves out what the profile has seen",
            )
        return among

    def _cut(
        self, name: str, item_ids: Sequence[str], case: SupportCase, k: int = DEPTH
    ) -> list[str]:
        ranked = cut(item_ids, case.excluded, k)
        if len(set(ranked)) < len(ranked):
            raise DataError(f"{name} shows an item twice", hint="a list has every item once")
        if strange := [i for i in ranked if i not in self._items]:
            raise DataError(
                f"{name} shows {strange[0]!r}, which is no candidate",
                hint="recommend from the catalog of the training data",
            )
        return ranked


def _untested(rated: Sequence[str], case: SupportCase) -> tuple[float | None, float | None]:
    """``gauc`` of one user by ranks, and the number of items it is about."""
    place = {item: -float(rank) for rank, item in enumerate(rated)}
    liked, disliked = (
        [place.get(i, -math.inf) for i in items] for items in (case.targets, case.disliked)
    )
    found = gauc(liked, disliked)
    return found, None if found is None else float(len(liked) + len(disliked))
