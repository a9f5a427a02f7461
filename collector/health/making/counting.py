"""Counts what makers made and missed, of blocks that come once each and in their order, perhaps with some left out."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from collector.health.making.clique import due, fits
from collector.health.making.dpos import FITTING
from collector.health.making.orders import Orders
from collector.health.making.recent import follows
from collector.health.making.tallies import Tallies
from collector.health.making.turns import TURN, Turns
from collector.observations import Block

JUDGED = 64
"""Blocks by which it is judged whether the schedule holds."""

ENOUGH = 3 * TURN
"""Blocks that it takes to say that somebody made too many in a row: turns of another length would look like that."""


class Counting:
    """The counts of one chain's makers. Nothing is concluded between blocks that do not follow upon each other."""

    def __init__(self, orders: Orders) -> None:
        self.tallies = Tallies()
        self._orders = orders
        self._last: Block | None = None
        self._fitting: deque[bool] = deque(maxlen=JUDGED)
        self._row = 0  # blocks in a row, without an empty slot in between, by the last one's maker

    def forgive(self, names: Sequence[str]) -> None:
        """Forget that these have skipped their last rounds: they have none to skip any more."""
        for name in names:
            self.tallies.of(name, self._orders.present).missed_in_a_row = 0

    def sealed(self, block: Block) -> None:
        """Count a block of a Clique chain."""
        order = self._orders.at(block.number)
        self._last = block
        if not block.maker:
            return
        known = order is not None and fits(block, order)
        turn = due(block.number, order) if order is not None and known else ""
        in_turn = block.maker == turn if known else block.in_turn
        self.tallies.made(block, self._orders.present, in_turn=in_turn)
        if known and not in_turn:
            self.tallies.of(turn, self._orders.present).missed_blocks += 1

    def produced(self, block: Block, period: float | None) -> None:
        """Count a block of a DPoS chain, and what lies empty since the one before."""
        order = self._orders.at(block.number)
        earlier, self._last = self._last, block
        if not block.maker:
            self._row = 0
            return
        if order is None:
            self._row = 0
        else:
            turns = Turns(order, period)
            linked = earlier is not None and follows(block, earlier) and self._orders.at(earlier.number) == order
            slot = turns.kept(block)
            self._fitting.append(slot is not None)
            if linked:
                assert earlier is not None
                self._between(earlier, block, turns)
                self._in_a_row(earlier, block, turns)
            else:
                self._row = 1
        self.tallies.made(block, self._orders.present, in_turn=None)

    def _between(self, earlier: Block, later: Block, turns: Turns) -> None:
        before, after = turns.kept(earlier), turns.kept(later)
        if before is None or after is None or not self._holds():
            return
        for turn, slots in turns.missed(before, after):
            tally = self.tallies.of(turns.producer(turn), self._orders.present)
            if slots == TURN:
                tally.missed_blocks += slots
                tally.missed_rounds += 1
                tally.missed_in_a_row += 1
            else:
                tally.left_out(turn, slots)

    def _in_a_row(self, earlier: Block, later: Block, turns: Turns) -> None:
        before, after = turns.slot(earlier.timestamp), turns.slot(later.timestamp)
        if later.maker != earlier.maker or before is None or after != before + 1:
            self._row = 1
            return
        self._row += 1
        enough = len(self._fitting) >= ENOUGH and self._holds()
        if self._row == TURN + 1 and len(turns.schedule) > 1 and enough:
            self.tallies.of(later.maker, self._orders.present).doubles += 1

    def _holds(self) -> bool:
        return sum(self._fitting) >= FITTING * len(self._fitting)
