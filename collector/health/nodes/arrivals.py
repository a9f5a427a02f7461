"""Propagation: how long after the first sighting of a block each node had it.

From nodes that push this is exact: each tells when it had the block. A gather tells less: at that moment the node had
this head and none after it. So it lacked the next block, which shows in that block's time once the block is known, and
how long it lacked it until then is the least that the delay can have been. That says something only where blocks come
more often than gathers, and is for nodeos, which pushes nothing.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from math import isfinite
from typing import NamedTuple

from collector.health.quantiles import quantile
from collector.observations import Block

LAST_BLOCKS = 128
"""Blocks of the chain, its last, of which delays are told."""

MOST_BLOCKS = 512
"""Blocks of which arrivals are remembered: those made up, or of branches, come beside those of the chain."""

LAST_GATHERS = 60
"""Gathers of a node that are looked at."""

LAST_ROUNDS = 30
"""Times that delays were worked out of which it is remembered how soon somebody had a block."""

MOST_WAITING = 4
"""Gathers of a node that wait for the block after their head to be known; it comes with the next, or hardly ever."""

SPREAD = 0.5
"""Seconds by which blocks are early and late against each other in health: nodeos makes them up to 0.4 s early."""

Delays = tuple[float | None, float | None]
"""Of the delays the median and the 95th percentile, None where there are none."""

_UNKNOWN: Delays = (None, None)

Main = Callable[[int], Block | None]
"""Returns the chain's block of a number, as far as that is known."""


class _Asked(NamedTuple):
    """A gather: the node was asked at a moment, had answered by another, and this was its head."""

    head: Block
    at: float
    by: float


@dataclass(slots=True)
class _Gathers:
    """The gathers of one node: those that wait for the next block to be known, and what the others say."""

    waiting: deque[_Asked] = field(default_factory=lambda: deque(maxlen=MOST_WAITING))
    lacked: deque[float] = field(default_factory=lambda: deque(maxlen=LAST_GATHERS))
    """At each, for how long there had been a block by then that the node lacked."""


class Arrivals:
    """When which node had which block."""

    def __init__(self) -> None:
        self._blocks: OrderedDict[str, dict[str, float]] = OrderedDict()
        self._gathers: dict[str, _Gathers] = {}
        self._best: deque[float] = deque(maxlen=LAST_ROUNDS)
        self._delays: dict[str, Delays] = {}
        self._all: Delays = _UNKNOWN
        self._news = False

    def pushed(self, node: str, block: Block, at: float) -> None:
        """Take note that a node had a block at a moment, which is that of its arrival."""
        if not block.hash or not isfinite(at):
            return
        arrived = self._blocks.get(block.hash)
        if arrived is None:
            arrived = self._blocks[block.hash] = {}
            if len(self._blocks) > MOST_BLOCKS:
                self._blocks.popitem(last=False)
        if at < arrived.get(node, float("inf")):
            arrived[node] = at
            self._news = True

    def asked(self, node: str, head: Block, at: float, by: float) -> None:
        """Take note that a node, asked at a moment, had answered by another, and this was its head then."""
        if head.hash and isfinite(at) and isfinite(by) and isfinite(head.timestamp):
            self._gathers.setdefault(node, _Gathers()).waiting.append(_Asked(head, at, by))
            self._news = True

    def forget(self, node: str) -> None:
        """Forget a node."""
        if self._gathers.pop(node, None) is not None:
            self._news = True
        for arrived in self._blocks.values():
            if arrived.pop(node, None) is not None:
                self._news = True

    def judge(self, main: Main, tip: int) -> None:
        """Work out delays of the last blocks of the chain, of which `tip` is the number of the last."""
        if not self._news:
            return
        self._news = False
        exact = self._exact(main, tip)
        self._look_again(main)
        self._delays = {}
        every: list[float] = []
        for node in {**exact, **self._gathers}:
            delays = exact.get(node) or self._gathers[node].lacked
            if delays:
                self._delays[node] = _quantiles(delays)
                every.extend(delays)
        self._all = _quantiles(every) if every else _UNKNOWN

    def of(self, node: str) -> Delays:
        """Return the delays of a node: those of pushes if there are any, else the least that gathers tell."""
        return self._delays.get(node, _UNKNOWN)

    def chain(self) -> Delays:
        """Return the delays of all nodes together."""
        return self._all

    def _exact(self, main: Main, tip: int) -> dict[str, list[float]]:
        """Return for each node how long after the first it had the last blocks of the chain.

        A block that one node alone told of says nothing: it may have been the first or the last to have it.
        """
        delays: dict[str, list[float]] = {}
        for number in range(tip, tip - LAST_BLOCKS, -1) if self._blocks else ():
            block = main(number)
            arrived = self._blocks.get(block.hash) if block else None
            if arrived is None or len(arrived) < 2:  # noqa: PLR2004 - as the docstring says
                continue
            first = min(arrived.values())
            for node, at in arrived.items():
                delays.setdefault(node, []).append(at - first)
        return delays

    def _look_again(self, main: Main) -> None:
        """Take those gathers after whose head a block is known by now.

        They are compared with the best of all: how soon after its time, by the collector's clock, somebody had a block
        of late. So it doesn't matter whether clocks agree.
        """
        known: list[tuple[_Gathers, _Asked, Block]] = []
        for gathers in self._gathers.values():
            for _ in range(len(gathers.waiting)):
                asked = gathers.waiting.popleft()
                head, after = main(asked.head.number), main(asked.head.number + 1)
                if after is not None and head is not None and head.hash == asked.head.hash:
                    known.append((gathers, asked, after))
                elif head is None or head.hash == asked.head.hash:
                    gathers.waiting.append(asked)
        if not known:
            return
        self._best.append(min(asked.by - asked.head.timestamp for _, asked, _ in known))
        best = min(self._best)
        for gathers, asked, after in known:
            gathers.lacked.append(max(0.0, asked.at - after.timestamp - best - SPREAD))


def _quantiles(delays: Iterable[float]) -> Delays:
    ordered = sorted(delays)
    return quantile(ordered, 0.5), quantile(ordered, 0.95)
