"""The door of a listener: every connection passes it before a byte of HTTP is looked at.

It keeps the number of connections, and what each may send before it has logged in, within bounds; and it turns away
TLS: a geth that was given no scheme tries that first, every time it connects.
"""

from __future__ import annotations

import asyncio
import resource
import time
from collections.abc import Callable
from typing import cast

from collector.ethstats.limits import Limits, Rate

_TLS_HANDSHAKE = 0x16

REFUSED = ("tls", "too_many", "too_large", "idle")
"""Why a connection is ended at the door: the values of the label `kind`."""


def room(limits: Limits) -> int:
    """Return how many connections there may be: half of the files that the process may open is for all else."""
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return limits.connections if files == resource.RLIM_INFINITY else min(limits.connections, files // 2)


class Doors:
    """The doors that are open, by address; `refused` is told of each that was closed from here, and why."""

    def __init__(self, limits: Limits, refused: Callable[[str], None]) -> None:
        self.limits = limits
        self.refused = refused
        self._room = room(limits)
        self._by_address: dict[str, dict[Door, None]] = {}
        self._strangers: dict[Door, None] = {}  # those who have not logged in, the oldest first
        self._kept = 0
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def enter(self, door: Door) -> bool:
        """Let a connection in, if need be in the place of the oldest that has not logged in."""
        limits = self.limits
        of_address = self._by_address.setdefault(door.address, {})
        room = True
        if len(of_address) >= limits.connections_of_address:
            room = self._make_room(next((other for other in of_address if other in self._strangers), None))
        elif self._count >= self._room:
            room = self._make_room(next(iter(self._strangers), None))
        if room:
            of_address = self._by_address.setdefault(door.address, {})
            of_address[door] = self._strangers[door] = None
            self._count += 1
        return room

    def _make_room(self, oldest: Door | None) -> bool:
        if oldest is not None:
            oldest.refuse("too_many")
        else:
            self.refused("too_many")
        return oldest is not None

    def admit(self, door: Door) -> None:
        """Count a connection among those that have logged in."""
        self._strangers.pop(door, None)

    def leave(self, door: Door) -> None:
        """Let a connection go; harmless where it has gone."""
        of_address = self._by_address.get(door.address, {})
        if door in of_address:
            del of_address[door]
            self._strangers.pop(door, None)
            self._count -= 1
            self._kept -= door.kept
        if not of_address:
            self._by_address.pop(door.address, None)

    def keep(self, door: Door, change: int) -> None:
        """Count what is kept of a connection's bytes; where that is too much of all, who has the most is ended."""
        if door not in self._by_address.get(door.address, {}):
            return
        change = max(change, -door.kept)
        door.kept += change
        self._kept += change
        if change > 0 and self._kept > self.limits.kept:
            doors = (other for doors in self._by_address.values() for other in doors)
            max(doors, key=lambda other: other.kept).refuse("too_large")

    def close(self) -> None:
        """End every connection."""
        for doors in list(self._by_address.values()):
            for door in list(doors):
                door.abort()


class Door(asyncio.Protocol):
    """One connection, on its way to aiohttp's handler."""

    def __init__(self, make: Callable[[], asyncio.Protocol], doors: Doors) -> None:
        self._make = make
        self._doors = doors
        self._inner: asyncio.Protocol | None = None
        self._transport: asyncio.Transport | None = None
        self._deadline: asyncio.TimerHandle | None = None
        self._allowance: int | None = doors.limits.before_login
        self._received = False
        self._rate = Rate(doors.limits.window, time.monotonic)
        self.address = ""
        self.in_window = 0.0
        """Bytes that came within the last window."""
        self.kept = 0
        """Bytes that came since the login and are still in memory."""
        self.flooded = False
        """Whether it was ended because far too much came."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Let the connection in, and begin to speak HTTP, unless there is no room."""
        self._transport = cast("asyncio.Transport", transport)
        peer = transport.get_extra_info("peername")
        self.address = str(peer[0]) if peer else ""
        if not self._doors.enter(self):
            self._transport.abort()
            return
        self.renew()
        self._inner = self._make()
        self._inner.connection_made(transport)

    def data_received(self, data: bytes) -> None:
        """Measure what comes, and hand it on."""
        if self._inner is None:
            return
        if not self._received and data[0] == _TLS_HANDSHAKE:
            self.refuse("tls")
            return
        self._received = True
        self.in_window = self._rate.add(len(data))
        if self._allowance is not None:
            self._allowance -= len(data)
            if self._allowance < 0:
                self.refuse("too_large")
                return
        if self.in_window > self._doors.limits.flood * self._doors.limits.bytes_within:
            self.flooded = True
            self.refuse("too_large")
            return
        if self._allowance is None:
            self.keep(len(data))
        self._inner.data_received(data)

    def eof_received(self) -> bool | None:
        """Hand on that the other end sends no more."""
        return self._inner.eof_received() if self._inner else None

    def connection_lost(self, exc: Exception | None) -> None:
        """Let the connection go, and hand that on."""
        self._leave()
        inner, self._inner = self._inner, None
        if inner is not None:
            inner.connection_lost(exc)

    def pause_writing(self) -> None:
        """Hand on that the other end does not read."""
        if self._inner is not None:
            self._inner.pause_writing()

    def resume_writing(self) -> None:
        """Hand on that it reads again."""
        if self._inner is not None:
            self._inner.resume_writing()

    def renew(self, seconds: float = 0.0) -> None:
        """Let the connection go on without a login for a while: so many seconds more than usual."""
        if self._allowance is None or self._transport is None:
            return
        limits = self._doors.limits
        self._allowance = limits.before_login
        if self._deadline:
            self._deadline.cancel()
        loop = asyncio.get_running_loop()
        self._deadline = loop.call_later(limits.hello_within + seconds, self.refuse, "idle")

    def admit(self) -> None:
        """Let the connection go on for as long as it likes: it has logged in."""
        self._allowance = None
        if self._deadline:
            self._deadline.cancel()
        self._doors.admit(self)

    def keep(self, change: int) -> None:
        """Count bytes that are kept in memory, or fewer than before."""
        self._doors.keep(self, change)

    def refuse(self, why: str) -> None:
        """End the connection, and tell why."""
        self._doors.refused(why)
        self.abort()

    def abort(self) -> None:
        """End the connection at once: what is still to be sent is not waited for."""
        self._leave()
        if self._transport is not None:
            self._transport.abort()

    def _leave(self) -> None:
        if self._deadline:
            self._deadline.cancel()
        self._doors.leave(self)
