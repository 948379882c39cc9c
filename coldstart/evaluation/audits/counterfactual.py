"""Counterfactual audit: how lists change when one sensitive attribute of the profile changes.

Counterfactual fairness (Kusner et al., 2017), measured on the lists as Zhang et al. (2023, FaiRLLM)
measure it on a language model: the similarity of the lists for profiles that differ in one
sensitive attribute. It tests the recommender, not people: what a user of another group would have
liked is unknown.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from coldstart.errors import DataError
from coldstart.evaluation.audits.list_similarity import (
    DEPTH,
    MEASURES,
    TOP,
    MeanInterval,
    compare,
    mean_of,
)
from coldstart.evaluation.cases import ColdCase, with_others
from coldstart.interactions.interaction_stats import attribute_groups
from coldstart.metrics.ranking_metrics import ndcg
from coldstart.metrics.significance import Difference, paired_bootstrap
from coldstart.protocols import Recommends
from coldstart.schema import UserProfile

ATTRIBUTES = ("gender", "age", "occupation")
ANOTHER = "another user's profile"
MIN_USERS = 5
"""Directions of a change with fewer users are not reported."""

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Moved:
    """Effect of one change of the profiles on the lists of one system.

    Args:
        system: its name.
        n_picks: number of picks.
        changed: what was changed; with a direction (``gender: f → m``) where there are only two.
        overlap: of the first 10, in [0, 1].
        rbo: rank-biased overlap, p = 0.9, in [0, 1].
        shift: places that the first 10 move, mean of the absolute values, 0 to ``DEPTH``.
        ndcg: NDCG@10 of the true profiles, mean.
        gain: NDCG@10 of the changed profiles less that of the true ones; ``None`` where the
            targets are not theirs, or for one user.
    """

    system: str
    n_picks: int
    changed: str
    overlap: MeanInterval
    rbo: MeanInterval
    shift: MeanInterval
    ndcg: float
    gain: Difference | None


@dataclass(frozen=True)
class Counterfactual:
    """Result of the counterfactual audit.

    Args:
        rows: by system, number of picks and change.
        left_out: what could not be tested, and why, one line each.
    """

    rows: tuple[Moved, ...]
    left_out: tuple[str, ...] = ()


def group_of(profile: UserProfile, attribute: str) -> str | None:
    """Group of a profile by one attribute (age by decade), as in the counts, or ``None``."""
    alone = UserProfile(**{attribute: getattr(profile, attribute)})
    return next((g.split("=", 1)[1] for g in attribute_groups(alone)), None)


class Flips:
    """Changes one attribute of a profile to a value of another group.

    The value is that of a training user, drawn among all of another group, so that it is as common
    as it is among people. A draw depends on the seed, the user and the attribute alone.

    Args:
        people: training users.
        seed: of the draws.
    """

    def __init__(self, people: Mapping[str, UserProfile], seed: int = 0) -> None:
        self._seed = seed
        self._values: dict[str, list[tuple[str, object]]] = {}
        for name in ATTRIBUTES:
            found = [(group_of(p, name), getattr(p, name)) for _, p in sorted(people.items())]
            self._values[name] = [(g, value) for g, value in found if g is not None]

    def groups(self, attribute: str) -> set[str]:
        """The groups that people are in by an attribute."""
        return {g for g, _ in self._values[attribute]}

    def flip(self, user: str, profile: UserProfile, attribute: str) -> UserProfile | None:
        """The profile with another value, or ``None`` if it has none or there is no other."""
        own = group_of(profile, attribute)
        others = [value for g, value in self._values[attribute] if g != own]
        if own is None or not others:
            return None
        place = [self._seed, zlib.crc32(user.encode()), ATTRIBUTES.index(attribute)]
        drawn = others[int(np.random.default_rng(place).integers(len(others)))]
        return profile.model_copy(update={attribute: drawn})


def audit_counterfactual(
    systems: Mapping[str, Recommends],
    cases: Sequence[ColdCase],
    people: Mapping[str, UserProfile],
    *,
    seed: int = 0,
    report: Progress | None = None,
) -> Counterfactual:
    """Change gender, age band and occupation of held-out users, one at a time.

    For scale, every list is also compared with that of another held-out user with as many picks.

    Args:
        systems: by name.
        cases: held-out users, from ``cold_users``.
        people: training users, the source of other values.
        seed: of the draws and the bootstrap.
        report: called with (done, total) after each case.

    Raises:
        DataError: there is no case.
    """
    if not cases:
        raise DataError("there is no held-out user to ask about", hint="give a split with more")
    flips = Flips(people, seed)
    lists: dict[tuple[str, str, int], list[str]] = {}
    found: dict[tuple[str, int, str], dict[str, dict[str, float]]] = {}
    for done, case in enumerate(cases, start=1):
        changes = _changes(flips, case)
        # One profile after the other, so that systems that share a language model ask it once.
        for name, system in systems.items():
            ids = system.recommend(case.profile, k=DEPTH).item_ids
            lists[name, case.user, case.n_picks] = ids
        for profile, labels in changes:
            for name, system in systems.items():
                ids = system.recommend(profile, k=DEPTH).item_ids
                own = lists[name, case.user, case.n_picks]
                values = compare(own, ids) | _gain(own, ids, case)
                for label in labels:
                    found.setdefault((name, case.n_picks, label), {})[case.user] = values
        if report:
            report(done, len(cases))
    for case, other in with_others(cases, seed):
        for name in systems:
            own = lists[name, case.user, case.n_picks]
            values = compare(own, lists[name, other.user, case.n_picks])
            values["ndcg"] = ndcg(own, case.targets, TOP)
            found.setdefault((name, case.n_picks, ANOTHER), {})[case.user] = values
    names, labels = list(systems), [*ATTRIBUTES, ANOTHER]

    def place(key: tuple[str, int, str]) -> tuple[int, int, int, str]:
        name, n_picks, label = key
        return names.index(name), n_picks, labels.index(label.split(":")[0]), label

    rows = [
        _row(*key, found[key], seed)
        for key in sorted(found, key=place)
        if key[2] in labels or len(found[key]) >= MIN_USERS
    ]
    return Counterfactual(tuple(rows), tuple(_left_out(flips, cases)))


def _changes(flips: Flips, case: ColdCase) -> list[tuple[UserProfile, list[str]]]:
    """Changed profiles of a case, each with the rows it belongs to."""
    out = []
    for name in ATTRIBUTES:
        profile = flips.flip(case.user, case.profile, name)
        if profile is not None:
            labels = [name]
            if len(flips.groups(name)) == 2:
                way = f"{group_of(case.profile, name)} → {group_of(profile, name)}"
                labels.append(f"{name}: {way}")
            out.append((profile, labels))
    return out


def _gain(own: list[str], ids: list[str], case: ColdCase) -> dict[str, float]:
    values = (ndcg(own, case.targets, TOP), ndcg(ids, case.targets, TOP))
    return dict(zip(("ndcg", "changed ndcg"), values, strict=True))


def _row(
    system: str, n_picks: int, label: str, values: Mapping[str, Mapping[str, float]], seed: int
) -> Moved:
    means = {m: mean_of({u: v[m] for u, v in values.items()}, seed) for m in MEASURES}
    before = {u: v["ndcg"] for u, v in values.items()}
    after = {u: v["changed ndcg"] for u, v in values.items() if "changed ndcg" in v}
    gain = paired_bootstrap(after, before, seed) if len(after) > 1 else None
    true = sum(before.values()) / len(before)
    return Moved(system, n_picks, label, means["overlap"], means["rbo"], means["shift"], true, gain)


def _left_out(flips: Flips, cases: Sequence[ColdCase]) -> list[str]:
    out = []
    for name in ATTRIBUTES:
        if (groups := len(flips.groups(name))) < 2:
            what = "no training user says it" if not groups else "all say the same"
            out.append(f"{name} is not changed: {what}")
            continue
        lacking = {c.user for c in cases if group_of(c.profile, name) is None}
        if lacking:
            users = len({c.user for c in cases})
            out.append(f"{name} is not changed for {len(lacking)} of {users} users: not said")
    return out
