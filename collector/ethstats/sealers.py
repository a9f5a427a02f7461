"""Who seals the blocks, and how many of them in turn: Clique's difficulty tells that, 2 in turn and 1 out of turn."""

from __future__ import annotations

from collections import Counter, OrderedDict, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from collector.ethstats.messages import Block

MOST_SEALERS = 200
"""Sealers that are remembered, those that sealed last; a Clique network of more is not known."""

LAST_BLOCKS = 256
"""Blocks of which the page tells each sealer's share."""

NOBODY = "0x" + 40 * "0"
"""What reporters that do not recover the sealer from the seal say of every block under Clique."""

IN_TURN = 2


@dataclass
class Sealer:
    """One sealer's blocks since the collector began."""

    blocks: int = 0
    in_turn: int = 0
    last: int = 0


class Sealers:
    """Counts blocks; each block is to be counted once, whoever tells of it."""

    def __init__(self) -> None:
        self._sealers: OrderedDict[str, Sealer] = OrderedDict()
        self._last: deque[str] = deque(maxlen=LAST_BLOCKS)
        self._unnamed: deque[str] = deque(maxlen=LAST_BLOCKS)  # blocks that were told of without their sealer

    @property
    def by_address(self) -> Mapping[str, Sealer]:
        """The sealers by address, those who sealed last at the end."""
        return self._sealers

    @property
    def shares(self) -> Mapping[str, int]:
        """How many of the last blocks each sealed."""
        return Counter(self._last)

    def count(self, block: Block, best: Callable[[], int], *, first: bool) -> None:
        """Count a block when it is `first` told of, or as soon as somebody knows its sealer.

        `best` tells the head that the nodes have reached: a last block beyond it is of a chain that was given up.
        """
        if block.miner in (None, NOBODY):
            if first:
                self._unnamed.append(block.hash)
            return
        assert block.miner is not None
        if not first:
            if block.hash not in self._unnamed:
                return
            self._unnamed.remove(block.hash)
        sealer = self._sealers.setdefault(block.miner, Sealer())
        self._sealers.move_to_end(block.miner)
        if len(self._sealers) > MOST_SEALERS:
            self._sealers.popitem(last=False)
        sealer.blocks += 1
        sealer.in_turn += block.difficulty == IN_TURN
        sealer.last = block.number if sealer.last > best() else max(sealer.last, block.number)
        self._last.append(block.miner)
