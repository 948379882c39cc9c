"""Summary of a benchmark: means, list properties, paired differences, groups of users.

All folds are pooled: every user is one value, whichever fold trained the system. List
properties (coverage, popularity) are computed in each fold and averaged over folds, since coverage
grows with the number of lists and popularity differs between folds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np

from coldstart.data.dataset import Dataset
from coldstart.errors import ConfigError, DataError
from coldstart.evaluation.benchmark import BenchmarkRun
from coldstart.evaluation.case_metrics import MAIN, UNTESTED, Record
from coldstart.evaluation.group_fairness import Gap, Groups, by_group, gap
from coldstart.interactions.interaction_stats import attribute_groups
from coldstart.metrics.beyond_accuracy import (
    coverage,
    gini,
    mean_intra_list_diversity,
    mean_popularity,
    novelty,
)
from coldstart.metrics.significance import (
    Difference,
    bootstrap_interval,
    holm,
    paired_bootstrap,
    weighted_interval,
)

_GAUC, _RATED = UNTESTED


@dataclass(frozen=True)
class MetricMean:
    """One metric of one system at one number of picks.

    Args:
        system: its name.
        n_picks: number of picks.
        metric: one of the benchmark's; see ``METRICS`` and ``COLD_METRICS``.
        value: mean over users; of ``gauc``, weighted by what each of them rated.
        low: lower end of the 95 % bootstrap interval.
        high: upper end.
        users: number of users that have a value.
    """

    system: str
    n_picks: int
    metric: str
    value: float
    low: float
    high: float
    users: int


@dataclass(frozen=True)
class Lists:
    """Beyond-accuracy figures of one system's lists of ten at one number of picks.

    Args:
        system: its name.
        n_picks: number of picks.
        coverage: share of a fold's candidates that were recommended at all, in [0, 1].
        gini: inequality of exposure, in [0, 1].
        popularity: mean share of training users that like the recommended items, in [0, 1].
        novelty: mean self-information, in bits.
        diversity: mean distance within a list, in [0, 2]; ``None`` without vectors.
        milliseconds: median time of a call.
        milliseconds_95: time that 95 % of the calls do not exceed.
        fit_seconds: mean time to make the system.
    """

    system: str
    n_picks: int
    coverage: float
    gini: float
    popularity: float
    novelty: float
    diversity: float | None
    milliseconds: float
    milliseconds_95: float
    fit_seconds: float


@dataclass(frozen=True)
class Paired:
    """One system less the reference, on the same users, at one number of picks.

    Args:
        system: its name.
        reference: what it is compared with.
        n_picks: number of picks.
        metric: one of the benchmark's; see ``METRICS`` and ``COLD_METRICS``.
        difference: mean, 95 % interval and p-value.
        adjusted: p-value adjusted (Holm) for the systems compared at this number of picks.
    """

    system: str
    reference: str
    n_picks: int
    metric: str
    difference: Difference
    adjusted: float


@dataclass(frozen=True)
class GroupedMetric:
    """Metric of one system by group of users at one number of picks.

    Args:
        system: its name.
        n_picks: number of picks.
        attribute: ``age`` (bands of ten years) or ``gender``.
        metric: one of the benchmark's; see ``METRICS`` and ``COLD_METRICS``.
        groups: means of the groups.
        gap: between the best and the worst served; ``None`` with fewer than two large groups.
    """

    system: str
    n_picks: int
    attribute: str
    metric: str
    groups: Groups
    gap: Gap | None


@dataclass(frozen=True)
class Summary:
    """All tables; see each of them."""

    means: tuple[MetricMean, ...]
    lists: tuple[Lists, ...]
    paired: tuple[Paired, ...]
    served: tuple[GroupedMetric, ...]


def summarise(
    run: BenchmarkRun,
    data: Dataset,
    *,
    reference: str | None = None,
    metric: str = MAIN,
    vectors: Mapping[str, np.ndarray] | None = None,
    seed: int = 0,
) -> Summary:
    """Make all tables.

    Args:
        run: the answers.
        data: what it was made of; for attributes.
        reference: system that all others are compared with; ``None``: at each number of picks the
            best of those that are not ``ours``. Chosen by what it is then compared on, the best
            looks a little better than it is: that is to our disadvantage.
        metric: of differences and groups. Differences are also made in what the trial compares
            besides (``Kind.compared``), each metric with a best rival of its own.
        vectors: by item, shape (D,) each, for the diversity of lists.
        seed: of the bootstrap.

    Raises:
        ConfigError: no such system or metric.
    """
    names = [s.name for s in run.systems]
    if reference is not None and reference not in names:
        raise ConfigError(f"no system {reference!r}", hint=f"one of {', '.join(names)}")
    known = run.kind.metrics
    if metric not in known or metric in UNTESTED:
        tested = ", ".join(m for m in known if m not in UNTESTED)
        raise ConfigError(f"no metric {metric!r} to compare", hint=f"one of {tested}")
    found: dict[tuple[str, int], list[Record]] = {}
    for record in run.records:
        found.setdefault((record.system, record.n_picks), []).append(record)
    n_picks = sorted({k for _, k in found})
    means = [
        m for name in names for k in n_picks for m in _means(known, name, k, found[name, k], seed)
    ]
    lists = [_lists(run, n, k, found[n, k], vectors) for n in names for k in n_picks]
    paired, served = [], []
    for each, k in product(dict.fromkeys((metric, *run.kind.compared)), n_picks):
        values = {n: _values(known, found[n, k], each) for n in names}
        best = reference or strongest(run, values)
        paired += _paired(values, best, k, each, seed)
        ours = [s.name for s in run.systems if s.ours and s.name != best]
        for name in (best, *ours) if each == metric else ():
            for attribute in ("age", "gender"):
                bands = groups_of(data, attribute)
                if set(bands.values()) != {"unknown"}:
                    served.append(_served(name, k, attribute, metric, values[name], bands, seed))
    return Summary(tuple(means), tuple(lists), tuple(paired), tuple(served))


def strongest(run: BenchmarkRun, values: Mapping[str, Mapping[str, float]]) -> str:
    """The system with the highest mean of those that are not ``ours``, if there are any.

    Args:
        run: which systems are ours.
        values: by system, by user.
    """
    rivals = [s.name for s in run.systems if not s.ours] or list(values)
    return max(rivals, key=lambda n: float(np.mean(list(values[n].values()) or [0.0])))


def groups_of(data: Dataset, attribute: str) -> dict[str, str]:
    """Each user's group, such as ``20s`` for ``age``; ``unknown`` if missing."""
    return {
        user: next(
            (g.split("=", 1)[1] for g in attribute_groups(p) if g.startswith(f"{attribute}=")),
            "unknown",
        )
        for user, p in data.users.items()
    }


