"""What chainwatch knows of itself: the metrics `chainwatch_*` and those of its process.

They live in a prometheus-client registry of the collector's own, so that two collectors in one process (tests do
that) don't count into each other, and leave it as readings like everything else.
"""

from __future__ import annotations

import time
from importlib.metadata import PackageNotFoundError, version

from prometheus_client import CollectorRegistry, Counter, Gauge
from prometheus_client.process_collector import ProcessCollector

from collector.catalogue import ABOUT, Metric
from collector.readings import Field, Kind, Reading, Shape

_KINDS = {"counter": Kind.COUNTER, "gauge": Kind.GAUGE}
_INFOS = {metric.name for metric in ABOUT if metric.kind is Kind.INFO}  # gauges in the registry


def _installed_version() -> str:
    try:
        return version("chainwatch")
    except PackageNotFoundError:
        return "unknown"


VERSION = _installed_version()
"""The version of the installed package, "unknown" where it runs uninstalled."""


class About:
    """Counters and gauges by the fields of the catalogue: `about.counter("gathers_total", chain, node).inc()`."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._metrics = {metric.field: self._register(metric) for metric in ABOUT}
        self.gauge("build_info", VERSION).set(1)
        ProcessCollector(registry=self.registry)
        self._shapes: dict[tuple[str, tuple[tuple[str, str], ...], tuple[str, ...]], Shape] = {}

    def counter(self, field: str, *labels: str) -> Counter:
        """Return one counter, without labels or with the values of its labels, in the catalogue's order."""
        metric = self._metrics[field]
        child = metric.labels(*labels) if labels else metric
        assert isinstance(child, Counter), field
        return child

    def gauge(self, field: str, *labels: str) -> Gauge:
        """Return one gauge, as `counter` does."""
        metric = self._metrics[field]
        child = metric.labels(*labels) if labels else metric
        assert isinstance(child, Gauge), field
        return child

    def drop(self, field: str, *labels: str) -> None:
        """Drop one series, if it is there."""
        metric = self._metrics[field]
        if labels in list(metric._metrics):  # noqa: SLF001
            metric.remove(*labels)

    def forget(self, *labels: str) -> None:
        """Drop every series of a chain, or of a node of it: `labels` are the first of "chain", "node"."""
        for metric in self._metrics.values():
            if metric._labelnames[: len(labels)] == ("chain", "node")[: len(labels)]:  # noqa: SLF001
                # A list at once: outputs may begin to count in their threads.
                for known in list(metric._metrics):  # noqa: SLF001
                    if known[: len(labels)] == labels:
                        metric.remove(*known)

    def readings(self) -> list[Reading]:
        """Everything in the registry as readings: measurement `chainwatch` and `process`, labels as tags."""
        grouped: dict[tuple[str, tuple[tuple[str, str], ...]], list[tuple[Field, float]]] = {}
        for family in self.registry.collect():
            kind = Kind.INFO if family.name in _INFOS else _KINDS.get(family.type, Kind.UNKNOWN)
            for sample in family.samples:
                if sample.name.endswith("_created"):
                    continue
                measurement, _, field = sample.name.partition("_")
                group = grouped.setdefault((measurement, tuple(sample.labels.items())), [])
                group.append((Field(field, kind, family.documentation), sample.value))
        now = time.time_ns()
        shapes = {}
        readings = []
        for (measurement, tags), fields in grouped.items():
            key = (measurement, tags, tuple(field.name for field, _ in fields))
            shape = self._shapes.get(key) or Shape(measurement, dict(tags), [field for field, _ in fields])
            shapes[key] = shape
            readings.append(Reading(shape, [value for _, value in fields], now))
        self._shapes = shapes  # only those in use: servers that went take theirs along
        return readings

    def _register(self, metric: Metric) -> Counter | Gauge:
        kind = Counter if metric.kind is Kind.COUNTER else Gauge
        return kind(metric.name, metric.help, metric.labels, registry=self.registry)
