"""Ensemble of recommenders by reciprocal rank fusion."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from coldstart.errors import ConfigError
from coldstart.protocols import Recommends
from coldstart.schema import MAX_K, Recommendation, RecommendationList, UserProfile

RRF = 60
"""Constant of reciprocal rank fusion; the value of the paper."""


class Ensemble:
    """Weighted reciprocal rank fusion of several recommenders.

    ``score(i) = Σ_m w_m / (60 + rank_m(i))``, over the members that list item i among their first
    ``depth`` (Cormack, Clarke and Büttcher, "Reciprocal rank fusion outperforms Condorcet and
    individual rank learning methods", 2009). Ranks need no common scale, so artifacts of different
    models, trainings or templates can be combined with each other and with simple baselines. Title,
    reason and provenance of an item are those of the member that ranks it best. Items dropped by
    any member are excluded. Members filter independently: a member without filters, such as a
    baseline, may contribute items that another member would have dropped further down its ranking.

    Args:
        members: objects with ``recommend()`` over the same catalog.
        weights: non-negative weight of each member; equal if ``None``.
        depth: length of the members' lists, 1 to 1000; at least k in any case.

    Raises:
        ConfigError: no member, or invalid weights or depth.

    >>> from coldstart import Recommender
    >>> both = Ensemble([Recommender.from_pretrained(f) for f in folders])  # doctest: +SKIP
    >>> both.recommend({"age": 24}, k=5)  # doctest: +SKIP
    """

    def __init__(
        self,
        members: Sequence[Recommends],
        weights: Sequence[float] | None = None,
        *,
        depth: int = 100,
    ) -> None:
        self.members = tuple(members)
        self.weights = tuple(weights) if weights is not None else (1.0,) * len(self.members)
        if not self.members or len(self.weights) != len(self.members):
            raise ConfigError(
                f"{len(self.members)} members and {len(self.weights)} weights",
                hint="give one member or more, and a weight for each",
            )
        if min(self.weights) < 0 or not 0 < sum(self.weights) < float("inf"):
            raise ConfigError(
                f"weights are {self.weights}", hint="0 or more each, and not all of them 0"
            )
        if not 1 <= depth <= MAX_K:
            raise ConfigError(f"depth is {depth}", hint=f"1 to {MAX_K}")
        self.depth = depth

    def recommend(
        self, profile: UserProfile | Mapping[str, Any], *, k: int = 10, **options: Any
    ) -> RecommendationList:
        """Fuse the members' lists.

        Args:
            profile: the user.
            k: number of items.
            options: passed to every member, which must support them: context, filters, strategy, …

        Returns:
            The fused list, with the dropped items and notes of all members; other fields, such as
            ``generated``, are those of the first member.

        Raises:
            ConfigError: ``k`` is out of range.
            ProfileError: a malformed profile.
            ColdstartError: any error of the members.
        """
        if not 1 <= k <= MAX_K:
            raise ConfigError(f"k is {k}", hint=f"1 to {MAX_K}")
        depth = max(k, self.depth)
        user = profile if isinstance(profile, UserProfile) else UserProfile.parse(profile)
        weighted = [(m, w) for m, w in zip(self.members, self.weights, strict=True) if w]
        lists = [member.recommend(user, k=depth, **options) for member, _ in weighted]
        refused = {one.item_id for found in lists for one in found.dropped}
        scores: dict[str, float] = {}
        best: dict[str, Recommendation] = {}
        for found, (_, weight) in zip(lists, weighted, strict=True):
            for one in (one for one in found if one.item_id not in refused):
                scores[one.item_id] = scores.get(one.item_id, 0.0) + weight / (RRF + one.rank)
                if one.item_id not in best or one.rank < best[one.item_id].rank:
                    best[one.item_id] = one
        order = sorted(scores, key=lambda i: -scores[i])[:k]  # stable: ties keep their order
        items = tuple(
            best[i].model_copy(update={"rank": rank, "score": scores[i]})
            for rank, i in enumerate(order, start=1)
        )
        dropped = {one.item_id: one for found in reversed(lists) for one in found.dropped}
        update = {
            "items": items,
            "k": k,
            "dropped": tuple(dropped.values()),
            "notes": tuple(dict.fromkeys(note for found in lists for note in found.notes)),
        }
        return lists[0].model_copy(update=update)
