"""A Clique chain whose blocks come by a clock: who seals when follows go-ethereum's consensus/clique.

A sealer seals in turn with difficulty 2, out of turn with difficulty 1 and a delay, and at most once in
floor(n / 2) + 1 blocks: with fewer sealers than that the chain halts.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import NamedTuple

from compose.simulated.ledger import KEPT, Fork, Ledger, digits

HISTORY = 128
"""Blocks that a chain has when it is made: enough for `clique_status`, which looks 64 blocks back."""

EPOCH = 30_000
"""Blocks between two checkpoints, whose extraData repeats the signers."""

WIGGLE = 0.5
"""Seconds per signer of the random delay of an out-of-turn sealer (`wiggleTime` in go-ethereum)."""


class Block(NamedTuple):
    """One block. `sealer` is an index into the signers, -1 for the genesis block."""

    number: int
    timestamp: int
    sealer: int
    difficulty: int
    total_difficulty: int


def address_of(chain: str, name: str) -> str:
    """Return the address of the sealer `name`: 0x and 40 hexadecimal digits, the same at every start."""
    return "0x" + digits("address", chain, name, length=40)


class Clique(Ledger[Block]):
    """A chain sealed in turn by `sealers` (names, any number of them; without any it stays at its genesis).

    All of them seal until `made_by` says otherwise.
    """

    def __init__(self, name: str, sealers: Iterable[str], period: float, clock: Callable[[], float]) -> None:
        self._genesis = Block(0, math.floor(clock()) - math.floor(HISTORY * period), -1, 1, 1)
        super().__init__(name, period, clock, self._genesis)
        names = {address_of(name, sealer): sealer for sealer in sealers}
        self.signers = tuple(sorted(names))
        """Addresses, ascending, as the genesis block holds them."""
        self._names = tuple(names[address] for address in self.signers)
        self._active = frozenset(self._names)
        self._slot = self.started
        self._not_before = self._slot
        self._next: Block | None = None
        self._due = math.inf
        self._plan()
        self.advance()

    @property
    def limit(self) -> int:
        """A signer may seal once in so many blocks: without this many sealers the chain halts."""
        return len(self.signers) // 2 + 1

    @property
    def started(self) -> float:
        """When the genesis block was made: a whole second."""
        return float(self._genesis.timestamp)

    def advance(self) -> None:
        """Make the blocks that have fallen due."""
        now = self.clock()
        if now < self._due:
            return
        backlog = now - KEPT * self.period
        if self._due < backlog:
            self._not_before = backlog
            self._plan()
        while self._next is not None and self._due <= now:
            self._blocks.append(self._next)
            self._slot = max(self._slot + self.period, self._not_before)
            self._plan()

    def made_by(self, names: Iterable[str]) -> None:
        """Let these sealers seal, and no others, from now on."""
        self.advance()
        self._active = frozenset(names)
        if self._next is None:
            self._not_before = self.clock()
        self._plan()

    def block(self, number: int) -> Block | None:
        """Return a block of those kept, or the genesis block; None for any other."""
        return super().block(number) if number else self._genesis

    def hash(self, number: int, fork: Fork | None = None) -> str:
        """Return the hash of a block as it is seen on the fork, or on the chain itself."""
        return "0x" + self._hash(number, fork)

    def extra_data(self, block: Block, vanity: str) -> str:
        """Return a block's extraData: 32 bytes of vanity, the signers at checkpoints, 65 bytes of seal."""
        signers = "".join(address[2:] for address in self.signers) if block.number % EPOCH == 0 else ""
        if not block.number:
            return "0x" + "00" * 32 + signers + "00" * 65
        seal = digits("seal", self.name, block.number, length=128) + f"{block.number % 2:02x}"
        return "0x" + vanity.ljust(64, "0") + signers + seal

    def _plan(self) -> None:
        """Work out the next block: who seals it, and when it reaches the others."""
        head = self.head
        number = head.number + 1
        self._next, self._due = None, math.inf
        if not self.signers:
            return
        recent = {block.sealer for block in self.last(self.limit - 1, head.number)}  # the genesis block's is no one
        allowed = [i for i, name in enumerate(self._names) if name in self._active and i not in recent]
        if not allowed:
            return
        slot = max(self._slot + self.period, self._not_before)
        in_turn = number % len(self.signers)
        if in_turn in allowed:
            sealer, difficulty, delay = in_turn, 2, 0.0
        else:
            chance = int(digits("turn", self.name, number, length=8), 16)
            sealer, difficulty = allowed[chance % len(allowed)], 1
            delay = min(WIGGLE * self.limit, self.period / 2) * (chance % 1000) / 1000
        self._next = Block(number, math.floor(slot), sealer, difficulty, head.total_difficulty + difficulty)
        self._due = slot + delay
