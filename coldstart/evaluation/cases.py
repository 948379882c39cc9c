"""Cold users asked with the same targets for every number of picks.

``harness.cold_users`` hides the likes after the picks, so its targets shrink as the picks grow, and
a figure at k=10 is about other films than one at k=0. Here a fixed support set is taken out of a
user's likes; the picks for k are its first k items, and all likes outside it are the targets.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

from coldstart.data.dataset import Dataset
from coldstart.errors import ConfigError, DataError
from coldstart.evaluation.harness import MIN_TARGETS, SHOTS
from coldstart.schema import Pick, UserProfile
from coldstart.training.simulation import Order as Order


@dataclass(frozen=True)
class SupportCase:
    """One cold user at one number of picks; a ``harness.ColdCase`` with items nobody may show.

    A recommender cannot know what is excluded: ask it for ``k + len(excluded)`` items and ``cut``
    them before any metric.

    Args:
        user: whose likes these are.
        shots: number of picks shown.
        profile: what the recommender is told.
        targets: the likes to be found; the same for every number of picks.
        excluded: items that are neither shown nor missed, picks among them; disjoint from
            ``targets``, and the same for every number of picks.
        support: the items reserved for what the user says, in the order they are picked.
        disliked: items the user rated low that may be shown (and looked for, if only some are);
            the same for every number of picks. Nothing but the GAUC looks at them.
    """

    user: str
    shots: int
    profile: UserProfile
    targets: frozenset[str]
    excluded: frozenset[str]
    support: tuple[str, ...] = ()
    disliked: frozenset[str] = frozenset()


@dataclass(frozen=True)
class ColdSet:
    """Cases, user by user in the order asked for, and how many users were too short for one.

    Args:
        cases: every user that is in it has one case for each number of picks.
        dropped: number of users left out.
    """

    cases: tuple[SupportCase, ...]
    dropped: int


def support_cases(
    data: Dataset,
    users: Sequence[str],
    shots: Sequence[int] = SHOTS,
    *,
    support: int = 10,
    order: Order = "first",
    seed: int = 0,
    min_targets: int = MIN_TARGETS,
    targets: Collection[str] | None = None,
    candidates: Collection[str] | None = None,
) -> ColdSet:
    """Make a case of every user and number of picks: attributes and the first k support items.

    Args:
        data: the likes.
        users: held-out users.
        shots: numbers of picks, each at most ``support``.
        support: likes reserved per user; those that are no picks are shown to nobody.
        order: the ``first`` likes by time, in that order, or ``random`` ones in a random order;
            the profile says which (``UserProfile.history``).
        seed: of the random order; a user's does not depend on who else is asked for.
        min_targets: users with fewer targets (or fewer likes than ``support``) are dropped.
        targets: only these count as targets, and never as support; a user's other likes beyond
            the support are then excluded. ``None``: every like outside the support is a target.
        candidates: only these may be support, targets or shown; ``None``: the whole catalog.

    Raises:
        ConfigError: more picks than support items, or an option out of range.
        DataError: users without likes in ``data``.
    """
    if support < 0 or min_targets < 1 or not all(0 <= k <= support for k in shots):
        raise ConfigError(
            f"shots {tuple(shots)}, support {support} and min_targets {min_targets}",
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
    looked_for = frozenset(data.catalog.ids if targets is None else targets) - hidden
    cases: list[SupportCase] = []
    dropped = 0
    for user in users:
        likes = [i for i in data.likes[user] if i not in hidden]
        if order == "random":
            # Seeded by name, so that it does not matter who else is asked for.
            rng = np.random.default_rng([seed, *user.encode()])
            likes = [likes[n] for n in rng.permutation(len(likes))]
        reserved = [i for i in likes if targets is None or i not in targets][:support]
        rest = frozenset(likes) - set(reserved)
        wanted = rest if targets is None else rest & set(targets)
        if len(reserved) < support or len(wanted) < min_targets:
            dropped += 1
            continue
        excluded = hidden | set(reserved) | (rest - wanted)
        low = looked_for.intersection(data.dislikes.get(user, ())).difference(data.likes[user])
        for k in shots:
            picks = tuple(Pick(item=i) for i in reserved[:k])
            said = {"liked": picks, "history": order == "first"}
            profile: UserProfile = data.users[user].model_copy(update=said)
            cases.append(SupportCase(user, k, profile, wanted, excluded, tuple(reserved), low))
    return ColdSet(tuple(cases), dropped)


def cut(ranked: Sequence[str], excluded: Collection[str], k: int) -> list[str]:
    """The best ``k`` items that may be shown.

    >>> cut(["a", "b", "c", "d"], {"a", "c"}, 2)
    ['b', 'd']
    """
    return [i for i in ranked if i not in excluded][:k]
