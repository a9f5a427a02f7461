"""Metrics that are neither in the catalogue nor a node's: of chainwatch's own process, and of Prometheus."""

from __future__ import annotations

from dataclasses import dataclass

from collector.readings import Kind


@dataclass(frozen=True)
class Standard:
    """A metric that every program has that exports with Prometheus' client library, or that Prometheus adds."""

    name: str
    kind: Kind = Kind.GAUGE
    labels: tuple[str, ...] = ()

    @property
    def measurement(self) -> str:
        """Its name: these are Prometheus' alone."""
        return self.name

    @property
    def field(self) -> str:
        """Its name, as above."""
        return self.name


UP = Standard("up")
"""1 while Prometheus scrapes chainwatch, else 0."""
PROCESS_START = Standard("process_start_time_seconds")
PROCESS_CPU = Standard("process_cpu_seconds_total", Kind.COUNTER)
PROCESS_MEMORY = Standard("process_resident_memory_bytes")
PROCESS_FILES = Standard("process_open_fds")
PROCESS_FILES_LIMIT = Standard("process_max_fds")

STANDARD = (UP, PROCESS_START, PROCESS_CPU, PROCESS_MEMORY, PROCESS_FILES, PROCESS_FILES_LIMIT)
