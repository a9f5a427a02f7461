"""What the simulated chains of both kinds have in common: blocks that come by a clock, of which the latest are kept."""

from __future__ import annotations

import copy
import hashlib
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from types import MappingProxyType
from typing import Generic, NamedTuple, Protocol, Self, TypeVar

from compose.simulated.load import Bursts, Steady

KEPT = 8192
"""Blocks that are kept. Also the most that one `advance` makes: a chain whose machine slept goes on from where it
stood, as a real one does, instead of making up for a night in one go."""

POOL = 4096
"""Transactions that wait for a block at most; more are refused."""

PARTINGS = 64
"""Branchings of a chain that are remembered: one longer ago is of no block that is kept."""


class Numbered(Protocol):
    """A block, as far as both kinds of chain agree."""

    @property
    def number(self) -> int:
        """Its height."""


BlockT = TypeVar("BlockT", bound=Numbered)


class Fork(NamedTuple):
    """A node's own view of a chain: other hashes from the block `height` on."""

    name: str
    height: int


class Turns(NamedTuple):
    """The next `rounds` rounds of a producer that begin after the moment `since`; `blocks` of each are concerned."""

    since: float
    rounds: int
    blocks: int


@dataclass(frozen=True)
class Habits:
    """What is odd about how someone makes blocks. All but `clock` is of producers.

    `mute`: its blocks confirm nothing, and it casts no votes. `skips`: turns that it leaves empty, `doubles`: turns
    after which it goes on through the next producer's. `clock`: seconds that its clock is ahead.
    """

    mute: bool = False
    skips: Turns | None = None
    doubles: Turns | None = None
    clock: float = 0.0


PLAIN = Habits()
NO_HABITS: Mapping[str, Habits] = MappingProxyType({})


class Ledger(ABC, Generic[BlockT]):
    """One chain, or one branch of it. The nodes on it read the same ledger; what one shows of it is its own matter.

    Nothing runs in the background: `advance` makes the blocks that have fallen due since it was last called.
    `period` is the seconds between blocks, `clock` returns seconds since 1970, `first` is the oldest block, `load` the
    transactions that come, from the moment `since` on. A ledger is branched where a network falls apart (`branch`).
    """

    def __init__(
        self,
        name: str,
        period: float,
        clock: Callable[[], float],
        first: BlockT,
        *,
        load: Steady | Bursts,
        since: float,
        makers: Iterable[str],
    ) -> None:
        self.name = name
        self.period = period
        self.clock = clock
        self.active = frozenset(makers)
        """Who makes blocks now."""
        self.ahead = 0.0
        """How many seconds the clock of all who make blocks is ahead; 0 where they differ."""
        self._blocks: deque[BlockT] = deque([first], maxlen=KEPT)
        self._habits = NO_HABITS
        self._lineage: tuple[tuple[int, str], ...] = ((0, ""),)
        self._load = load
        self._waiting = 0
        self._counted = since

    @property
    @abstractmethod
    def started(self) -> float:
        """When the oldest block was made, in seconds since 1970."""

    @property
    @abstractmethod
    def weight(self) -> tuple[int, ...]:
        """What decides between branches: nodes that see both take the one that is greater."""

    @property
    def now(self) -> float:
        """The time, as those who make blocks know it."""
        return self.clock() + self.ahead

    @property
    def head(self) -> BlockT:
        """The newest block, as of the last `advance`."""
        return self._blocks[-1]

    @property
    def oldest(self) -> BlockT:
        """The oldest block that is kept."""
        return self._blocks[0]

    @property
    def waiting(self) -> int:
        """How many transactions wait for a block now."""
        return self._waiting_at(self.now)

    def block(self, number: int) -> BlockT | None:
        """Return a block of those kept; None for any other."""
        behind = self.head.number - number
        return self._blocks[-1 - behind] if 0 <= behind < len(self._blocks) else None

    def last(self, count: int, until: int) -> Iterator[BlockT]:
        """Yield up to `count` kept blocks, newest first, from the number `until` downwards."""
        skipped = max(self.head.number - until, 0)
        return islice(reversed(self._blocks), skipped, skipped + count)

    def branch(self, tag: str = "") -> Self:
        """Return a chain of its own that shares the blocks so far.

        The blocks that either makes from now on have other hashes, if this branch has a `tag` that no other has.
        """
        other = copy.copy(self)
        other._blocks = self._blocks.copy()  # noqa: SLF001 - its own kind, not yet anybody's
        if tag:
            parting = (self.head.number + 1, tag)
            other._lineage = (self._lineage[0], *self._lineage[1:][-PARTINGS:], parting)  # noqa: SLF001 - as above
        return other

    @abstractmethod
    def advance(self) -> None:
        """Make the blocks that have fallen due."""

    def made_by(self, names: Iterable[str], habits: Mapping[str, Habits] = NO_HABITS) -> None:
        """Let these nodes make blocks, and no others, from now on; `habits` tells what is odd about some.

        Where the clock of all of them is turned back, they make none until it has reached the last block's time.
        """
        self.advance()
        self.active = frozenset(names)
        self._habits = habits
        clocks = {self._habit(name).clock for name in self.active}
        if clocks:
            self._set_clock(clocks.pop() if len(clocks) == 1 else 0.0)

    def submit(self, count: int) -> None:
        """Let so many transactions come now, beside those that come anyway."""
        self.advance()
        self._waiting = min(self._waiting + count, POOL)

    def _set_clock(self, ahead: float) -> None:
        self.ahead = ahead

    def _habit(self, name: str) -> Habits:
        return self._habits.get(name, PLAIN)

    def _waiting_at(self, moment: float) -> int:
        come = self._load.between(self._counted, moment) if moment > self._counted else 0
        return min(self._waiting + come, POOL)

    def _take(self, moment: float, most: int) -> int:
        """Put up to `most` of the transactions that wait at a moment into a block, and return how many these are."""
        waiting = self._waiting_at(moment)
        taken = min(waiting, most)
        self._waiting = waiting - taken
        self._counted = max(self._counted, moment)
        return taken

    def _hash(self, number: int, fork: Fork | None) -> str:
        """Return 64 hexadecimal digits: the hash of a block as it is seen on the fork, or on the chain itself."""
        branch = next((tag for first, tag in reversed(self._lineage) if number >= first), "")
        view = fork.name if fork and number >= fork.height else ""
        return hashlib.sha256(f"block/{self.name}/{branch}/{view}/{number}".encode()).hexdigest()


def digits(*about: object, length: int = 64) -> str:
    """Return hexadecimal digits that are the same for the same things at every start."""
    text = "/".join(map(str, about)).encode()
    return "".join(hashlib.sha256(text + bytes([i])).hexdigest() for i in range(-(-length // 64)))[:length]
