"""Simulated interest drift: real likes, reordered from one group of genres to another.

The construction, for a user and a direction (old group → new group):

1. Genres are dealt into two groups (``genre_groups``): the two ends of the line along which the
   training users' tastes differ most. A like belongs to a group if all its genres do.
2. The user's first likes of the old group, in their own order, come ``before`` the shift; the first
   of the new group come ``after`` it. Likes of neither group are left out, and what lies in between
   is cut away, so that the shift is abrupt (Gama et al., 2014, call it sudden drift).
3. All other likes of the new group are the targets after the shift, those of the old group the
   targets before it. Items of ``before`` and ``after`` are neither shown nor missed.

The likes are real, their order is simulated.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from coldstart.data.dataset import Dataset
from coldstart.errors import ConfigError, DataError
from coldstart.evaluation.cases import cut
from coldstart.metrics.ranking_metrics import ndcg
from coldstart.protocols import Recommends
from coldstart.schema import Pick, UserProfile

Phase = Literal["before", "after", "control"]
_SMALL = 1e-9


@dataclass(frozen=True)
class ShiftPlan:
    """Lengths of the histories, and the steps at which lists are evaluated.

    Args:
        before: likes of the old group that are observed before the shift.
        after: likes of the new group that are observed after it, at least ``before``.
        steps: numbers of likes after the shift to evaluate at, rising, at most ``after``.
        k: length of the lists.
        min_targets: a history with fewer targets before or after the shift is left out.

    Raises:
        ConfigError: an option out of range.
    """

    before: int = 10
    after: int = 15
    steps: tuple[int, ...] = (0, 1, 2, 3, 5, 7, 10, 15)
    k: int = 10
    min_targets: int = 5

    def __post_init__(self) -> None:
        if not 1 <= self.before <= self.after or min(self.k, self.min_targets) < 1:
            raise ConfigError(
                f"{self.before} likes before and {self.after} after the shift, k {self.k}, "
                f"min_targets {self.min_targets}",
                hint="1 or more before, at least as many after",
            )
        rising = sorted(set(self.steps)) == list(self.steps)
        if not self.steps or not rising or not 0 <= self.steps[0] <= self.steps[-1] <= self.after:
            raise ConfigError(
                f"steps are {self.steps}", hint=f"rising numbers from 0 to {self.after}"
            )


@dataclass(frozen=True)
class ShiftCase:
    """One user with a drift from one group to another.

    Args:
        user: id of the user.
        direction: 0: from the first group to the second; 1: the other way.
        profile: attributes only.
        before: old likes, oldest first.
        after: new likes, oldest first.
        old_targets: other likes of the old group.
        targets: other likes of the new group.
    """

    user: str
    direction: int
    profile: UserProfile
    before: tuple[str, ...]
    after: tuple[str, ...]
    old_targets: frozenset[str]
    targets: frozenset[str]


@dataclass(frozen=True)
class ShiftAnswer:
    """NDCG@k of one list, in [0, 1].

    Args:
        system: its name.
        user: id of the user.
        direction: as in ``ShiftCase``.
        phase: ``before``: profile of old likes, old targets. ``after``: profile of old likes and
            the first ``picks`` new ones, new targets. ``control``: no shift; profile of the first
            ``picks`` new likes, new targets.
        picks: number of likes of the group that is wanted.
        ndcg: the value.
    """

    system: str
    user: str
    direction: int
    phase: Phase
    picks: int
    ndcg: float


def genre_groups(data: Dataset, users: Sequence[str]) -> tuple[frozenset[str], frozenset[str]]:
    """Deal the categories into two groups, from the likes of training users.

    A user's taste is the share of each category in their likes (a like of c categories gives 1/c to
    each). The first principal component of the users' tastes (Pearson, 1901) is the line along
    which they differ most; categories are dealt by the sign of their loading, those of none to the
    second group. The group of the largest loading comes first.

    Raises:
        DataError: the likes show fewer than two categories, or no difference between users.
    """
    names = sorted({c for item in data.catalog for c in item.categories})
    at = {name: n for n, name in enumerate(names)}
    rows = []
    for user in users:
        row = np.zeros(len(names))
        for item in data.likes[user]:
            for c in (categories := data.catalog[item].categories):
                row[at[c]] += 1 / len(categories)
        if row.sum() > 0:
            rows.append(row / row.sum())
    spread = np.array(rows) - np.mean(rows, axis=0) if rows else np.zeros((1, len(names)))
    if len(names) < 2 or np.abs(spread).max() < _SMALL:
        raise DataError(
            f"{len(rows)} users and {len(names)} categories show no two tastes",
            hint="a shift needs items with categories; or name the groups yourself",
        )
    loading = np.linalg.eigh(spread.T @ spread)[1][:, -1]
    loading *= np.sign(loading[np.argmax(np.abs(loading))])
    first = frozenset(n for n, x in zip(names, loading, strict=True) if x > _SMALL)
    return first, frozenset(names) - first


def shift_cases(
    data: Dataset,
    users: Sequence[str],
    groups: tuple[frozenset[str], frozenset[str]],
    plan: ShiftPlan | None = None,
) -> list[ShiftCase]:
    """Make a case of every user and direction with enough likes; see the top of the module.

    Raises:
        DataError: the groups overlap or one is empty, a category is in no item, a user has no
            likes, or no user has enough.
    """
    plan = plan or ShiftPlan()
    known = {c for item in data.catalog for c in item.categories}
    if not all(groups) or groups[0] & groups[1] or not groups[0] | groups[1] <= known:
        said = " / ".join(",".join(sorted(g)) or "nothing" for g in groups)
        raise DataError(
            f"no two groups of categories: {said}",
            hint=f"two groups that share none, of {', '.join(sorted(known)) or 'no categories'}",
        )
    out = []
    for user in users:
        if user not in data.likes:
            raise DataError(f"user {user!r} has no likes in {data.name}", hint="another dataset?")
        kinds = [frozenset(data.catalog[i].categories) for i in data.likes[user]]
        own = [
            [i for i, kind in zip(data.likes[user], kinds, strict=True) if kind and kind <= group]
            for group in groups
        ]
        for direction, (old, new) in enumerate((own, own[::-1])):
            if (
                len(old) >= plan.before + plan.min_targets
                and len(new) >= plan.after + plan.min_targets
            ):
                out.append(
                    ShiftCase(
                        user,
                        direction,
                        data.users[user],
                        tuple(old[: plan.before]),
                        tuple(new[: plan.after]),
                        frozenset(old[plan.before :]),
                        frozenset(new[plan.after :]),
                    )
                )
    if not out:
        raise DataError(
            f"none of {len(users)} users has {plan.before} + {plan.min_targets} likes of one group "
            f"and {plan.after} + {plan.min_targets} of the other",
            hint="lower --before and --after, or name other groups",
        )
    return out


def ask_shifted(
    name: str,
    system: Recommends,
    cases: Sequence[ShiftCase],
    plan: ShiftPlan | None = None,
    *,
    phases: Sequence[Phase] = ("before", "after", "control"),
    report: Callable[[str, int, int], None] | None = None,
) -> list[ShiftAnswer]:
    """Evaluate one recommender on all cases; see ``ShiftAnswer``.

    The control is evaluated at the steps and at ``plan.before`` picks.

    Args:
        name: of the system.
        system: anything with ``recommend``.
        cases: from ``shift_cases`` with the same plan.
        plan: the default is ``ShiftPlan()``.
        phases: which are evaluated.
        report: called with (name, cases done, cases).
    """
    plan, out = plan or ShiftPlan(), []

    def ask(case: ShiftCase, phase: Phase, picks: int, said: Sequence[str]) -> None:
        wanted = case.old_targets if phase == "before" else case.targets
        reserved = {*case.before, *case.after}
        liked = tuple(Pick(item=i, by="id") for i in said)
        profile = case.profile.model_copy(update={"liked": liked, "history": True})
        ranked = system.recommend(profile, k=plan.k + len(reserved) - len(said)).item_ids
        value = ndcg(cut(ranked, reserved, plan.k), wanted, plan.k)
        out.append(ShiftAnswer(name, case.user, case.direction, phase, picks, value))

    for done, case in enumerate(cases, start=1):
        if "before" in phases:
            ask(case, "before", plan.before, case.before)
        if "after" in phases:
            for n in plan.steps:
                ask(case, "after", n, (*case.before, *case.after[:n]))
        if "control" in phases:
            for n in sorted({*plan.steps, plan.before}):
                ask(case, "control", n, case.after[:n])
        if report:
            report(name, done, len(cases))
    return out
