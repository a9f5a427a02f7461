"""A collector over simulated nodes, each with a fault of its own, and what came of it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from chainwatch.running import load_source
from collector.about import About
from collector.agent import Agent, Chain
from collector.readings import Reading, Value
from collector.targets import Target
from compose.simulated import AnyNode

INTERVAL = 2.0
TIMEOUT = 1.8


class Kept:
    """An exporter that keeps everything, in order."""

    name = "kept"

    def __init__(self) -> None:
        self.readings: list[Reading] = []

    async def start(self) -> None:
        """Have nothing to start."""

    async def close(self, within: float) -> None:
        """Have nothing to close."""

    def follow(self, targets: Sequence[Target]) -> None:
        """Keep whatever comes."""

    def take(self, readings: Sequence[Reading], interval: float) -> None:  # noqa: ARG002 - kept for ever
        """Keep them."""
        self.readings += readings

    def of(self, node: str, measurement: str) -> list[Mapping[str, Value]]:
        """Return the fields of all readings of a node, oldest first."""
        return [
            reading.as_dict()
            for reading in self.readings
            if reading.shape.measurement == measurement and dict(reading.shape.tags).get("node") == node
        ]

    def up(self, node: str) -> list[Value]:
        """Return what `chain_node_up` was, gather by gather."""
        return [fields["up"] for fields in self.of(node, "chain_node") if "up" in fields]


class Lines(logging.Handler):
    """Keeps the lines that chainwatch logs."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep the line."""
        self.lines.append(record.getMessage())

    def about(self, node: str) -> list[str]:
        """Return the lines that begin with a node's name."""
        return [line for line in self.lines if f"/{node} " in line.split(":", 1)[0] + " "]


@dataclass
class Seen:
    """What came of watching for a while."""

    kept: Kept = field(default_factory=Kept)
    lines: Lines = field(default_factory=Lines)
    about: About = field(default_factory=About)
    counted: dict[tuple[str, ...], float] = field(default_factory=dict)

    def errors(self, node: str) -> dict[str, float]:
        """Return the failures of a node, by kind."""
        return {
            key[2]: n
            for key, n in self.counted.items()
            if key[0] == "chainwatch_gather_errors_total" and key[1] == node
        }

    def total(self, name: str, node: str) -> float:
        """Return one counter of a node."""
        return self.counted.get((name, node), 0.0)

    def note(self) -> None:
        """Take down the counters, which end with the watch."""
        for metric in self.about.registry.collect():
            for sample in metric.samples:
                if "node" in sample.labels:
                    kind = (sample.labels["kind"],) if "kind" in sample.labels else ()
                    self.counted[sample.name, sample.labels["node"], *kind] = sample.value


class Fixed:
    """Servers that are known."""

    def __init__(self, targets: list[Target]) -> None:
        self._targets = targets

    async def targets(self) -> list[Target]:
        """Return them."""
        return self._targets


def target_of(node: AnyNode) -> Target:
    """Return the target that a configuration would make of a node."""
    return Target(
        node.chain, node.kind, node.name, node.url, node.role,
        metrics_url=node.metrics_url, interval=INTERVAL, timeout=TIMEOUT,
    )  # fmt: skip


async def watch(targets: Sequence[Target], seconds: float, seen: Seen) -> None:
    """Watch these servers for so many seconds."""
    for kind in {target.kind for target in targets}:
        await asyncio.to_thread(load_source, kind)
    log = logging.getLogger("chainwatch")
    log.addHandler(seen.lines)
    log.setLevel(logging.INFO)
    agent = Agent(load_source, [seen.kept], seen.about)
    try:
        await agent.watch([Chain("all", 3600.0, Fixed(list(targets)))], INTERVAL)
        await asyncio.sleep(seconds)
        seen.note()
    finally:
        await agent.stop(TIMEOUT)
        log.removeHandler(seen.lines)
