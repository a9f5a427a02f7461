"""What the simulated chains of both kinds have in common: blocks that come by a clock, of which the latest are kept."""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Generic, NamedTuple, Protocol, TypeVar

KEPT = 8192
"""Blocks that are kept. Also the most that one `advance` makes: a chain whose machine slept goes on from where it
stood, as a real one does, instead of making up for a night in one go."""


class Numbered(Protocol):
    """A block, as far as both kinds of chain agree."""

    @property
    def number(self) -> int:
        """Its height."""


BlockT = TypeVar("BlockT", bound=Numbered)


class Fork(NamedTuple):
    """A branch of a chain: other hashes from the block `height` on."""

    name: str
    height: int


class Ledger(ABC, Generic[BlockT]):
    """One chain. Every node of it reads the same ledger; what one of them shows of it is the node's own matter.

    Nothing runs in the background: `advance` makes the blocks that have fallen due since it was last called.
    `period` is the seconds between blocks, `clock` returns seconds since 1970, `first` is the oldest block.
    """

    def __init__(self, name: str, period: float, clock: Callable[[], float], first: BlockT) -> None:
        self.name = name
        self.period = period
        self.clock = clock
        self._blocks: deque[BlockT] = deque([first], maxlen=KEPT)

    @property
    @abstractmethod
    def started(self) -> float:
        """When the oldest block was made, in seconds since 1970."""

    @property
    def head(self) -> BlockT:
        """The newest block, as of the last `advance`."""
        return self._blocks[-1]

    @property
    def oldest(self) -> BlockT:
        """The oldest block that is kept."""
        return self._blocks[0]

    def block(self, number: int) -> BlockT | None:
        """Return a block of those kept; None for any other."""
        behind = self.head.number - number
        return self._blocks[-1 - behind] if 0 <= behind < len(self._blocks) else None

    def last(self, count: int, until: int) -> Iterator[BlockT]:
        """Yield up to `count` kept blocks, newest first, from the number `until` downwards."""
        skipped = max(self.head.number - until, 0)
        return islice(reversed(self._blocks), skipped, skipped + count)

    @abstractmethod
    def advance(self) -> None:
        """Make the blocks that have fallen due."""

    @abstractmethod
    def made_by(self, names: Iterable[str]) -> None:
        """Let these nodes make blocks, and no others, from now on."""

    def _hash(self, number: int, fork: Fork | None) -> str:
        """Return 64 hexadecimal digits: the hash of a block as it is seen on the fork, or on the chain itself."""
        branch = fork.name if fork and number >= fork.height else ""
        return hashlib.sha256(f"block/{self.name}/{branch}/{number}".encode()).hexdigest()


def digits(*about: object, length: int = 64) -> str:
    """Return hexadecimal digits that are the same for the same things at every start."""
    text = "/".join(map(str, about)).encode()
    return "".join(hashlib.sha256(text + bytes([i])).hexdigest() for i in range(-(-length // 64)))[:length]
