"""A Clique chain whose blocks come by a clock: who seals when follows go-ethereum's consensus/clique.

A sealer seals in turn with difficulty 2, out of turn with difficulty 1 and a delay, and at most once in
floor(n / 2) + 1 blocks: with fewer sealers than that the chain halts. With the period 0 it seals only what there is to
seal: a block as soon as transactions wait, and none while there are no transactions.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from compose.simulated.ledger import KEPT, NO_HABITS, Fork, Habits, Ledger, digits
from compose.simulated.load import Bursts, Steady
from compose.simulated.seals import UNSEALED, address_of

HISTORY = 256
"""Blocks that a chain has when it is made: enough for `clique_status`, which looks 64 blocks back, for a node that
lags by 200 and for a fork of a hundred blocks."""

PACE = 10.0
"""Seconds between these where the period is 0."""

EPOCH = 30_000
"""Blocks between two checkpoints, whose extraData repeats the signers."""

WIGGLE = 0.5
"""Seconds per signer of the random delay of an out-of-turn sealer (`wiggleTime` in go-ethereum)."""

FULL = 300
"""Transactions that a block holds at most: its gas limit is enough for so many."""


class Block(NamedTuple):
    """One block. `sealer` is an index into the signers, -1 for the genesis block."""

    number: int
    timestamp: int
    sealer: int
    difficulty: int
    total_difficulty: int
    transactions: int = 0


class Clique(Ledger[Block]):
    """A chain sealed in turn by `sealers` (names, any number of them; without any it stays at its genesis).

    All of them seal until `made_by` says otherwise. `load` is how many transactions come a second: with the period 0
    in bursts, and none but those handed to `submit` with the load 0.
    """

    def __init__(
        self, name: str, sealers: Iterable[str], period: float, clock: Callable[[], float], load: float = 0.0
    ) -> None:
        now = math.floor(clock())
        self._genesis = Block(0, now - math.floor(HISTORY * (period or PACE)), -1, 1, 1)
        names = {address_of(name, sealer): sealer for sealer in sealers}
        self.signers = tuple(sorted(names))
        """Addresses, ascending, as the genesis block holds them."""
        self.sealers = tuple(names[address] for address in self.signers)
        """The names of the signers."""
        come = Steady(load, period) if period else Bursts(load)
        since = self.started if period else float(now)
        super().__init__(name, period, clock, self._genesis, load=come, since=since, makers=self.sealers)
        self._slot = self.started
        self._not_before = self._slot
        self._next: tuple[Block, float] | None = None
        self._due = math.inf
        if not period:
            self._make_history()
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

    @property
    def weight(self) -> tuple[int, ...]:
        """The total difficulty."""
        return (self.head.total_difficulty,)

    def advance(self) -> None:
        """Make the blocks that have fallen due."""
        now = self.now
        if now < self._due:
            return
        backlog = now - KEPT * (self.period or 1.0)
        if self._due < backlog:
            self._not_before = backlog
            self._plan()
        while self._next is not None and self._due <= now:
            self._seal(*self._next)

    def made_by(self, names: Iterable[str], habits: Mapping[str, Habits] = NO_HABITS) -> None:
        """Let these sealers seal, and no others, from now on."""
        super().made_by(names, habits)
        if self._next is None:
            self._not_before = self.now
        self._plan()

    def submit(self, count: int) -> None:
        """Let so many transactions come now, beside those that come anyway."""
        super().submit(count)
        if not self.period:
            self._not_before = max(self._not_before, self.now)
            self._plan()

    def block(self, number: int) -> Block | None:
        """Return a block of those kept, or the genesis block; None for any other."""
        return super().block(number) if number else self._genesis

    def hash(self, number: int, fork: Fork | None = None) -> str:
        """Return the hash of a block as it is seen on the fork, or on the chain itself."""
        return "0x" + self._hash(number, fork)

    def extra_data(self, block: Block, vanity: str, seal: bytes = UNSEALED) -> str:
        """Return a block's extraData: 32 bytes of vanity, the signers at checkpoints, 65 bytes of seal."""
        signers = "".join(address[2:] for address in self.signers) if block.number % EPOCH == 0 else ""
        vanity = vanity.ljust(64, "0") if block.number else "00" * 32
        return "0x" + vanity + signers + seal.hex()

    def _set_clock(self, ahead: float) -> None:
        if ahead > self.ahead:
            self._not_before = self.clock() + ahead
        super()._set_clock(ahead)

    def _seal(self, block: Block, slot: float) -> None:
        self._blocks.append(block._replace(transactions=self._take(slot, FULL)))
        self._slot = slot
        self._plan()

    def _make_history(self) -> None:
        for i in range(1, HISTORY + 1):
            self._waiting = 1
            self._not_before = self.started + i * PACE
            self._plan()
            if self._next is not None:
                self._blocks.append(self._next[0]._replace(transactions=1))
                self._slot = self._next[1]
        self._waiting = 0

    def _plan(self) -> None:
        """Work out the next block: who seals it, and when it reaches the others."""
        head = self.head
        number = head.number + 1
        self._next, self._due = None, math.inf
        if not self.signers:
            return
        recent = {block.sealer for block in self.last(self.limit - 1, head.number)}  # the genesis block's is no one
        allowed = [i for i, name in enumerate(self.sealers) if name in self.active and i not in recent]
        slot = self._next_slot()
        if not allowed or slot == math.inf:
            return
        in_turn = number % len(self.signers)
        if in_turn in allowed:
            sealer, difficulty, delay = in_turn, 2, 0.0
        else:
            chance = int(digits("turn", self.name, number, length=8), 16)
            sealer, difficulty = allowed[chance % len(allowed)], 1
            delay = min(WIGGLE * self.limit, self.period / 2 or WIGGLE) * (chance % 1000) / 1000
        self._next = Block(number, math.floor(slot), sealer, difficulty, head.total_difficulty + difficulty), slot
        self._due = slot + delay

    def _next_slot(self) -> float:
        """Return when the next block may be sealed; with the period 0, infinity where there is nothing to seal."""
        if self.period:
            return max(self._slot + self.period, self._not_before)
        since = max(self._slot, self._not_before)
        if self._waiting_at(since):
            return since
        return self._load.next(since) if isinstance(self._load, Bursts) else math.inf
