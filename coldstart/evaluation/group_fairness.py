"""Group fairness: means by group of users, and the gap between groups."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from coldstart.errors import ConfigError, DataError
from coldstart.metrics.significance import bootstrap_interval, finite, quantile, resample


@dataclass(frozen=True)
class GroupMean:
    """One group of users.

    Args:
        mean: of its users' values.
        low: lower end of the mean's interval.
        high: upper end.
        users: how many there are.
    """

    mean: float
    low: float
    high: float
    users: int


@dataclass(frozen=True)
class Groups:
    """All groups, large and small.

    Args:
        means: by name, of the groups large enough to speak of.
        small: number of users by name, of the others.
    """

    means: dict[str, GroupMean]
    small: dict[str, int]


@dataclass(frozen=True)
class Gap:
    """How far the best served group is from the worst.

    Args:
        best: name of the group with the highest mean.
        worst: name of the group with the lowest.
        difference: of their means, at least 0.
        low: lower end of its interval, at least 0.
        high: upper end.
        p_value: of a gap as large where all groups are served alike; never 0.
    """

    best: str
    worst: str
    difference: float
    low: float
    high: float
    p_value: float


def by_group(
    values: Mapping[str, float],
    groups: Mapping[str, str],
    min_size: int = 5,
    *,
    seed: int = 0,
    level: float = 0.95,
    draws: int = 2000,
) -> Groups:
    """Mean and bootstrap interval of each group's users.

    Args:
        values: by user.
        groups: name by user; may have more users than ``values``, not fewer.
        min_size: groups with fewer users are counted, not measured; 2 or more.
        seed: of the resampling.
        level: of the intervals, each for itself.
        draws: number of resamples.

    Returns:
        Groups by name, in alphabetical order; none for no users.

    Raises:
        DataError: a user has no group, or a value is not finite.
    """
    large, small = _cut(values, groups, min_size)
    means = {
        name: GroupMean(
            float(sample.mean()),
            *bootstrap_interval(sample.tolist(), seed, level, draws),
            len(sample),
        )
        for name, sample in large.items()
    }
    return Groups(means, small)


def gap(
    values: Mapping[str, float],
    groups: Mapping[str, str],
    min_size: int = 5,
    *,
    seed: int = 0,
    level: float = 0.95,
    draws: int = 2000,
) -> Gap:
    """Best less worst group mean, its interval, and whether chance alone would do.

    The largest of several noisy means less the smallest is above 0 even where all groups are
    served alike, and its plain bootstrap interval never reaches 0. So users are resampled within
    their group, and the spread of the errors is measured: with ``e_g = mean*_g − mean_g``, the
    ``level`` quantile c of ``max_g e_g − min_g e_g`` bounds the errors of all pairs of groups at
    once, hence that of the gap, whichever groups are best and worst in truth. The interval is
    ``(max(0, gap − c), gap + c)``: Tukey's range (1953), its distribution from the bootstrap
    (Westfall and Young, 1993). It errs on the wide side. ``p = (1 + #{max e − min e ≥ gap}) /
    (1 + draws)``, so an interval that excludes 0 goes with a p below 1 − level.

    Args:
        values: by user.
        groups: name by user; may have more users than ``values``, not fewer.
        min_size: groups with fewer users are left out; 2 or more.
        seed: of the resampling.
        level: of the interval.
        draws: number of resamples.

    Raises:
        DataError: fewer than two groups are large enough, a user has no group, or a value is not
            finite.
    """
    large, _ = _cut(values, groups, min_size)
    if len(large) < 2:
        raise DataError(
            f"{len(large)} groups have {min_size} users or more, a gap needs two",
            hint="merge small groups, or lower min_size",
        )
    means = {name: float(sample.mean()) for name, sample in large.items()}
    best, worst = max(means, key=means.__getitem__), min(means, key=means.__getitem__)
    difference = means[best] - means[worst]

    rng = np.random.default_rng(seed)
    errors = [resample(sample, rng, draws)[0] - means[name] for name, sample in large.items()]
    spread = np.ptp(np.stack(errors), axis=0)
    reach = quantile(spread, level)
    # Less a rounding error, so that equal groups have p = 1.
    p_value = (1 + int((spread >= difference - 1e-12).sum())) / (1 + draws)
    return Gap(best, worst, difference, max(0.0, difference - reach), difference + reach, p_value)


def _cut(
    values: Mapping[str, float], groups: Mapping[str, str], min_size: int
) -> tuple[dict[str, np.ndarray], dict[str, int]]:
    """Values of each large group, users by id; number of users of each small one."""
    if min_size < 2:
        raise ConfigError(f"min_size is {min_size}", hint="give 2 or more: one user has no spread")
    if unknown := sorted(u for u in values if u not in groups):
        raise DataError(
            f"{len(unknown)} users, first {unknown[0]!r}, have no group",
            hint='give them one, such as "unknown"',
        )
    found: dict[str, list[float]] = {}
    for user in sorted(values):
        found.setdefault(groups[user], []).append(values[user])
    large = {name: finite(found[name]) for name in sorted(found) if len(found[name]) >= min_size}
    return large, {name: len(found[name]) for name in sorted(found) if name not in large}
