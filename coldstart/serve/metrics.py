"""Prometheus metrics. Labels are routes and kinds, never ids or user text."""

from __future__ import annotations

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

CONTENT_TYPE = CONTENT_TYPE_LATEST
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
_SIZES = (1, 2, 4, 8, 16, 32, 64)


class Metrics:
    """Metrics of one service, in a registry of its own."""

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        self.requests = Counter(
            "coldstart_requests",
            "Requests answered.",
            ("method", "route", "status"),
            registry=registry,
        )
        self.seconds = Histogram(
            "coldstart_request_seconds",
            "From the first byte to the last.",
            ("route",),
            buckets=_SECONDS,
            registry=registry,
        )
        self.refusals = Counter(
            "coldstart_refusals", "Requests refused, by reason.", ("reason",), registry=registry
        )
        self.in_flight_now = 0
        in_flight = Gauge("coldstart_in_flight", "Requests being handled.", registry=registry)
        in_flight.set_function(lambda: self.in_flight_now)
        self.batch_size = Histogram(
            "coldstart_batch_size",
            "Requests that the recommender took together.",
            buckets=_SIZES,
            registry=registry,
        )
        self.wait = Histogram(
            "coldstart_wait_seconds",
            "Time in the queue.",
            buckets=_SECONDS,
            registry=registry,
        )
        self.reloads = Counter(
            "coldstart_reloads", "Artifact reloads.", ("outcome",), registry=registry
        )
        self.release = Gauge(
            "coldstart_release",
            "Number of the release that is served; 0: the artifact of the start.",
            registry=registry,
        )
        self._queue = Gauge("coldstart_queue_depth", "Requests waiting.", registry=registry)
        self._items = Gauge("coldstart_items", "Items in the catalog.", registry=registry)
        self._set_aside = Gauge(
            "coldstart_catalog_changes_set_aside",
            "Logged catalog changes that cannot be applied.",
            registry=registry,
        )

    def watch(
        self,
        queue_depth: Callable[[], float],
        items: Callable[[], float],
        set_aside: Callable[[], float],
    ) -> None:
        """Set the callbacks of the gauges that are read at scrape time."""
        self._queue.set_function(queue_depth)
        self._items.set_function(items)
        self._set_aside.set_function(set_aside)

    def text(self) -> bytes:
        """Metrics in the Prometheus text exposition format."""
        return generate_latest(self.registry)
