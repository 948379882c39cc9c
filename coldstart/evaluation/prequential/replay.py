"""Prequential evaluation: recommend, observe, learn, in time order.

Likes of held-out users are played back in time order. Before a like is seen, its user may be shown
a list, made of what is known by then; then the recommender learns of the like (interleaved
test-then-train: Gama, Sebastião and Rodrigues, 2013; for recommenders Vinagre, Jorge and Gama,
2014). A log lacks the reaction to other lists: the likes are fixed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from coldstart.data.dataset import Dataset
from coldstart.data.ties import tie_key
from coldstart.errors import ConfigError, DataError
from coldstart.evaluation.cases import cut
from coldstart.metrics.ranking_metrics import ndcg
from coldstart.protocols import Recommends
from coldstart.schema import Pick, UserProfile

Report = Callable[[str, int, int], None]


@runtime_checkable
class Observes(Protocol):
    """A recommender that learns while it is used; one without this stays as it is."""

    def observe(self, profile: UserProfile, item_id: str) -> None:
        """Learn of one like.

        Args:
            profile: ``user_id``, attributes, and in ``liked`` all earlier likes, oldest first.
            item_id: what is liked now.
        """
        ...


@dataclass(frozen=True)
class ReplayPlan:
    """Steps at which lists are evaluated, and their length.

    Args:
        steps: numbers of observed picks after which a user is shown a list, rising from 0 up.
        k: length of the lists.
        soon: "soon" is among the next so many likes.
        min_targets: users with fewer likes beyond the last step are only learned from.

    Raises:
        ConfigError: an option out of range.
    """

    steps: tuple[int, ...] = (0, 1, 2, 3, 5, 10, 15, 20)
    k: int = 10
    soon: int = 10
    min_targets: int = 5

    def __post_init__(self) -> None:
        rising = sorted(set(self.steps)) == list(self.steps)
        if not self.steps or not rising or self.steps[0] < 0:
            raise ConfigError(
                f"steps are {self.steps}", hint="rising numbers of picks, such as 0,1,3,10"
            )
        if min(self.k, self.soon, self.min_targets) < 1:
            raise ConfigError(
                f"k {self.k}, soon {self.soon} and min_targets {self.min_targets}",
                hint="each is at least 1",
            )


@dataclass(frozen=True)
class Like:
    """One like of the stream: ``time`` as in ``Dataset.times``, or a position if that is empty."""

    user: str
    item: str
    time: float


@dataclass(frozen=True)
class ReplayedList:
    """One recommended list and its metrics.

    Args:
        system: its name.
        user: id of the user.
        arrival: place of the user among those evaluated, in the order of their first likes, from 0.
        picks: number of likes the user had by then.
        seen: number of likes of all users that had been played by then.
        items: ids shown, best first, at most k.
        ndcg: NDCG@k for the likes after the last step, in [0, 1]. Likes up to the last step are
            neither shown nor missed, so that the targets are the same at every step.
        ctr: share of ``items`` that the user likes at any later time, in [0, 1].
        ctr_soon: share of ``items`` that are among the user's next ``soon`` likes, in [0, 1].
        revenue: sum of ``Item.value`` over the items liked later, those without one for 0;
            ``None`` if no item of the catalog carries a value.
    """

    system: str
    user: str
    arrival: int
    picks: int
    seen: int
    items: tuple[str, ...]
    ndcg: float
    ctr: float
    ctr_soon: float
    revenue: float | None


def stream(data: Dataset, users: Sequence[str]) -> list[Like]:
    """All likes of some users in time order; each user's own stay in their order.

    Users with equal times come in the order of a hash of their ids. Without ``Dataset.times``,
    users come one after the other, in the order given.

    Raises:
        DataError: a user without likes in ``data``, or named twice.
    """
    if unknown := [u for u in users if u not in data.likes]:
        raise DataError(
            f"{len(unknown)} users, first {unknown[0]!r}, have no likes in {data.name}",
            hint="is this the data that the split was made of?",
        )
    if len(set(users)) < len(users):
        raise DataError("a user is named twice", hint="name everyone once")
    out: list[Like] = []
    for user in users:
        likes = data.likes[user]
        times = data.times[user] if data.times else range(len(out), len(out) + len(likes))
        out += [Like(user, i, float(t)) for i, t in zip(likes, times, strict=True)]
    if not data.times:
        return out
    return sorted(out, key=lambda like: (like.time, tie_key(like.user, "")))  # stable


def arrivals(data: Dataset, users: Sequence[str], plan: ReplayPlan) -> dict[str, int]:
    """Arrival order, by first like, of the users with enough likes to be evaluated.

    Raises:
        DataError: there is none; or as for ``stream``.
    """
    likes = stream(data, users)
    need = plan.steps[-1] + plan.min_targets
    long = [u for u in dict.fromkeys(x.user for x in likes) if len(data.likes[u]) >= need]
    if not long:
        raise DataError(
            f"none of {len(users)} users has {need} likes: {plan.steps[-1]} picks and "
            f"{plan.min_targets} targets",
            hint="lower the last step",
        )
    return {user: place for place, user in enumerate(long)}


def replay(
    name: str,
    system: Recommends,
    data: Dataset,
    users: Sequence[str],
    plan: ReplayPlan | None = None,
    *,
    ask_from: int = 0,
    report: Report | None = None,
) -> list[ReplayedList]:
    """Replay the likes of ``users`` to one recommender and evaluate its lists.

    Args:
        name: of the system, for the results.
        system: anything with ``recommend``; with ``observe`` too, it observes every like. It is
            given nothing else, so the future is hidden from it.
        data: the likes, and the catalog.
        users: held-out users; all are learned from, those with enough likes are evaluated.
        plan: the steps; the default is ``ReplayPlan()``.
        ask_from: evaluate only once so many likes have been played; learning is not affected.
        report: called with (name, likes played, likes).

    Returns:
        In the order of asking.

    Raises:
        DataError: no user has enough likes, one has none, or a list has an item twice.
    """
    plan = plan or ReplayPlan()
    likes, place = stream(data, users), arrivals(data, users, plan)
    said = {u: tuple(Pick(item=i, by="id") for i in data.likes[u]) for u in users}
    value = _values(data)
    size, told = len(data.catalog), dict.fromkeys(users, 0)
    out: list[ReplayedList] = []
    for seen, like in enumerate(likes):
        user, picks = like.user, told[like.user]
        about = {"user_id": user, "liked": said[user][:picks], "history": True}
        profile: UserProfile = data.users[user].model_copy(update=about)
        if user in place and picks in plan.steps and seen >= ask_from:
            known, last = data.likes[user], plan.steps[-1]
            ranked = system.recommend(profile, k=min(plan.k + last - picks, size)).item_ids
            if len(set(ranked)) < len(ranked):
                raise DataError(f"{name} shows an item twice", hint="a list has every item once")
            items, later = tuple(ranked[: plan.k]), set(known[picks:])
            clicked = [i for i in items if i in later]
            soon = set(known[picks : picks + plan.soon]).intersection(items)
            fair = cut(ranked, set(known[:last]), plan.k)
            out.append(
                ReplayedList(
                    name,
                    user,
                    place[user],
                    picks,
                    seen,
                    items,
                    ndcg(fair, known[last:], plan.k),
                    len(clicked) / max(1, len(items)),
                    len(soon) / max(1, len(items)),
                    sum(value.get(i, 0.0) for i in clicked) if value else None,
                )
            )
        if isinstance(system, Observes):
            system.observe(profile, like.item)
        told[user] += 1
        if report:
            report(name, seen + 1, len(likes))
    return out


def _values(data: Dataset) -> Mapping[str, float]:
    return {i.item_id: i.value for i in data.catalog if i.value is not None}
