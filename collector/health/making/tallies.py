"""What each maker has made, and missed, since the collector began: counted of blocks that lie deep, each once."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from collector.health.making.plausible import amount
from collector.observations import Block

HANDOVER = 2
"""Blocks of a turn that get lost in health: the next producer has not heard of the last ones when it begins."""

MOST_MAKERS = 256
"""Makers of an order that can be compared with, and as many that are of none: no network is known of more than 200."""


@dataclass(slots=True)
class Tally:
    """One maker's counts. `missed_in_a_row` are the rounds skipped whole since its last block."""

    blocks: int = 0
    empty_blocks: int = 0
    in_turn_blocks: int = 0
    missed_blocks: int = 0
    missed_rounds: int = 0
    missed_in_a_row: int = 0
    short_rounds: int = 0
    doubles: int = 0
    last_block: int | None = None
    _turn: int = -1
    _left_out: int = 0  # slots of that turn

    def left_out(self, turn: int, slots: int) -> None:
        """Count slots of one of its turns that it left empty, though it may have filled others."""
        self.missed_blocks += slots
        before = self._left_out if turn == self._turn else 0
        self._turn, self._left_out = turn, before + slots
        if before <= HANDOVER < self._left_out:
            self.short_rounds += 1


class Tallies:
    """The tallies by maker."""

    def __init__(self) -> None:
        self._tallies: dict[str, Tally] = {}

    def get(self, name: str) -> Tally:
        """Return what is counted of a maker, to be read."""
        return self._tallies.get(name) or Tally()

    def of(self, name: str, order: Collection[str]) -> Tally:
        """Return the tally of a maker, to be counted in; where there are too many, another is let go for it.

        The one known for longest, but none of the present order: so nobody loses its counts by others' inventions.
        """
        tally = self._tallies.get(name)
        if tally is None:
            if len(self._tallies) >= 2 * MOST_MAKERS:
                del self._tallies[next(known for known in self._tallies if known not in order)]
            tally = self._tallies[name] = Tally()
        return tally

    def made(self, block: Block, order: Collection[str], *, in_turn: bool | None) -> None:
        """Count a block, whose maker is known."""
        tally = self.of(block.maker, order)
        tally.blocks += 1
        tally.empty_blocks += amount(block.transactions) == 0
        tally.in_turn_blocks += bool(in_turn)
        tally.missed_in_a_row = 0
        tally.last_block = block.number
