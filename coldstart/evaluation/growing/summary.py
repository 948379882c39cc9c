"""Summary of a replay from zero: curves with intervals, and what our system gains over others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from coldstart.evaluation.growing.run import GrowthRun
from coldstart.metrics.significance import (
    Difference,
    bootstrap_interval,
    holm,
    paired_bootstrap,
)

ALL_PICKS = None
"""In place of a number of picks: the mean of a user's lists of all numbers of picks."""


@dataclass(frozen=True)
class CurvePoint:
    """Mean NDCG@10 of one system; 95 % bootstrap interval over users.

    Args:
        system: its name.
        events: number of observed likes.
        n_picks: number of picks; ``None``: of all numbers, each user's lists averaged first.
        value: the mean.
        low: lower end.
        high: upper end.
        users: number of users.
    """

    system: str
    events: int
    n_picks: int | None
    value: float
    low: float
    high: float
    users: int


@dataclass(frozen=True)
class GrowthGain:
    """NDCG@10 of our system less another's on the same lists.

    Args:
        other: name of the other.
        events: number of observed likes.
        n_picks: as in ``CurvePoint``.
        difference: paired by user.
        adjusted: p-value after Holm's correction for all gains of the report.
    """

    other: str
    events: int
    n_picks: int | None
    difference: Difference
    adjusted: float


def curves(run: GrowthRun, seed: int = 0) -> list[CurvePoint]:
    """Mean of every system at every step, for each number of picks and for all of them."""
    out = []
    for system in run.systems:
        for events in run.steps:
            for picks in (ALL_PICKS, *_picks(run)):
                values = list(_by_user(run, system, events, picks).values())
                ends = bootstrap_interval(values, seed)
                mean = float(np.mean(values))
                out.append(CurvePoint(system, events, picks, mean, *ends, len(values)))
    return out


def gains(run: GrowthRun, ours: str, seed: int = 0) -> list[GrowthGain]:
    """What ``ours`` gains over every other system at every step, for all numbers of picks."""
    found: list[tuple[str, int, int | None, Difference]] = []
    for other in run.systems:
        if other == ours:
            continue
        for events in run.steps:
            for picks in (ALL_PICKS, *_picks(run)):
                sides = [_by_user(run, name, events, picks) for name in (ours, other)]
                found.append((other, events, picks, paired_bootstrap(sides[0], sides[1], seed)))
    adjusted = holm([difference.p_value for *_, difference in found])
    return [GrowthGain(*row, p) for row, p in zip(found, adjusted, strict=True)]


def _picks(run: GrowthRun) -> tuple[int, ...]:
    return tuple(sorted({one.n_picks for one in run.lists}))


def _by_user(run: GrowthRun, system: str, events: int, picks: int | None) -> Mapping[str, float]:
    found: dict[str, list[float]] = {}
    for one in run.lists:
        if (one.system, one.events) == (system, events) and picks in (None, one.n_picks):
            found.setdefault(one.user, []).append(one.ndcg)
    return {user: float(np.mean(values)) for user, values in found.items()}
