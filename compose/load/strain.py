"""Whether the generator was busy itself: then what was measured is the generator."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import msgspec

from compose.load.histogram import Histogram

_EVERY = 0.05
_RUNNABLE = Path("/proc/self/schedstat")
"""Linux's own account of the main thread: nanoseconds on a core, nanoseconds waiting for one, turns."""


class Strain(msgspec.Struct, frozen=True):
    """How busy one process was.

    `busy` is the share of the time that it used a core or (where Linux tells) waited for one; `lag` the 99th percentile
    of how late its timers were, in seconds, `lag_longest` the worst.
    """

    busy: float
    lag: float
    lag_longest: float


class Meter:
    """Measures the process that it is in, from `start` to `read`."""

    def __init__(self) -> None:
        self._lags = Histogram()
        self._handle: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Begin to measure, on the running loop."""
        self._loop = asyncio.get_running_loop()
        self._began = time.monotonic()
        self._used = _used()
        self._tick(None)

    def read(self) -> Strain:
        """Return the measurement so far."""
        passed = max(time.monotonic() - self._began, 1e-6)
        busy = min((_used() - self._used) / passed, 1.0)
        return Strain(busy, self._lags.at(0.99) or 0.0, self._lags.longest)

    def stop(self) -> None:
        """End it."""
        if self._handle:
            self._handle.cancel()

    def _tick(self, due: float | None) -> None:
        now = time.monotonic()
        if due is not None:
            self._lags.record(max(now - due, 0.0))
        self._handle = self._loop.call_later(_EVERY, self._tick, now + _EVERY)


def _used() -> float:
    """Return the seconds of a core that this process has used or waited for."""
    try:
        running, waiting = _RUNNABLE.read_bytes().split()[:2]
        return max((int(running) + int(waiting)) / 1e9, time.process_time())
    except (OSError, ValueError):
        return time.process_time()
