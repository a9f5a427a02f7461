"""Whose turn a moment belongs to under DPoS: time is cut into slots, and twelve of them are a producer's turn.

As nodeos has it (`block_timestamp` and `get_scheduled_producer`): slots are counted from 2000-01-01, and slot s is of
the producer at place s % (12 * N) // 12 of the schedule, which is turn s // 12 of place turn % N.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from collector.health.making.plausible import moment
from collector.observations import Block

EPOCH = 946_684_800
"""Slots are counted from 2000-01-01, in seconds since 1970."""

TURN = 12
"""Slots of a turn."""

PERIOD = 0.5
"""Seconds of a slot, compiled into nodeos."""

SHOWN = 12
"""Turns of each maker that are told of one by one."""

STANDSTILL = 2
"""Turns in a row that every producer lets go by, after which it is the chain that stood still."""

_SHORTEST, _LONGEST = 0.001, 3600.0
"""Periods in between can be reckoned with."""

_OFF = 0.1
"""Share of a slot by which a block's time may be off the grid: nodeos writes milliseconds."""


class Empty(NamedTuple):
    """Slots of one turn that no block fills."""

    turn: int
    slots: int


class Turns:
    """The turns of one schedule, which has at least one producer."""

    def __init__(self, schedule: Sequence[str], period: float | None = None) -> None:
        self.schedule = tuple(schedule)
        self.period = period if period is not None and _SHORTEST <= period <= _LONGEST else PERIOD

    def slot(self, timestamp: float) -> int | None:
        """Return the slot of a block's time; None if it lies on none."""
        if moment(timestamp) is None:
            return None
        exact = (timestamp - EPOCH) / self.period
        slot = round(exact)
        return slot if abs(exact - slot) <= _OFF else None

    def passed(self, at: float) -> int:
        """Return the last slot whose time has come at a moment."""
        return math.floor((at - EPOCH) / self.period)

    def producer(self, turn: int) -> str:
        """Return whose turn it is."""
        return self.schedule[turn % len(self.schedule)]

    def begins(self, turn: int) -> float:
        """Return when a turn begins."""
        return EPOCH + turn * TURN * self.period

    def kept(self, block: Block) -> int | None:
        """Return the slot of a block whose maker made it in a turn of its own; None of any other.

        Nodes accept no other, so one that does not fit was made under another schedule, or all of this does not hold.
        """
        slot = self.slot(block.timestamp)
        return slot if slot is not None and self.producer(slot // TURN) == block.maker else None

    def empty(self, first: int, last: int) -> Iterator[Empty]:
        """Yield the slots from `first` to `last`, turn by turn; of many turns only those that `rounds` may show."""
        if last < first:
            return
        shown = last // TURN - SHOWN * len(self.schedule)
        for turn in range(max(first // TURN, shown), last // TURN + 1):
            yield Empty(turn, min(last, turn * TURN + TURN - 1) - max(first, turn * TURN) + 1)

    def missed(self, earlier: int, later: int) -> Sequence[Empty]:
        """Return what lies empty between the slots of a block and the next one.

        Where every producer let two turns go by the chain stood still, as when all nodes are switched off: that it
        was halted is told by itself, and is nobody's miss in particular.
        """
        first, last = earlier + 1, later - 1
        whole = (last + 1) // TURN - -(-first // TURN)
        if whole >= STANDSTILL * len(self.schedule):
            return ()
        return tuple(self.empty(first, last))
