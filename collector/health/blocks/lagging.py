"""How far a node is behind what existed when it was asked.

Nodes are asked at different moments, and twenty blocks may be made between the first and the last of them. So a node is
held only against blocks that existed by the moment at which it was asked. Of these we can be sure:

- A block that a node was known to have by then, and all beneath it.
- A block whose timestamp had come by then, on a chain whose clock agrees with the collector's: `Main.lateness` tells
  when it does, from how old heads are when they are first seen. Without it a node that is always the first to be asked
  would never look behind by more than what was made in a whole interval.

Either may leave out the block that had just been made, and the lag is then one too small. It is too great by no more
than one block, that which is being made just then: if the chain's clock is late by a part of the time between two
blocks, which nobody can tell from the outside, or if a block came later than its timestamp says (Clique, out of turn:
the next one's timestamp is no earlier than that).
"""

from __future__ import annotations

from bisect import bisect_left
from typing import NamedTuple

from collector.health.blocks.tree import Entry
from collector.observations import Block


class Lag(NamedTuple):
    """How far a head was behind: blocks, and seconds between the timestamps."""

    blocks: int
    seconds: float


class _Existence(NamedTuple):
    since: float
    block: Block


class Yardstick:
    """The blocks of one line, with when each is sure to have existed, as far back as a moment."""

    def __init__(self, tip: Entry, lateness: float, oldest: float, low: int) -> None:
        self._blocks: list[_Existence] = []
        since = float("inf")
        entry: Entry | None = tip
        while entry is not None and entry.block is not None:
            since = min(since, entry.sighted, entry.block.timestamp + lateness)
            self._blocks.append(_Existence(since, entry.block))
            if since <= oldest or entry.number < low:
                break
            entry = entry.up

    def lag(self, head: Block, at: float) -> Lag:
        """Return how far a head was behind at a moment."""
        place = bisect_left(self._blocks, -at, key=lambda each: -each.since)
        best = self._blocks[place].block if place < len(self._blocks) else head
        if best.number <= head.number:
            return Lag(0, 0.0)
        return Lag(best.number - head.number, max(0.0, best.timestamp - head.timestamp))
