"""What the collector expects of an exporter."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from collector.readings import Reading


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

    async def close(self, within: float) -> None:
        """Deliver what is left within so many seconds, count the rest as dropped, let go of everything."""
