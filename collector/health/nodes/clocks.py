"""Whose clock differs from the collector's: those of the nodes, and the one by which blocks are dated.

A clock is told apart from lag by asking only what lag cannot explain.
"""

from __future__ import annotations

from bisect import insort
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from math import isfinite
from operator import attrgetter

from collector.observations import Block

SAMPLES = 8
"""Samples of a node's clock that are kept: enough to narrow it down, few enough to follow a clock that is set."""

LEAST_WITHIN = 0.1
"""Seconds to within which no clock is known over a network, whatever is claimed."""

MOST_SIGHTINGS = 256
"""Blocks whose first sighting is remembered: some minutes of gathers that find a few different heads each."""

EARLY = 0.5
"""Seconds that blocks come before their time in health: producers of nodeos finish them up to 0.4 s early."""

LAST = 12
"""Blocks, those seen last, that may say that block times are ahead: so it is over soon after the clock is set."""

SEVERAL = 3
"""Blocks of these that must agree."""

HEADS = 30
MOST_HEADS = 64
"""Blocks that must have been seen before block times are said to be behind, and how many are looked at."""

BEHIND_PERIODS = 3.0
BEHIND_LEAST = 1.0
"""Block times are behind if no block was seen younger than so many periods and seconds: the head of a healthy chain
is less than one period old most of the time, whenever and however seldom somebody looks.
"""

PACE = 0.1
"""How far, as a share, blocks may come faster or slower than their own times say, while they tell of a clock."""


@dataclass(frozen=True, slots=True)
class _Sample:
    """A clock seen at a moment: it is between `least` and `most` seconds ahead."""

    at: float
    least: float
    most: float


class NodeClocks:
    """The clock of each node, as it tells of it itself."""

    def __init__(self) -> None:
        self._samples: dict[str, list[_Sample]] = {}

    def saw(self, node: str, skew: float, within: float, at: float) -> None:
        """Take a sample: the clock was `skew` seconds ahead of the collector's, known to within so many seconds."""
        if not (isfinite(skew) and isfinite(within) and isfinite(at)):
            return
        within = max(abs(within), LEAST_WITHIN)
        samples = self._samples.setdefault(node, [])
        sample = _Sample(at, skew - within, skew + within)
        if any(each.at == at for each in samples):
            return
        insort(samples, sample, key=attrgetter("at"))
        del samples[:-SAMPLES]

    def forget(self, node: str) -> None:
        """Forget a node."""
        self._samples.pop(node, None)

    def of(self, node: str) -> float | None:
        """Return how many seconds a node's clock is ahead; None until two samples in a row agree.

        From the newest sample back, what each allows is narrowed down by the one before, as long as they agree.
        """
        samples = self._samples.get(node, [])
        if not samples:
            return None
        least, most = samples[-1].least, samples[-1].most
        agreed = 1
        for sample in reversed(samples[:-1]):
            if sample.least > most or sample.most < least:
                break
            least, most = max(least, sample.least), min(most, sample.most)
            agreed += 1
        return (least + most) / 2 if agreed > 1 else None


@dataclass(slots=True)
class _Sighting:
    """A block, the node that was first to have it and the moment by which it had, and the same of the second one."""

    block: Block
    node: str
    by: float
    second_by: float | None = None

    @property
    def ahead(self) -> float:
        """How far the block's time is ahead of the moment at which it was seen: less than that of the clock itself."""
        return self.block.timestamp - self.by

    def take(self, node: str, by: float) -> None:
        """Take another sighting of the block."""
        if node == self.node:
            self.by = min(self.by, by)
        elif by < self.by:
            self.node, self.by, self.second_by = node, by, self.by
        elif self.second_by is None or by < self.second_by:
            self.second_by = by


class ChainClock:
    """How far the times of the chain's blocks are ahead of the collector's clock.

    A block is seen after it was made, sooner or later but never before: so a block of the future tells of a clock, and
    one of the past alone does not. Block times are ahead if `SEVERAL` blocks, of two makers where there are two, were
    seen before their time, by more than happens in health; and by that which the least of these was. They are behind if
    no node had any of many blocks in time, though the chain goes on at its pace: then it is no stall. And two nodes
    must have been that near, since the lag of one looks the same.
    """

    def __init__(self) -> None:
        self._seen: OrderedDict[str, _Sighting] = OrderedDict()

    def saw(self, node: str, head: Block, by: float) -> None:
        """Take a head that a node had by a moment: for a gather, the one at which the answer had come."""
        if not head.hash or not isfinite(by) or not isfinite(head.timestamp):
            return
        known = self._seen.get(head.hash)
        if known is not None:
            known.take(node, by)
            return
        self._seen[head.hash] = _Sighting(head, node, by)
        if len(self._seen) > MOST_SIGHTINGS:
            self._seen.popitem(last=False)

    def ahead(self, main: Callable[[int], Block | None], period: float | None) -> float | None:
        """Return how many seconds block times are ahead, below 0: behind; 0 in health, None where it isn't known.

        `main` returns the chain's block of a number, as far as that is known: what one node alone made up tells
        nothing. `period` is the time between blocks; without it nothing is said to be behind.
        """
        seen = [sighting for sighting in self._seen.values() if _is_of(main, sighting.block)]
        if len(seen) < SEVERAL:
            return None
        seen.sort(key=attrgetter("by"))
        ahead = _agreed(sorted(seen[-LAST:], key=attrgetter("ahead"), reverse=True))
        return ahead if ahead > EARLY else _behind(seen[-MOST_HEADS:], period)


def _is_of(main: Callable[[int], Block | None], block: Block) -> bool:
    known = main(block.number)
    return known is not None and known.hash == block.hash


def _agreed(seen: list[_Sighting]) -> float:
    """Return by how much `SEVERAL` blocks, of two makers if there are two, are ahead at least; the furthest first."""
    named = {sighting.block.maker for sighting in seen} - {""}
    makers: set[str] = set()
    for count, sighting in enumerate(seen, 1):
        makers.add(sighting.block.maker)
        if count >= SEVERAL and len(makers & named) >= min(2, len(named)):
            return sighting.ahead
    return seen[-1].ahead


def _behind(seen: list[_Sighting], period: float | None) -> float:
    """Return how far block times are behind, below 0; 0 if they aren't, or if it may be lag or a stall.

    The sightings are in the order of their moments.
    """
    if period is None or len(seen) < HEADS:
        return 0.0
    passed = seen[-1].by - seen[0].by
    if abs(seen[-1].block.timestamp - seen[0].block.timestamp - passed) > PACE * passed:
        return 0.0
    allowed = BEHIND_PERIODS * period + BEHIND_LEAST
    first = min(-sighting.ahead for sighting in seen)
    seconds = [each.second_by - each.block.timestamp for each in seen if each.second_by is not None]
    agree = bool(seconds) and min(seconds) - first <= allowed
    return -first if agree and first > allowed else 0.0
