"""The transactions that come to a simulated chain: so many a second, more at one time than at another."""

from __future__ import annotations

import math

SWING = 5.618
"""Blocks from one lull to the next; no whole number, so that the lull does not always meet the same maker."""

EVERY, LASTING = 30, 5
"""Seconds from one burst to the next, and seconds that a burst lasts."""


class Steady:
    """About `rate` transactions a second all the time, from none to twice as many, for blocks `period` seconds apart.

    How many have come is a function of time alone: the same at every start, whenever one looks.
    """

    def __init__(self, rate: float, period: float) -> None:
        self._rate = rate
        self._turn = math.tau / (SWING * period)

    def between(self, since: float, until: float) -> int:
        """Return how many come after `since`, until `until`."""
        return max(self._come(until) - self._come(since), 0) if self._rate else 0

    def _come(self, moment: float) -> int:
        return math.floor(self._rate * (moment - math.sin(moment * self._turn) / self._turn))


class Bursts:
    """About `rate` transactions a second on average: all of them come at the first few seconds of every half minute."""

    def __init__(self, rate: float) -> None:
        self._size = max(1, round(rate * EVERY / LASTING)) if rate else 0

    def between(self, since: float, until: float) -> int:
        """Return how many come after `since`, until `until`."""
        return max(self._size * (_seconds_of_bursts(until) - _seconds_of_bursts(since)), 0)

    def next(self, since: float) -> float:
        """Return when the next come after `since`: infinity where none ever do."""
        if not self._size:
            return math.inf
        second = math.floor(since) + 1
        into = second % EVERY
        return float(second if into < LASTING else second + EVERY - into)


def _seconds_of_bursts(until: float) -> int:
    bursts, into = divmod(math.floor(until), EVERY)
    return bursts * LASTING + min(into + 1, LASTING)
