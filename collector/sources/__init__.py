"""Sources: each knows one kind of node.

A source is a class with the entry point `chainwatch.sources`; the entry point's name is the `kind` of a chain in the
configuration. See docs/sources.md for writing one.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import entry_points
from typing import Protocol

from collector.client import Client
from collector.readings import Reading
from collector.remarks import Remarks
from collector.targets import Target


class Problems(Protocol):
    """Where a source reports that a part of a gather failed, while the rest of it goes on."""

    def __call__(self, kind: str, message: str) -> None:
        """Count a failure of this kind (see `collector.failures`), and say it."""


class Source(Protocol):
    """Gathers one target. One that is also `collector.observations.Comparable` tells more than readings hold.

    The agent never calls `gather` again before the last call has ended, cancels it at the deadline, and turns any
    exception into a failed gather: `collector.failures.Failure` by its kind, everything else as "internal".
    """

    async def gather(self) -> list[Reading]:
        """Ask the node once. Returns readings of distinct (measurement, tags), or raises if the node is no use."""

    async def close(self) -> None:
        """Let go of what the source holds; the client is the agent's and closed by it."""


class SourceFactory(Protocol):
    """What the entry point names: usually the class itself."""

    advice: dict[str, str]
    """What the operator can do, per kind of failure; ends the message of it."""

    def __call__(self, target: Target, client: Client, remarks: Remarks, problems: Problems) -> Source:
        """Make the source of one target. Must not do anything that takes time."""


def known_kinds() -> dict[str, Callable[[], SourceFactory]]:
    """Return the kinds of node that are installed, each with what loads its source."""
    return {entry.name: entry.load for entry in entry_points(group="chainwatch.sources")}
