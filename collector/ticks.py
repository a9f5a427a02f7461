"""When to gather: at multiples of the interval on the clock, so that all nodes' readings fall on the same moments."""

from __future__ import annotations

import asyncio
import math
import time
import zlib
from collections.abc import Callable
from typing import NamedTuple, Protocol


class Tick(NamedTuple):
    """A moment at which a gather is due, in seconds since the epoch, and how many went by unused before it."""

    due: float
    missed: int


class Ticks(Protocol):
    """What begins the gathers of one server."""

    async def next(self) -> Tick:
        """Wait for the next tick; those that came since the last call has returned count as missed."""


def next_tick(now: float, last: float, interval: float, offset: float) -> float:
    """Return the first multiple of the interval, plus the offset, that is after `now` and after the `last` tick.

    A clock that was set back is followed: a `last` that lies more than an interval ahead counts for nothing.
    """
    tick = (math.floor((now - offset) / interval) + 1) * interval + offset
    if last - now > interval:
        return tick
    # Woken a moment early, the multiple after `now` is the last one once more.
    return tick if tick > last + interval / 2 else tick + interval


def offset_of(name: str, jitter: float) -> float:
    """Return a delay from 0 to `jitter` seconds, always the same for a name: spread, but no drift."""
    return zlib.crc32(name.encode()) / 2**32 * jitter


class Clock:
    """Ticks by the wall clock, every `interval` seconds, `offset` seconds after its multiples."""

    def __init__(self, interval: float, offset: float = 0.0, now: Callable[[], float] = time.time) -> None:
        self._interval = interval
        self._offset = offset
        self._now = now
        self._last = float("-inf")
        self._began: float | None = None

    async def next(self) -> Tick:
        """Sleep until the next tick."""
        # By another clock than the ticks themselves: one that was set is no gather missed.
        missed = 0 if self._began is None else int((time.monotonic() - self._began) / self._interval)
        now = self._now()
        self._last = next_tick(now, self._last, self._interval, self._offset)
        due = time.monotonic() + self._last - now
        await asyncio.sleep(self._last - now)
        self._began = time.monotonic()
        return Tick(self._now() - (self._began - due), missed)


class Bell:
    """Ticks that somebody else gives, to all servers at once: Telegraf, by a newline on standard input."""

    def __init__(self) -> None:
        self._rings = 0
        self._rung = asyncio.Condition()

    async def ring(self, times: int = 1) -> None:
        """Begin a gather of every server that is not being gathered; all rings but the last count as missed."""
        async with self._rung:
            self._rings += times
            self._rung.notify_all()

    def listener(self) -> Ticks:
        """Return the ticks for one server: those from now on."""
        return _Listener(self, self._rings)

    async def wait(self, heard: int) -> int:
        """Wait until it has rung more often than `heard`; returns how often it has."""
        async with self._rung:
            await self._rung.wait_for(lambda: self._rings > heard)
            return self._rings


class _Listener:
    def __init__(self, bell: Bell, heard: int) -> None:
        self._bell = bell
        self._heard = heard

    async def next(self) -> Tick:
        heard, self._heard = self._heard, await self._bell.wait(self._heard)
        return Tick(time.time(), self._heard - heard - 1)
