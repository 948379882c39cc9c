"""Metrics of several services as one: labelled by tenant, or added up without names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from prometheus_client import Metric
from prometheus_client.registry import Collector
from prometheus_client.samples import Sample

from coldstart.serve.metrics import Metrics


class TenantCollector(Collector):
    """Prometheus collector that merges the metrics of several services.

    Args:
        services: metrics by tenant.
        by_tenant: whether samples get the label ``tenant``; otherwise equal samples are added up.
    """

    def __init__(self, services: Mapping[str, Metrics], *, by_tenant: bool) -> None:
        self._services, self._by_tenant = services, by_tenant

    def collect(self) -> Iterator[Metric]:
        """Metrics of all services."""
        found: dict[str, Metric] = {}
        for tenant, service in self._services.items():
            for one in service.registry.collect():
                own = found.setdefault(one.name, Metric(one.name, one.documentation, one.type))
                for sample in one.samples:
                    labels = {"tenant": tenant, **sample.labels} if self._by_tenant else None
                    own.samples.append(sample if labels is None else sample._replace(labels=labels))
        for metric in found.values():
            if not self._by_tenant:
                metric.samples = _added_up(metric.samples)
            yield metric


def _added_up(samples: list[Sample]) -> list[Sample]:
    """Samples with equal names and labels as one; of times of creation the first."""
    groups: dict[tuple[object, ...], list[Sample]] = {}
    for sample in samples:
        groups.setdefault((sample.name, *sorted(sample.labels.items())), []).append(sample)
    return [
        same[0]._replace(
            value=(min if same[0].name.endswith("_created") else sum)(s.value for s in same)
        )
        for same in groups.values()
    ]
