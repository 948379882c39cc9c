"""Latency, refusals and load of one process, from its metrics, now and over the last hours."""

from __future__ import annotations

import math
from collections import Counter, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field

if TYPE_CHECKING:
    from prometheus_client.metrics_core import Metric

    from coldstart.serve.metrics import Metrics

SAMPLE_SECONDS = 30.0
"""Time between two samples of the history."""
_SHORTEST = 10.0  # seconds whose rates tell something
_SAMPLES = 720  # six hours
LIST_ROUTES = (
    "/v1/recommend",
    "/v1/rows",
    "/v1/sessions/{session_id}/recommendations",
    "/v1/sessions/{session_id}/rows",
)
"""Routes that compute lists."""
Buckets = Mapping[float, float]


class RouteTraffic(BaseModel):
    """Requests and latency of one route since the process started."""

    model_config = ConfigDict(frozen=True)

    route: str
    requests: int
    failed: int = Field(description="With a status of 500 or above.")
    p50: float | None = Field(description="Seconds; linear within the histogram's buckets.")
    p95: float | None
    p99: float | None


class TrafficSample(BaseModel):
    """Traffic between two samples."""

    model_config = ConfigDict(frozen=True)

    at: datetime = Field(description="End of the interval.")
    requests: float = Field(description="Per second.")
    refused: float = Field(description="Per second.")
    p50: float | None = Field(description="Latency of lists in seconds; null without lists.")
    p95: float | None
    waiting: int = Field(description="Length of the queue at its end.")


class Traffic(BaseModel):
    """Traffic of the process that answers; other processes have their own."""

    model_config = ConfigDict(frozen=True)

    started: datetime
    requests: int
    in_flight: int
    waiting: int = Field(description="Requests in the queue of the recommender.")
    wait_p95: float | None = Field(description="Seconds in the queue.")
    refusals: dict[str, int] = Field(description="By reason.")
    statuses: dict[str, int] = Field(description="By HTTP status.")
    routes: list[RouteTraffic] = Field(description="Most requests first.")
    history: list[TrafficSample] = Field(description="Oldest first, six hours at most.")


@dataclass(frozen=True)
class _Totals:
    """Cumulative numbers at one moment."""

    at: datetime
    requests: float
    refused: float
    lists: Buckets
    waiting: int


class TrafficMonitor:
    """Samples one process's metrics.

    Args:
        metrics: of the service.
    """

    def __init__(self, metrics: Metrics) -> None:
        self._metrics, self._started = metrics, datetime.now(UTC)
        self._samples: deque[_Totals] = deque(maxlen=_SAMPLES + 1)
        self.sample()

    def sample(self) -> None:
        """Take a sample for the history."""
        self._samples.append(self._totals(self._families()))

    def report(self) -> Traffic:
        """Traffic since the start, and the history."""
        families = self._families()
        now = self._totals(families)
        totals = [*self._samples]
        if len(totals) == 1 or (now.at - totals[-1].at).total_seconds() >= _SHORTEST:
            totals.append(now)
        by_route: Counter[str] = Counter()
        failed: Counter[str] = Counter()
        statuses: Counter[str] = Counter()
        for labels, value in _counters(families["coldstart_requests"]):
            by_route[labels["route"]] += int(value)
            statuses[labels["status"]] += int(value)
            failed[labels["route"]] += int(value) if labels["status"] >= "500" else 0
        latency = _histograms(families["coldstart_request_seconds"], "route")
        wait = _histograms(families["coldstart_wait_seconds"], None)
        refusals = _counters(families["coldstart_refusals"])
        return Traffic(
            started=self._started,
            requests=by_route.total(),
            in_flight=self._metrics.in_flight_now,
            waiting=now.waiting,
            wait_p95=quantile_of(wait.get("", {}), 0.95),
            refusals={labels["reason"]: int(n) for labels, n in refusals if n},
            statuses=dict(sorted(statuses.items())),
            routes=[
                RouteTraffic(
                    route=route,
                    requests=n,
                    failed=failed[route],
                    p50=quantile_of(latency.get(route, {}), 0.5),
                    p95=quantile_of(latency.get(route, {}), 0.95),
                    p99=quantile_of(latency.get(route, {}), 0.99),
                )
                for route, n in by_route.most_common()
            ],
            history=[_between(a, b) for a, b in zip(totals, totals[1:], strict=False)],
        )

    def _families(self) -> dict[str, Metric]:
        return {family.name: family for family in self._metrics.registry.collect()}

    def _totals(self, families: Mapping[str, Metric]) -> _Totals:
        latency = _histograms(families["coldstart_request_seconds"], "route")
        lists: Counter[float] = Counter()
        for route in LIST_ROUTES:
            lists.update(latency.get(route, {}))
        queue = families["coldstart_queue_depth"].samples
        return _Totals(
            datetime.now(UTC),
            sum(n for _, n in _counters(families["coldstart_requests"])),
            sum(n for _, n in _counters(families["coldstart_refusals"])),
            dict(lists),
            int(queue[0].value) if queue else 0,
        )


def quantile_of(buckets: Buckets, q: float) -> float | None:
    """Quantile of a histogram, linear within its bucket, as PromQL's ``histogram_quantile``.

    Args:
        buckets: number of observations up to each bound, bounds ascending to infinity.
        q: in (0, 1).

    Returns:
        The quantile; the largest finite bound if it lies beyond; ``None`` without observations.
    """
    bounds = sorted(buckets)
    if not bounds or not buckets[bounds[-1]]:
        return None
    rank, low, before = q * buckets[bounds[-1]], 0.0, 0.0
    for bound in bounds:
        count = buckets[bound]
        if count >= rank and count > before:
            if math.isinf(bound):
                return low
            return low + (bound - low) * (rank - before) / (count - before)
        low, before = bound, count
    return low


def _between(a: _Totals, b: _Totals) -> TrafficSample:
    seconds = max((b.at - a.at).total_seconds(), 1e-3)
    lists = {bound: n - a.lists.get(bound, 0.0) for bound, n in b.lists.items()}
    return TrafficSample(
        at=b.at,
        requests=max(0.0, b.requests - a.requests) / seconds,
        refused=max(0.0, b.refused - a.refused) / seconds,
        p50=quantile_of(lists, 0.5),
        p95=quantile_of(lists, 0.95),
        waiting=b.waiting,
    )


def _counters(family: Metric) -> Sequence[tuple[Mapping[str, str], float]]:
    return [(s.labels, s.value) for s in family.samples if s.name.endswith("_total")]


def _histograms(family: Metric, label: str | None) -> dict[str, dict[float, float]]:
    """Cumulative buckets by the value of a label; by "" without one."""
    out: dict[str, dict[float, float]] = {}
    for sample in family.samples:
        if sample.name.endswith("_bucket"):
            key = sample.labels[label] if label else ""
            out.setdefault(key, {})[float(sample.labels["le"])] = sample.value
    return out
