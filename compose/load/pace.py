"""When the next request is due."""

from __future__ import annotations

import math

from compose.load.plan import Share

EARLY = 0.001
"""Seconds that a request may begin ahead of its time: timers have no finer steps, and are not to make it late."""

_CATCHING_UP = 0.05
"""Seconds of a ceiling that can be made up for after they went by unused."""


class Unpaced:
    """As soon as a worker is free."""

    due = -math.inf

    def take(self, now: float) -> float:
        """Take the next one, begun now, and return the time that its latency is counted from."""
        return now


class Schedule:
    """At a rate, whether or not those before are answered.

    A request that begins late, for want of a free worker, has waited, as its user would have: its latency is counted
    from when it was due. Else a node that stops for a second would cost a single slow request per worker, and those
    that were never sent in that second would not be missed ("coordinated omission").
    """

    def __init__(self, start: float, rate: float, share: Share) -> None:
        self._start = start
        self._rate = rate
        self._next = share.number
        self._step = share.load.processes
        self.due = start + self._next / rate

    def take(self, now: float) -> float:
        """Take the next one, begun now, and return the time that its latency is counted from."""
        since = min(self.due, now)
        self._next += self._step
        self.due = self._start + self._next / self._rate
        return since


class Ceiling:
    """As soon as a worker is free, but no more than a rate: what was not used is soon lost."""

    def __init__(self, start: float, rate: float, share: Share) -> None:
        self._gap = share.load.processes / rate
        self.due = start + share.number / rate

    def take(self, now: float) -> float:
        """Take the next one, begun now, and return the time that its latency is counted from."""
        self.due = max(self.due, now - _CATCHING_UP) + self._gap
        return now


Pace = Unpaced | Schedule | Ceiling


def pace(share: Share, start: float) -> Pace:
    """Return the pace of a process's requests, from a time on the monotonic clock on."""
    if share.load.rate:
        return Schedule(start, share.load.rate, share)
    if share.load.ceiling:
        return Ceiling(start, share.load.ceiling, share)
    return Unpaced()
