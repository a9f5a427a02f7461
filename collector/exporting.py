"""What the collector expects of an exporter."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from collector.readings import Reading
from collector.targets import Target


class Exporter(Protocol):
    """Takes readings elsewhere, in its own time.

    `name` is the label `output` of its metrics, unique among the exporters of a collector.
    """

    name: str

    async def start(self) -> None:
        """Begin to deliver. Raises OSError where a listener can't be opened."""

    def take(self, readings: Sequence[Reading], interval: float) -> None:
        """Take the readings of one gather of a server that is gathered every `interval` seconds.

        Returns at once, whatever the state of the other end: a gather never waits for an exporter.
        """

    def follow(self, targets: Sequence[Target]) -> None:
        """Take note of the servers that are watched from now on, of all chains.

        Told at every change, before the first readings of new servers, and once to an exporter that has just begun;
        no readings of a server that is not among them follow. Nodes that push are no servers: nothing is said of
        them. Returns at once.
        """

    async def close(self, within: float) -> None:
        """Deliver what is left within so many seconds, count the rest as dropped, let go of everything."""