def _values(metrics: Sequence[str], records: Sequence[Record], metric: str) -> dict[str, float]:
    at = metrics.index(metric)
    pairs = ((r.user, r.values[at]) for r in records)
    return {user: value for user, value in pairs if value is not None}


def _means(
    metrics: Sequence[str], name: str, n_picks: int, records: Sequence[Record], seed: int
) -> list[MetricMean]:
    out = []
    for metric in (m for m in metrics if m != _RATED):
        values = list(_values(metrics, records, metric).values())
        if values and metric == _GAUC:
            weights = list(_values(metrics, records, _RATED).values())
            low, high = weighted_interval(values, weights, seed)
            value = float(np.average(values, weights=weights))
            out.append(MetricMean(name, n_picks, metric, value, low, high, len(values)))
        elif values:
            low, high = bootstrap_interval(values, seed)
            out.append(
                MetricMean(name, n_picks, metric, float(np.mean(values)), low, high, len(values))
            )
    return out


def _lists(
    run: BenchmarkRun,
    name: str,
    n_picks: int,
    records: Sequence[Record],
    vectors: Mapping[str, np.ndarray] | None,
) -> Lists:
    rows = []
    for fold in run.folds:
        share = run.shares[fold]
        size = len(share)
        shown = [r.top for r in records if r.fold == fold]
        if not any(shown):
            raise DataError(
                f"{name} shows nothing on fold {fold}", hint="does it know the catalog?"
            )
        rows.append(
            (
                coverage(shown, size),
                gini(shown, size),
                mean_popularity(shown, share),
                novelty(shown, share),
                np.nan if vectors is None else mean_intra_list_diversity(shown, vectors),
            )
        )
    wide, uneven, popular, new, diverse = (float(x) for x in np.mean(rows, axis=0))
    took = [r.milliseconds for r in records]
    return Lists(
        name,
        n_picks,
        wide,
        uneven,
        popular,
        new,
        None if vectors is None else diverse,
        float(np.median(took)),
        float(np.quantile(took, 0.95)),
        float(np.mean([run.fit_seconds[name, f] for f in run.folds])),
    )


def _paired(
    values: Mapping[str, Mapping[str, float]], best: str, n_picks: int, metric: str, seed: int
) -> list[Paired]:
    others = [n for n in values if n != best]
    if len(values[best]) < 2:
        return []
    found = [paired_bootstrap(values[n], values[best], seed) for n in others]
    adjusted = holm([d.p_value for d in found])
    return [
        Paired(n, best, n_picks, metric, d, p)
        for n, d, p in zip(others, found, adjusted, strict=True)
    ]


def _served(
    name: str,
    n_picks: int,
    attribute: str,
    metric: str,
    values: Mapping[str, float],
    bands: Mapping[str, str],
    seed: int,
) -> GroupedMetric:
    groups = by_group(values, bands, seed=seed)
    between = gap(values, bands, seed=seed) if len(groups.means) > 1 else None
    return GroupedMetric(name, n_picks, attribute, metric, groups, between)
