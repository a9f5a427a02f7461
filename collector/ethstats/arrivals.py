"""When a block was first seen by anybody, and how much later by each other node."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import NamedTuple

MOST_BLOCKS = 1_024
"""Blocks that are remembered; what is older than all of them is no news."""


class Sighting(NamedTuple):
    """`first`: nobody told of the block before. `delay`: seconds since somebody did, None where nobody remembers."""

    first: bool
    delay: float | None


class _Seen(NamedTuple):
    number: int
    at: float


class Arrivals:
    """The first sighting of each of the last blocks, by hash."""

    def __init__(self) -> None:
        self._seen: OrderedDict[str, _Seen] = OrderedDict()
        self._forgotten = -1  # the highest block that was let go

    def sighting(self, number: int, block: str, at: float, best: Callable[[], int]) -> Sighting:
        """Take note of a block that a node had at a moment. `best` tells the head that the nodes have reached.

        A node that catches up passes blocks that are forgotten here: they are not seen for the first time, unless
        the whole chain has begun anew, which shows in a `best` below them.
        """
        known = self._seen.get(block)
        if known is not None:
            if at < known.at:  # this node's way here is longer, so that its word came later than the block did
                self._seen[block] = _Seen(number, at)
            return Sighting(first=False, delay=max(0.0, at - known.at))
        if number <= self._forgotten:
            if self._forgotten < best():
                return Sighting(first=False, delay=None)
            self._forgotten = -1
        self._seen[block] = _Seen(number, at)
        if len(self._seen) > MOST_BLOCKS:
            _, oldest = self._seen.popitem(last=False)
            self._forgotten = max(self._forgotten, oldest.number)
        return Sighting(first=True, delay=0.0)
