"""Choosing a rival's setting on validation users: one setting for all numbers of picks."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np

from coldstart.errors import ConfigError
from coldstart.evaluation.harness import METRICS, ColdCase, evaluate
from coldstart.protocols import Recommends


@dataclass(frozen=True)
class Tuned:
    """What was tried.

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
    metric: str = "ndcg@10",
) -> Tuned:
    """Try every setting; the best has the highest metric, averaged over the numbers of picks.

    Args:
        build: a setting as keyword arguments → a recommender trained on the training users, such
            as ``functools.partial(ease, training)``.
        grid: values to try, by name.
        cases: of validation users; every number of picks weighs the same.
        metric: one of ``METRICS``.

    Raises:
        ConfigError: nothing to try, nobody to try it on, or an unknown metric.
    """
    if metric not in METRICS:
        raise ConfigError(f"unknown metric {metric!r}", hint=f"one of {', '.join(METRICS)}")
    if not cases or not settings(grid):
        raise ConfigError("nothing to tune: no cases, or a grid with an empty list")
    tried = tuple((s, _mean(build(**s), cases, metric)) for s in settings(grid))
    setting, value = max(tried, key=lambda t: t[1])
    return Tuned(setting, value, tried)


def _mean(system: Recommends, cases: Sequence[ColdCase], metric: str) -> float:
    return float(np.mean([row.values[metric] for row in evaluate({"x": system}, cases)]))
