"""Grid search of settings on validation users: one setting for all numbers of picks."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

import numpy as np

from coldstart.data.dataset import Dataset
from coldstart.errors import ConfigError
from coldstart.evaluation.case_metrics import ACCURACY, MAIN, mean_by_picks
from coldstart.evaluation.cases import MIN_TARGETS, ColdCase, prefix_cases
from coldstart.protocols import Recommends
from coldstart.training.simulation import Order


@dataclass(frozen=True)
class Tuned:
    """Result of a grid search.

    Args:
        setting: the best; the first of equals.
        value: its mean metric.
        tried: every setting with its value, in grid order.
    """

    setting: dict[str, Any]
    value: float
    tried: tuple[tuple[dict[str, Any], float], ...]


def settings(grid: Mapping[str, Sequence[Any]]) -> list[dict[str, Any]]:
    """All combinations of a grid.

    >>> settings({"a": [1, 2], "b": [3]})
    [{'a': 1, 'b': 3}, {'a': 2, 'b': 3}]
    """
    return [dict(zip(grid, values, strict=True)) for values in product(*grid.values())]


def tune(
    build: Callable[..., Recommends],
    grid: Mapping[str, Sequence[Any]],
    cases: Sequence[ColdCase],
    metric: str = MAIN,
) -> Tuned:
    """Try every setting; the best has the highest metric, averaged over the numbers of picks.

    Args:
        build: a setting as keyword arguments → a recommender trained on the training users, such
            as ``functools.partial(ease, training)``.
        grid: values to try, by name.
        cases: of validation users; every number of picks weighs the same.
        metric: one of ``ACCURACY``.

    Raises:
        ConfigError: an empty grid, no cases, or an unknown metric.
    """
    if metric not in ACCURACY:
        raise ConfigError(f"unknown metric {metric!r}", hint=f"one of {', '.join(ACCURACY)}")
    if not cases or not settings(grid):
        raise ConfigError("nothing to tune: no cases, or a grid with an empty list")
    tried = tuple((s, _mean(build(**s), cases, metric)) for s in settings(grid))
    setting, value = max(tried, key=lambda t: t[1])
    return Tuned(setting, value, tried)


def tune_in_turn(
    build: Callable[..., Recommends],
    grid: Mapping[str, Sequence[Any]],
    start: Mapping[str, Any],
    cases: Sequence[ColdCase],
    metric: str = MAIN,
) -> Tuned:
    """Choose one value after the other, the others as they are: fewer tries than ``tune`` makes.

    Args:
        build: see ``tune``.
        grid: values to try, by name, in the order in which they are chosen.
        start: the setting to begin with, of every name in ``grid``.
        cases: see ``tune``.
        metric: see ``tune``.

    Raises:
        ConfigError: see ``tune``.
    """
    first = tune(build, {name: [value] for name, value in start.items()}, cases, metric)
    setting, value, tried = first.setting, first.value, list(first.tried)
    for name, values in grid.items():
        others = {n: [v] for n, v in setting.items() if n != name}
        if new := [v for v in values if v != setting[name]]:
            found = tune(build, {**others, name: new}, cases, metric)
            tried += found.tried
            if found.value > value:
                setting, value = found.setting, found.value
    return Tuned(setting, value, tuple(tried))


def validation_cases(
    data: Dataset, users: Sequence[str], order: Order = "first", limit: int = 100
) -> list[ColdCase]:
    """Cases of the first ``limit`` validation users, at every number of picks.

    Users with fewer than five targets are left out, unless that leaves under half of them.

    Args:
        data: the likes.
        users: validation users.
        order: whether their first likes are picks, or random ones.
        limit: number of users, at most.
    """
    asked = users[:limit]
    enough = sum(len(data.likes[u]) >= 3 + MIN_TARGETS for u in asked)
    least = MIN_TARGETS if 2 * enough >= len(asked) else 1
    if order == "first":
        return prefix_cases(data, asked, min_targets=least)
    rng = np.random.default_rng(0)
    mixed = {u: tuple(rng.permutation(data.likes[u]).tolist()) for u in asked}
    cases = prefix_cases(replace(data, likes=mixed, times={}), asked, min_targets=least)
    profiles = (c.profile.model_copy(update={"history": False}) for c in cases)
    return [replace(c, profile=p) for c, p in zip(cases, profiles, strict=True)]


def _mean(system: Recommends, cases: Sequence[ColdCase], metric: str) -> float:
    return float(np.mean(list(mean_by_picks(system, cases, metric).values())))
