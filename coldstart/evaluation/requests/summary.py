"""Figures of a benchmark on requests: means with intervals, and paired differences.

A figure is a mean over cases (request and new target). Cases of one dialogue depend on each other,
so intervals and tests resample dialogues: the mean over cases is a ratio of two sums over
dialogues, and is linearised (Cochran, "Sampling Techniques", 1977, chapter 6): dialogue d of D
counts ``mean + (D / cases) · (s_d − mean · n_d)``, with s_d the sum over its n_d cases. The mean of
these values is the mean over cases, and their spread is that of the ratio.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from coldstart.data.requests.recorded import RecordedRequest
from coldstart.errors import ConfigError
from coldstart.evaluation.requests.ranks import TOP, TargetRanks
from coldstart.metrics.beyond_accuracy import coverage
from coldstart.metrics.significance import Difference, bootstrap_interval, holm, paired_bootstrap

METRICS = ("recall@1", "recall@5", "recall@10", "recall@50", "ndcg@10", "mrr")
COMPARED = ("recall@10", "ndcg@10")
ALL, FIRST = "all", "first"
"""Groups of requests: all, and those before which nothing had been recommended."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class RequestMean:
    """One metric of one system on one group of requests.

    Args:
        system: its name.
        group: ``ALL`` or ``FIRST``.
        metric: one of ``METRICS``.
        value: mean over cases.
        low: lower end of the 95 % interval.
        high: upper end.
        cases: number of cases.
    """

    system: str
    group: str
    metric: str
    value: float
    low: float
    high: float
    cases: int


@dataclass(frozen=True)
class RequestPaired:
    """One system less the reference, on the same cases.

    Args:
        system: its name.
        reference: what it is compared with.
        group: ``ALL`` or ``FIRST``.
        metric: one of ``COMPARED``.
        difference: mean, 95 % interval and p-value.
        adjusted: p-value adjusted (Holm) for all systems of the table.
    """

    system: str
    reference: str
    group: str
    metric: str
    difference: Difference
    adjusted: float


@dataclass(frozen=True)
class RequestSummary:
    """All figures.

    Args:
        means: by system, group and metric.
        paired: by system, group and metric.
        coverage: share of the catalog that is among the first ten of any request, by system.
    """

    means: tuple[RequestMean, ...]
    paired: tuple[RequestPaired, ...]
    coverage: Mapping[str, float]

    def mean(self, system: str, metric: str, group: str = ALL) -> RequestMean:
        """The figure of one system."""
        found = (m for m in self.means if (m.system, m.metric, m.group) == (system, metric, group))
        return next(found)


def case_values(ranks: NDArray[np.int64], metric: str) -> Floats:
    """Value of a metric for single targets.

    ``recall@k`` is 1 if the rank (from 0) is below k; ``ndcg@k`` is ``1 / log2(rank + 2)`` there,
    the ideal of one target being 1; ``mrr`` is ``1 / (rank + 1)`` over the whole catalog.

    Args:
        ranks: items ahead of the target, shape (cases,).
        metric: such as ``recall@10``.

    Raises:
        ConfigError: there is no such metric.
    """
    name, _, k = metric.partition("@")
    if name == "mrr" and not k:
        return np.asarray(1 / (ranks + 1.0))
    if name not in ("recall", "ndcg") or not k.isdecimal():
        raise ConfigError(f"no metric {metric!r}", hint="recall@k, ndcg@k or mrr")
    inside = ranks < int(k)
    values = inside if name == "recall" else inside / np.log2(ranks + 2.0)
    return np.asarray(values, dtype=np.float64)


def by_dialogue(values: Floats, dialogues: Sequence[str]) -> dict[str, float]:
    """Linearised value of each dialogue, whose mean is the mean over cases.

    Args:
        values: of the cases, shape (cases,), at least one.
        dialogues: of each case.
    """
    names, place = np.unique(np.asarray(dialogues, dtype=object).astype(str), return_inverse=True)
    mean = float(values.mean())
    sums = np.bincount(place, weights=values - mean, minlength=len(names))
    linear = mean + sums * len(names) / len(values)
    return dict(zip(names.tolist(), linear.tolist(), strict=True))


def summarise_requests(
    ranks: Mapping[str, TargetRanks],
    requests: Sequence[RecordedRequest],
    items: int,
    *,
    reference: str | None = None,
    seed: int = 0,
) -> RequestSummary:
    """Compute all figures.

    Args:
        ranks: by system, at least one.
        requests: that were ranked for.
        items: number of items in the catalog.
        reference: that all others are compared with; by default the best by recall at 10.
        seed: of the bootstrap.

    Raises:
        ConfigError: no such reference.
    """
    if reference is not None and reference not in ranks:
        raise ConfigError(
            f"no system {reference!r} to compare with", hint=f"one of {', '.join(ranks)}"
        )
    of_case = next(iter(ranks.values())).request
    dialogues = np.array([request.dialogue or f"#{n}" for n, request in enumerate(requests)])
    first = np.array([request.first for request in requests], dtype=bool)
    groups = {ALL: np.ones(len(of_case), dtype=bool), FIRST: first[of_case]}
    means: list[RequestMean] = []
    linear: dict[tuple[str, str, str], dict[str, float]] = {}
    for group, inside in groups.items():
        if not inside.any():
            continue
        names = dialogues[of_case[inside]].tolist()
        for system, found in ranks.items():
            for metric in METRICS:
                values = case_values(found.rank[inside], metric)
                spread = by_dialogue(values, names)
                low, high = bootstrap_interval(spread.values(), seed)
                value, n = float(values.mean()), len(values)
                means.append(RequestMean(system, group, metric, value, low, high, n))
                linear[group, metric, system] = spread
    wide = {name: coverage([top[:TOP] for top in r.top], items) for name, r in ranks.items()}
    chosen = (
        reference
        or max(
            (m for m in means if (m.group, m.metric) == (ALL, "recall@10")), key=lambda m: m.value
        ).system
    )
    return RequestSummary(tuple(means), _paired(linear, list(ranks), chosen, seed), wide)


def _paired(
    linear: Mapping[tuple[str, str, str], Mapping[str, float]],
    systems: Sequence[str],
    reference: str,
    seed: int,
) -> tuple[RequestPaired, ...]:
    out: list[RequestPaired] = []
    others = [system for system in systems if system != reference]
    for group, metric in dict.fromkeys((g, m) for g, m, _ in linear if m in COMPARED):
        against = linear[group, metric, reference]
        if len(against) < 2:
            continue
        found = [paired_bootstrap(linear[group, metric, s], against, seed) for s in others]
        adjusted = holm([d.p_value for d in found])
        out += [
            RequestPaired(s, reference, group, metric, d, p)
            for s, d, p in zip(others, found, adjusted, strict=True)
        ]
    return tuple(out)
