"""What the notifier costs: a gather beside what lines of it cost, a chain of 300 nodes assessed, all alerts judged."""

from __future__ import annotations

import tempfile
from pathlib import Path

from alerts.alert import Limits
from alerts.table import alerts
from benchmarks.timing import compare, report
from collector.about import About
from collector.catalogue import CHAIN
from collector.health.assessment import Assessment, Finding, NodeHealth, Severity, State
from collector.health.readings import HealthReadings
from collector.readings import Field, Kind, Reading, Shape
from exporters.lineprotocol import encode
from exporters.notify import Notifier, Settings

NODES, FIELDS, FINDINGS = 300, 500, 20


def main() -> None:
    """Print the times."""
    table = alerts(Limits())
    settings = Settings(
        channels={},
        alerts={
            "": tuple(alert for alert in table if not alert.of_chain),
            "bench": tuple(alert for alert in table if alert.of_chain),
        },
        directory=Path(tempfile.gettempdir()),
    )
    notifier = Notifier(settings, About())
    tags = {"chain": "bench", "node": "sealer-1", "role": "sealer"}
    curated = [metric.as_field for metric in CHAIN if metric.kind is not Kind.TEXT]
    gathered = [
        Reading(Shape("geth", tags, [Field(f"figure_{number}") for number in range(FIELDS)]), [1.5] * FIELDS, 1),
        Reading(Shape("chain", tags, curated), [1] * len(curated), 1),
    ]
    assessment = Assessment(
        chain="bench",
        kind="ethereum",
        at=0.0,
        interval=10.0,
        sentence="",
        nodes=[NodeHealth(f"sealer-{each}", "sealer", "", State.UP, lag_blocks=0) for each in range(NODES)],
        findings=[Finding("behind", Severity.WARNING, f"sealer-{each}", "", 0.0, 3) for each in range(FINDINGS)],
    )
    assessed = HealthReadings("bench").readings(assessment)
    lines = "a gather as lines (what InfluxDB costs)"
    times = compare(
        {
            lines: lambda: [encode(reading) for reading in gathered],
            "a gather, looked at": lambda: notifier.take(gathered, 10.0),
            f"an assessment of {NODES} nodes, looked at": lambda: notifier.take(assessed, 10.0),
            f"all alerts judged, {FINDINGS} of them firing": notifier.judge,
        }
    )
    report("the notifier, of a node with 500 figures", times, lines)


if __name__ == "__main__":
    main()
