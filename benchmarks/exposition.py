"""A scrape of 50,000 series: chainwatch's page beside prometheus-client's `generate_latest`."""

from __future__ import annotations

import random
from collections.abc import Iterator

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from benchmarks.timing import compare, report
from collector.readings import Field, Kind, Reading, Shape
from exporters.exposition import Layout

NODES, FIELDS = 100, 500


class _Ready(Collector):
    """Families that are made already: generate_latest is timed, not the making of its input."""

    def __init__(self, families: list[GaugeMetricFamily]) -> None:
        self._families = families

    def collect(self) -> Iterator[Metric]:
        yield from self._families


def main() -> None:
    """Print the times."""
    numbers = random.Random(1)
    names = [f"chain_inserts_field_{number}" for number in range(FIELDS)]
    fields = [Field(name, Kind.GAUGE, f"Figure {name}.") for name in names]
    readings = []
    families = [
        GaugeMetricFamily(f"geth_{name}", f"Figure {name}.", labels=["chain", "node", "role", "port"]) for name in names
    ]
    for number in range(NODES):
        tags = {"chain": "bench", "node": f"sealer-{number}", "role": "sealer", "port": "8545"}
        values = [numbers.random() * 1e6 for _ in names]
        readings.append(Reading(Shape("geth", tags, fields), values, 1))
        for family, value in zip(families, values, strict=True):
            family.add_metric(list(tags.values()), value)
    registry = CollectorRegistry()
    registry.register(_Ready(families))
    layout = Layout([reading.shape for reading in readings])
    ours, theirs = layout.render(readings, openmetrics=False), generate_latest(registry)
    assert ours.count(b"\n") == theirs.count(b"\n"), "the two pages differ in length"

    latest = "generate_latest (prometheus-client)"
    times = compare(
        {
            "render (chainwatch)": lambda: layout.render(readings, openmetrics=False),
            "lay out and render, when servers come or go": lambda: Layout([r.shape for r in readings]).render(
                readings, openmetrics=False
            ),
            latest: lambda: generate_latest(registry),
        }
    )
    report(f"an exposition of {NODES * FIELDS:,} series", times, latest)
    print(f"  chainwatch is {times[latest] / times['render (chainwatch)']:.1f} times as fast")


if __name__ == "__main__":
    main()
