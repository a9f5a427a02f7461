"""Blocks of the chain are handed on once: when they lie so deep that they are unlikely to be exchanged."""

from __future__ import annotations

from collector.health.blocks.main import Main
from collector.observations import Block

SETTLED = 3
"""Blocks on top of one that is settled: reorganisations of one or two happen in health."""

MOST_SETTLED = 2_000
"""Blocks that are handed on at once."""

HOLD = 256
"""Blocks for which a gap holds up what is above it: as long as it may still be filled, four answers' worth."""


class Settling:
    """How far the chain was handed on."""

    def __init__(self) -> None:
        self._last: int | None = None

    def settled(self, main: Main, ground: int) -> list[Block]:
        """Return the blocks that have settled since the last call, ascending, each number at most once ever.

        A gap beneath `ground` is not going to be filled.
        """
        if main.tip is None:
            return []
        end = main.tip.number - SETTLED
        start = main.low if self._last is None else self._last + 1
        blocks = []
        for number in range(max(start, end - MOST_SETTLED + 1), end + 1):
            block = main.at(number)
            if block is not None:
                blocks.append(block)
            elif number >= ground and end - number < HOLD and self._last is not None:
                break
        if blocks:
            self._last = blocks[-1].number
        return blocks
