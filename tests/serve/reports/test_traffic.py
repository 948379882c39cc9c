"""Traffic from the metrics: quantiles of buckets, refusals, and a history of differences."""

from __future__ import annotations

import math

import pytest

from coldstart.serve.metrics import Metrics
from coldstart.serve.reports.traffic import TrafficMonitor, quantile_of


@pytest.mark.parametrize(
    ("buckets", "q", "want"),
    [
        ({}, 0.5, None),
        ({1.0: 0, math.inf: 0}, 0.5, None),
        ({1.0: 10, 2.0: 10, math.inf: 10}, 0.5, 0.5),
        ({1.0: 0, 2.0: 10, math.inf: 10}, 0.5, 1.5),
        ({1.0: 5, 2.0: 10, math.inf: 10}, 0.9, 1.8),
        ({1.0: 5, 2.0: 5, math.inf: 10}, 0.9, 2.0),  # beyond the largest bound
    ],
)
def test_quantiles_are_linear_within_a_bucket(buckets, q, want):
    assert quantile_of(buckets, q) == want


def test_a_report_has_routes_refusals_and_what_came_since_the_last_sample():
    metrics = Metrics()
    metrics.watch(lambda: 3, lambda: 10, lambda: 0)
    monitor = TrafficMonitor(metrics)
    for seconds, status in ((0.02, "200"), (0.02, "200"), (2.0, "503")):
        metrics.requests.labels("POST", "/v1/recommend", status).inc()
        metrics.seconds.labels("/v1/recommend").observe(seconds)
    metrics.refusals.labels("overloaded").inc()
    found = monitor.report()
    (route,) = found.routes
    assert (route.route, route.requests, route.failed) == ("/v1/recommend", 3, 1)
    assert 0.01 < route.p50 < 0.025
    assert 1 < route.p95 <= 2.5
    assert found.refusals == {"overloaded": 1}
    assert found.statuses == {"200": 2, "503": 1}
    assert (found.requests, found.waiting) == (3, 3)
    (latest,) = found.history
    assert latest.requests > latest.refused > 0
    assert 0.01 < latest.p50 < 0.025

    monitor.sample()
    (first,) = monitor.report().history  # what came in some milliseconds is no rate
    assert first.p50 == latest.p50
    monitor.sample()
    first, second = monitor.report().history
    assert (second.requests, second.p50) == (0, None)
