"""Full-ranking evaluation of anything with ``recommend()`` on users it has never seen."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from coldstart.data.dataset import Dataset
from coldstart.errors import DataError
from coldstart.metrics.ranking_metrics import ndcg, recall
from coldstart.protocols import Recommends
from coldstart.schema import Pick, UserProfile

SHOTS = (0, 1, 3, 5, 10)
MIN_TARGETS = 5
DEPTH = 20
METRICS = ("ndcg@10", "recall@10", "recall@20")


@dataclass(frozen=True)
class ColdCase:
    """One cold user at one number of picks.

    Args:
        user: whose likes these are.
        shots: number of picks shown.
        profile: attributes and the first ``shots`` likes by time; what is reserved is ``seen``.
        targets: all later likes, but for what is reserved.
    """

    user: str
    shots: int
    profile: UserProfile
    targets: frozenset[str]


def cold_users(
    data: Dataset,
    users: Sequence[str],
    shots: Sequence[int] = SHOTS,
    *,
    min_targets: int = MIN_TARGETS,
    reserved: int = 0,
) -> list[ColdCase]:
    """Make a case of every user and number of picks; those with too few targets are left out.

    Args:
        data: the likes.
        users: held-out users.
        shots: numbers of picks.
        min_targets: fewest targets of a case.
        reserved: first likes that are never targets, and not shown. With as many as the most picks
            a user's targets are the same for every number of picks (``support.support_cases``).
    """
    if unknown := [u for u in users if u not in data.likes]:
        raise DataError(
            f"{len(unknown)} users, first {unknown[0]!r}, have no likes in {data.name}",
            hint="is this the data that the split was made of?",
        )
    out = []
    for user in users:
        likes = data.likes[user]
        for k in shots:
            first = max(k, reserved)
            if len(likes) >= first + min_targets:
                picks = [Pick(item=i) for i in likes[:first]]
                said = {"liked": tuple(picks[:k]), "seen": tuple(picks[k:]), "history": True}
                profile: UserProfile = data.users[user].model_copy(update=said)
                out.append(ColdCase(user, k, profile, frozenset(likes[first:])))
    return out


def shuffled(cases: Sequence[ColdCase], seed: int = 0) -> list[ColdCase]:
    """Give every case the profile of another user with as many picks.

    Targets stay the user's own, less the other's picks, which no list may show; nor may it show
    the user's own picks and what is reserved, which are no targets. A user without such another is
    left out.
    """
    out: list[ColdCase] = []
    for own, other in with_others(cases, seed):
        hidden = (*own.profile.liked, *own.profile.seen)
        profile = other.profile.model_copy(update={"seen": hidden})
        targets = own.targets - {p.item for p in other.profile.liked}
        out.append(ColdCase(own.user, own.shots, profile, targets))
    return out


def with_others(cases: Sequence[ColdCase], seed: int = 0) -> list[tuple[ColdCase, ColdCase]]:
    """Every case with one of another user that has as many picks; none where there is no other."""
    out: list[tuple[ColdCase, ColdCase]] = []
    for k in sorted({c.shots for c in cases}):
        group = [c for c in cases if c.shots == k]
        if len(group) > 1:
            order = np.random.default_rng([seed, k]).permutation(len(group))
            out += [(group[a], group[b]) for a, b in zip(order, np.roll(order, 1), strict=True)]
    return out


@dataclass(frozen=True)
class Row:
    """One system at one number of picks.

    Args:
        system: its name.
        shots: number of picks.
        users: number of users averaged over.
        values: mean of each metric.
        half_width: half of the 95 % confidence interval of each mean (bootstrap over users).
    """

    system: str
    shots: int
    users: int
    values: dict[str, float]
    half_width: dict[str, float]


def evaluate(
    systems: Mapping[str, Recommends],
    cases: Sequence[ColdCase],
    *,
    seed: int = 0,
    report: Callable[[int, int], None] | None = None,
) -> list[Row]:
    """Score systems on cold users by NDCG@10 and Recall@10/20 over the whole catalog.

    Every item but the picks is a candidate; nothing is sampled.

    Args:
        systems: by name.
        cases: from ``cold_users``.
        seed: of the bootstrap.
        report: called with (done, total) after each case.
    """
    return summarise(score(systems, cases, report), seed)


@dataclass(frozen=True)
class Score:
    """One system on one case: a value for each of ``METRICS``."""

    system: str
    shots: int
    values: tuple[float, ...]


def score(
    systems: Mapping[str, Recommends],
    cases: Sequence[ColdCase],
    report: Callable[[int, int], None] | None = None,
) -> list[Score]:
    """Ask every system about every case; see ``evaluate``."""
    out = []
    for done, case in enumerate(cases, start=1):
        for name, system in systems.items():
            ids = system.recommend(case.profile, k=DEPTH).item_ids
            values = (
                ndcg(ids, case.targets, 10),
                recall(ids, case.targets, 10),
                recall(ids, case.targets, 20),
            )
            out.append(Score(name, case.shots, values))
        if report:
            report(done, len(cases))
    return out


def summarise(scores: Sequence[Score], seed: int = 0) -> list[Row]:
    """Mean and interval of each system at each number of picks."""
    found: dict[tuple[str, int], list[tuple[float, ...]]] = {}
    for s in scores:
        found.setdefault((s.system, s.shots), []).append(s.values)
    return [_row(name, k, np.array(values), seed) for (name, k), values in found.items()]


def _row(name: str, k: int, values: np.ndarray, seed: int) -> Row:
    rng = np.random.default_rng(seed)
    draws = rng.integers(0, len(values), size=(2000, len(values)))
    low, high = np.percentile(values[draws].mean(axis=1), [2.5, 97.5], axis=0)
    means, halves = values.mean(axis=0).tolist(), ((high - low) / 2).tolist()
    return Row(
        name,
        k,
        len(values),
        dict(zip(METRICS, means, strict=True)),
        dict(zip(METRICS, halves, strict=True)),
    )
