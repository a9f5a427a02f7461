"""What is to be done: the whole of it, and the share of one process."""

from __future__ import annotations

import msgspec

from compose.load.calls import Call


class Load(msgspec.Struct, frozen=True):
    """A load as it was asked for, every default filled in.

    `addresses` are those that the URL's host has: connections are spread over them. `rate` is a schedule, requests a
    second whether or not those before are answered. `ceiling` is no schedule, but what the workers together do not
    exceed. Durations are seconds.
    """

    url: str
    hostname: str
    host: str
    port: int
    tls: bool
    addresses: list[str]
    call: Call
    workers: int
    requests: int
    processes: int
    rate: float | None
    ceiling: float | None
    late: float
    timeout: float
    new_connections: bool


class Share(msgspec.Struct, frozen=True):
    """What the process of this number, from 0 on, does of a load. Requests are dealt out in turns."""

    load: Load
    number: int

    @property
    def workers(self) -> int:
        """Workers of this process."""
        return _dealt(self.load.workers, self.load.processes, self.number)

    @property
    def requests(self) -> int:
        """Requests of this process."""
        return _dealt(self.load.requests, self.load.processes, self.number)


def _dealt(count: int, processes: int, number: int) -> int:
    return count // processes + (number < count % processes)
