"""Summary of a replay: by observed picks, over time, and the cost of stale knowledge."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from coldstart.errors import ConfigError, DataError
from coldstart.evaluation.prequential.interest_shift import ShiftAnswer, ShiftPlan
from coldstart.evaluation.prequential.recovery import Recovery, by_user, recovery
from coldstart.evaluation.prequential.replay import ReplayedList
from coldstart.metrics.beyond_accuracy import coverage
from coldstart.metrics.significance import (
    Difference,
    bootstrap_interval,
    holm,
    paired_bootstrap,
)

VALUES: Mapping[str, Callable[[ReplayedList], float | None]] = {
    "ndcg": lambda s: s.ndcg,
    "ctr": lambda s: s.ctr,
    "ctr_soon": lambda s: s.ctr_soon,
    "revenue": lambda s: s.revenue,
}
"""Figures of a list; see ``ReplayedList``."""


@dataclass(frozen=True)
class AtPicks:
    """Mean of one figure over users at one number of observed picks; 95 % bootstrap interval."""

    system: str
    picks: int
    metric: str
    value: float
    low: float
    high: float
    users: int


@dataclass(frozen=True)
class Gain:
    """How fast lists improve: ``(NDCG at the last step − NDCG at the first) / picks between``."""

    system: str
    picks: int
    per_pick: float
    low: float
    high: float


@dataclass(frozen=True)
class Window:
    """One system in one window of arrivals.

    Args:
        system: its name.
        first: the first arrival of the window, from 0.
        last: the last one.
        lists: number of lists shown, at all steps; figures are means over them.
        ndcg: see ``ReplayedList``.
        ctr: see ``ReplayedList``.
        ctr_soon: see ``ReplayedList``.
        coverage: share of the catalog in the window's lists, in [0, 1].
        revenue: per list, in the unit of the values; ``None`` without values.
    """

    system: str
    first: int
    last: int
    lists: int
    ndcg: float
    ctr: float
    ctr_soon: float
    coverage: float
    revenue: float | None


@dataclass(frozen=True)
class Staleness:
    """NDCG gain of newer over older knowledge, on the lists that both have.

    Args:
        system: its name.
        newer: ``live`` or ``retrained``.
        older: ``frozen`` or ``live``.
        level: mean NDCG with the older knowledge.
        difference: newer less older, paired by user; each user's lists are averaged first.
        adjusted: p-value after Holm's correction for all these comparisons.
        users: number of users.
    """

    system: str
    newer: str
    older: str
    level: float
    difference: Difference
    adjusted: float
    users: int

    @property
    def pays(self) -> bool:
        """Whether the newer knowledge is better, beyond noise (adjusted p below .05)."""
        return self.difference.mean > 0 and self.adjusted < 0.05


@dataclass(frozen=True)
class AfterShift:
    """Mean NDCG over users in one phase of a shift; see ``ShiftAnswer``."""

    system: str
    phase: str
    picks: int
    value: float
    low: float
    high: float
    users: int


def at_picks(shown: Sequence[ReplayedList], seed: int = 0) -> list[AtPicks]:
    """Every figure of every system at every step; revenue only if there is any."""
    groups: dict[tuple[str, int], list[ReplayedList]] = {}
    for s in shown:
        groups.setdefault((s.system, s.picks), []).append(s)
    out = []
    for (system, picks), lists in groups.items():
        for metric, value in VALUES.items():
            values = [v for s in lists if (v := value(s)) is not None]
            if values:
                ends = bootstrap_interval(values, seed)
                mean = float(np.mean(values))
                out.append(AtPicks(system, picks, metric, mean, *ends, len(values)))
    return out


def gains(shown: Sequence[ReplayedList], seed: int = 0) -> list[Gain]:
    """How fast the lists of each system improve; none with a single step."""
    out = []
    for system in dict.fromkeys(s.system for s in shown):
        own = [s for s in shown if s.system == system]
        ends = [{s.user: s.ndcg for s in own if s.picks == p} for p in _ends(own)]
        picks = _ends(own)[1] - _ends(own)[0]
        if picks and (both := sorted(ends[0].keys() & ends[1].keys())):
            per = [(ends[1][u] - ends[0][u]) / picks for u in both]
            out.append(Gain(system, picks, float(np.mean(per)), *bootstrap_interval(per, seed)))
    return out


def windows(shown: Sequence[ReplayedList], size: int, n_items: int) -> list[Window]:
    """Cut the arrivals into windows of ``size`` users; the last may be shorter.

    Raises:
        ConfigError: ``size`` is below 1.
    """
    if size < 1:
        raise ConfigError(f"a window of {size} arrivals", hint="give 1 or more")
    out = []
    for system in dict.fromkeys(s.system for s in shown):
        own = [s for s in shown if s.system == system]
        for start in sorted({s.arrival // size * size for s in own}):
            lists = [s for s in own if start <= s.arrival < start + size]
            sold = [s.revenue for s in lists if s.revenue is not None]
            out.append(
                Window(
                    system,
                    start,
                    max(s.arrival for s in lists),
                    len(lists),
                    float(np.mean([s.ndcg for s in lists])),
                    float(np.mean([s.ctr for s in lists])),
                    float(np.mean([s.ctr_soon for s in lists])),
                    coverage([s.items for s in lists], n_items),
                    float(np.mean(sold)) if sold else None,
                )
            )
    return out


def staleness(
    found: Mapping[tuple[str, str], Sequence[ReplayedList]], seed: int = 0
) -> list[Staleness]:
    """Compare frozen with live, and live with retrained knowledge, of each system.

    Args:
        found: lists by (system, ``frozen`` or ``live`` or ``retrained``); only users and steps
            that both sides have are compared.
        seed: of the bootstrap.

    Raises:
        DataError: two sides share fewer than two users.
    """
    rows = []
    for system in dict.fromkeys(name for name, _ in found):
        for older, newer in (("frozen", "live"), ("live", "retrained")):
            if (system, older) not in found or (system, newer) not in found:
                continue
            sides = [{(s.user, s.picks): s.ndcg for s in found[system, v]} for v in (older, newer)]
            both = sides[0].keys() & sides[1].keys()
            a, b = ({u: _mean(side, both, u) for u, _ in both} for side in sides)
            if len(a) < 2:
                raise DataError(
                    f"{system}: {len(a)} users were asked with {older} and {newer} knowledge",
                    hint="replay more users",
                )
            diff = paired_bootstrap(b, a, seed)
            rows.append((system, newer, older, float(np.mean(list(a.values()))), diff, len(a)))
    adjusted = holm([r[4].p_value for r in rows])
    return [Staleness(*r[:5], p, r[5]) for r, p in zip(rows, adjusted, strict=True)]


def after_shift(answers: Sequence[ShiftAnswer], seed: int = 0) -> list[AfterShift]:
    """Means of every system in every phase, at every number of picks."""
    out = []
    for system in dict.fromkeys(a.system for a in answers):
        own = [a for a in answers if a.system == system]
        for phase, picks in dict.fromkeys((a.phase, a.picks) for a in own):
            values = list(by_user(own, phase, picks).values())
            ends, mean = bootstrap_interval(values, seed), float(np.mean(values))
            out.append(AfterShift(system, phase, picks, mean, *ends, len(values)))
    return out


def recoveries(
    answers: Sequence[ShiftAnswer],
    plan: ShiftPlan,
    controls: Mapping[str, str],
    share: float = 0.9,
    seed: int = 0,
) -> dict[str, Recovery]:
    """Recovery of each system to the no-shift control of another, or of itself.

    The level is the control's NDCG at ``plan.before`` picks: what as many picks of the new interest
    would give as there were of the old one.

    Args:
        answers: of all systems named.
        plan: of the shift.
        controls: system → the system that provides its control.
        share: of that level.
        seed: of the bootstrap.
    """
    out = {}
    for system, control in controls.items():
        own = [a for a in answers if a.system == system]
        theirs = [a for a in answers if a.system == control]
        curve = {n: by_user(own, "after", n) for n in plan.steps}
        out[system] = recovery(curve, by_user(theirs, "control", plan.before), share, seed=seed)
    return out


def _ends(shown: Sequence[ReplayedList]) -> tuple[int, int]:
    picks = [s.picks for s in shown]
    return min(picks), max(picks)


def _mean(side: Mapping[tuple[str, int], float], both: set[tuple[str, int]], user: str) -> float:
    return float(np.mean([side[at] for at in sorted(both) if at[0] == user]))
