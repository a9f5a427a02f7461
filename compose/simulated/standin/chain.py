"""The chain as one node has it: the irreversible blocks in its log, and the head.

With one producer the block before the head is the last irreversible one: the head is all that a fork can take away.
"""

from __future__ import annotations

import enum
from collections.abc import Callable
from typing import Any

from .blocklog import BlockLog
from .blocks import Block, following
from .genesis import Genesis

SLOTS = 2**32
"""Slots that the form of the log has room for."""


class Taken(enum.Enum):
    """What became of a block that was offered."""

    NEW = "it is the head now"
    KNOWN = "nothing new"
    AHEAD = "blocks before it are missing"
    FOREIGN = "it does not belong upon what is irreversible here"


class Chain:
    """One node's chain. `heard` is called with each new head; `earliest` is the first block that can be asked for."""

    def __init__(self, genesis: Genesis, log: BlockLog, root: Block, head: Block, earliest: int) -> None:
        self.genesis = genesis
        self.id = genesis.chain_id
        self.log = log
        self.root = root
        """The last irreversible block."""
        self.head = head
        self.earliest = earliest
        self.heard: list[Callable[[Block], None]] = []
        self._rival: Block | None = None

    def offer(self, block: Block, previous: str) -> Taken:
        """Take a block that says what it was built upon. OSError where it cannot be written."""
        head, root = self.head, self.root
        if previous == head.id and self._follows(head, block):
            self.append(block)
            return Taken.NEW
        if block.number <= root.number:
            known = self.block(block.number)
            return Taken.FOREIGN if known and known.id != block.id else Taken.KNOWN
        if block.number == root.number + 1:
            if not self._follows(root, block):
                return Taken.FOREIGN
            self._rival = block if block.id != head.id else None
            return Taken.KNOWN
        rival = self._rival
        if rival and previous == rival.id and self._follows(rival, block):
            self.head = rival  # the longer branch wins
            self.append(block)
            return Taken.NEW
        return Taken.AHEAD

    def append(self, block: Block) -> None:
        """Take the next block: what was the head is irreversible now. OSError where it cannot be written."""
        if self.head.number > self.root.number:
            self.log.append(self.head)
            self.root = self.head
        self.head = block
        self._rival = None
        for hear in self.heard:
            hear(block)

    def replay(self, blocks: int) -> bool:
        """Take up to so many blocks from the log that are not in the state yet; return whether any are left."""
        for _ in range(blocks):
            block = self.log.read(self.head.number + 1)
            if block is None:
                return False
            self.root = self.head = block
        return self.log.end > self.head.number

    def block(self, number: int) -> Block | None:
        """Return a block; None for one that is yet to come, or that was before this node began."""
        if number == self.head.number and number >= self.earliest:
            return self.head
        return self.log.read(number) if number >= self.earliest else None

    def state(self) -> dict[str, Any]:
        """Return what the database is to hold."""
        return {"chain_id": self.id, "genesis": self.genesis.document, "earliest": self.earliest}

    def fork_database(self) -> dict[str, Any]:
        """Return what fork_db.dat is to hold."""
        return {"root": self.root, "head": self.head}

    def _follows(self, previous: Block, block: Block) -> bool:
        return previous.slot < block.slot < SLOTS and block == following(self.id, previous, block.slot)
