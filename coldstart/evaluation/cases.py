"""Cold-start test cases: which likes a held-out user reveals, and which are to be predicted.

With a *support set* (the query/support split of meta-learning recommenders; Lee et al., "MeLU", KDD
2019) the first likes of a user are reserved: the picks for k are its first k items, and all likes
outside it are the targets, so that the targets are the same for every k. Without one the targets
are all likes after the picks, and shrink as k grows.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

import numpy as np

from coldstart.data.dataset import Dataset
from coldstart.errors import ConfigError, DataError
from coldstart.schema import Pick, UserProfile
from coldstart.training.simulation import MIN_TARGETS as MIN_TARGETS
from coldstart.training.simulation import N_PICKS as N_PICKS
from coldstart.training.simulation import Order as Order


@dataclass(frozen=True)
class ColdCase:
    """One cold user at one number of picks.

    A recommender cannot know what is excluded: request ``k + len(excluded)`` items and ``cut`` them
    before any metric.

    Args:
        user: id of the held-out user.
        n_picks: number of liked items in the profile.
        profile: input of the recommender.
        targets: relevant items.
        excluded: items that are neither candidates nor targets, picks among them; disjoint from
            ``targets``.
        support: the reserved items, in the order they are picked.
        disliked: candidates that the user rated low; used by the GAUC only.
    """

    user: str
    n_picks: int
    profile: UserProfile
    targets: frozenset[str]
    excluded: frozenset[str] = frozenset()
    support: tuple[str, ...] = ()
    disliked: frozenset[str] = frozenset()


@dataclass(frozen=True)
class ColdSet:
    """Cases by user, in the order of the request, and the number of users without one.

    Args:
        cases: each user by rising number of picks.
        dropped: number of users with too few likes for any case.
    """

    cases: tuple[ColdCase, ...]
    dropped: int


def support_cases(
    data: Dataset,
    users: Sequence[str],
    n_picks: Sequence[int] = N_PICKS,
    *,
    support: int = 10,
    order: Order = "first",
    seed: int = 0,
    min_targets: int = MIN_TARGETS,
    targets: Collection[str] | None = None,
    candidates: Collection[str] | None = None,
    fixed_targets: bool = True,
) -> ColdSet:
    """Cases of users with a support set: attributes and its first k items, for every k.

    Args:
        data: the likes.
        users: held-out users.
        n_picks: numbers of picks.
        support: likes reserved per user; those that are no picks are hidden from the recommender.
        order: the ``first`` likes by time, in that order, or ``random`` ones in a random order;
            ``UserProfile.history`` tells which.
        seed: of the random order; a user's does not depend on the other users.
        min_targets: cases with fewer targets are dropped.
        targets: only these are relevant, and never support; a user's other likes beyond the
            support are then excluded. ``None``: every like outside the support is relevant.
        candidates: only these may be support, targets or recommended; ``None``: the whole catalog.
        fixed_targets: refuse more picks than support items. Otherwise a user's targets for such a
            k are the likes after the first k.

    Raises:
        ConfigError: more picks than support items, or an option out of range.
        DataError: users without likes in ``data``.
    """
    most = support if fixed_targets else max(support, *n_picks)
    if support < 0 or min_targets < 1 or not all(0 <= k <= most for k in n_picks):
        raise ConfigError(
            f"shots {tuple(n_picks)}, support {support} and min_targets {min_targets}",
            hint="shots are from 0 to support, min_targets at least 1",
        )
    if order not in ("first", "random"):
        raise ConfigError(f"order is {order!r}", hint="'first' or 'random'")
    if unknown := [u for u in users if u not in data.likes]:
        raise DataError(
            f"{len(unknown)} users, first {unknown[0]!r}, have no likes in {data.name}",
            hint="is this the data that the split was made of?",
        )
    hidden = frozenset() if candidates is None else frozenset(data.catalog.ids) - set(candidates)
    relevant = frozenset(data.catalog.ids if targets is None else targets) - hidden
    cases: list[ColdCase] = []
    dropped = 0
    for user in users:
        likes = [i for i in data.likes[user] if i not in hidden]
        if order == "random":
            # Seeded by name: independent of the other users.
            rng = np.random.default_rng([seed, *user.encode()])
            likes = [likes[n] for n in rng.permutation(len(likes))]
        reservable = [i for i in likes if targets is None or i not in targets]
        low = relevant.intersection(data.dislikes.get(user, ())).difference(data.likes[user])
        before = len(cases)
        for k in n_picks:
            reserved = reservable[: max(k, support)]
            rest = frozenset(likes) - set(reserved)
            wanted = rest if targets is None else rest & set(targets)
            if len(reserved) < max(k, support) or len(wanted) < min_targets:
                continue
            excluded = hidden | set(reserved) | (rest - wanted)
            picks = tuple(Pick(item=i, by="id") for i in reserved[:k])
            stated = {"liked": picks, "history": order == "first"}
            profile: UserProfile = data.users[user].model_copy(update=stated)
            cases.append(ColdCase(user, k, profile, wanted, excluded, tuple(reserved), low))
        dropped += len(cases) == before
    return ColdSet(tuple(cases), dropped)


def prefix_cases(
    data: Dataset,
    users: Sequence[str],
    n_picks: Sequence[int] = N_PICKS,
    *,
    min_targets: int = MIN_TARGETS,
) -> list[ColdCase]:
    """Cases without a support set: the first k likes are picks, all later ones targets."""
    found = support_cases(
        data, users, n_picks, support=0, min_targets=min_targets, fixed_targets=False
    )
    return list(found.cases)


def shuffled(cases: Sequence[ColdCase], seed: int = 0) -> list[ColdCase]:
    """Negative control: every case with the profile of another user with as many picks.

    Targets stay the user's own, less the other's picks, which are excluded besides the user's own
    exclusions. A user without such another is left out.
    """
    out: list[ColdCase] = []
    for own, other in with_others(cases, seed):
        picks = {p.item for p in other.profile.liked}
        targets, excluded = own.targets - picks, own.excluded | picks
        out.append(replace(own, profile=other.profile, targets=targets, excluded=excluded))
    return out


def with_others(cases: Sequence[ColdCase], seed: int = 0) -> list[tuple[ColdCase, ColdCase]]:
    """Derangement within each number of picks: every case with one of another user."""
    out: list[tuple[ColdCase, ColdCase]] = []
    for k in sorted({c.n_picks for c in cases}):
        group = [c for c in cases if c.n_picks == k]
        if len(group) > 1:
            order = np.random.default_rng([seed, k]).permutation(len(group))
            out += [(group[a], group[b]) for a, b in zip(order, np.roll(order, 1), strict=True)]
    return out


def cut(ranked: Sequence[str], excluded: Collection[str], k: int) -> list[str]:
    """The first ``k`` items that are not excluded.

    >>> cut(["a", "b", "c", "d"], {"a", "c"}, 2)
    ['b', 'd']
    """
    return [i for i in ranked if i not in excluded][:k]
