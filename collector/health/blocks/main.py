"""The chain itself: the blocks on which most nodes agree, by number."""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from itertools import pairwise

from collector.health.blocks.tree import KEPT, Entry, Tree, lowest
from collector.observations import Block

_SIGHTINGS = 2
"""Heads whose age at first sight is remembered. See `Main.lateness`."""

_INTERVALS = 8
"""Blocks by which the time between two is known."""


class Main:
    """The blocks from the tip down, without a gap; `at` tells of those beneath a gap too.

    A gap is where blocks were never told. What the chain was beneath it stays, as long as nothing contradicts it.
    """

    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        self._entries: dict[int, Entry] = {}
        self._top: Entry | None = None
        self._root: Entry | None = None
        self._ages: deque[float] = deque(maxlen=_SIGHTINGS)

    @property
    def tip(self) -> Block | None:
        """The newest block; None as long as there is none."""
        return self._top.block if self._top is not None else None

    def at(self, number: int) -> Block | None:
        """Return the block of a number, if it is known."""
        entry = self._entries.get(number)
        return entry.block if entry is not None else None

    def last(self, count: int) -> list[Block]:
        """Return the newest blocks, the newest first, without a gap: as many as there are, at most `count`."""
        blocks: list[Block] = []
        number = self._top.number if self._top is not None else -1
        low = self.low
        while len(blocks) < count and number >= low and (block := self.at(number)) is not None:
            blocks.append(block)
            number -= 1
        return blocks

    def newest_at(self, moment: float) -> Block | None:
        """Return the newest block, above any gap, whose timestamp is no later than a moment."""
        if self._top is None:
            return None
        numbers = range(self.low, self._top.number + 1)
        place = bisect_right(numbers, moment, key=self._time)
        block = self.at(numbers[place - 1]) if place else None
        return block if block is not None and block.timestamp <= moment else None

    # For the other modules of this package

    @property
    def top(self) -> Entry | None:
        """The tip's entry."""
        return self._top

    @property
    def root(self) -> Entry | None:
        """The lowest entry that the tip is known to descend from."""
        return self._root

    @property
    def low(self) -> int:
        """The number of the lowest block above any gap."""
        if self._root is None:
            return 0
        low = max(self._tree.mark, self._root.number + (self._root.block is None))
        return low if self._top is None else min(low, self._top.number)

    def root_of(self, entry: Entry) -> Entry:
        """Return the lowest entry that one is known to descend from, without going through the whole chain."""
        while entry.up is not None and not entry.main:
            entry = entry.up
        return lowest(self._root) if entry.main and self._root is not None else entry

    def may_lead_to(self, entry: Entry) -> bool:
        """Tell whether an entry is of the chain, or may follow upon its tip for all that is known."""
        start = entry
        while self._top is not None and not entry.main and entry.number > self._top.number and entry.up is not None:
            entry = entry.up
        return start.main or self._top is None or entry is self._top or entry.number > self._top.number

    def deepen(self) -> None:
        """Take in what has come to be known beneath the chain."""
        if self._root is None:
            return
        self._join(self._root)  # it may have been known by its place alone
        while self._root.up is not None:
            self._root = self._root.up
            self._join(self._root)

    def move(self, top: Entry) -> bool:
        """Make the chain that which ends here. Returns whether what it was is known to be of it, or there was none."""
        before = self._top
        path = []
        entry: Entry | None = top
        while entry is not None and not entry.main:
            path.append(entry)
            entry = entry.up
        self._leave(before, entry)
        if entry is None:
            for number in [number for number in self._entries if number >= path[-1].number]:
                del self._entries[number]
            self._root = path[-1]
        for each in path:
            self._join(each)
        if before is None or top.number > before.number:
            assert top.block is not None
            self._ages.append(top.sighted - top.block.timestamp)
        self._top = top
        self._prune(top.number - KEPT + 1, linked=entry is not None)
        self._entries[top.number] = top  # it may lie below what is kept, if all nodes above it are gone
        return entry is not None or before is None

    def lateness(self) -> float:
        """Return how long after its timestamp, by the collector's clock, a block is sure to exist.

        A block is first seen after it was made: its age at that moment is as much as the chain's clock is behind the
        collector's, or more. One age of less than the time between two blocks thus proves that it isn't behind by more.
        Then block times are taken for what they say. Otherwise the greater of the last two ages is waited for. Of
        a chain whose clock is ahead by more than that time, the same ages tell by how much.
        """
        if not self._ages:
            return float("inf")
        times = [block.timestamp for block in self.last(_INTERVALS + 1)]
        period = min((later - before for later, before in pairwise(times)), default=0.0)
        near = min(self._ages) <= max(period, 0.0) and max(self._ages) >= -max(period, 0.0)
        return 0.0 if near else max(self._ages)

    def _time(self, number: int) -> float:
        block = self.at(number)
        return block.timestamp if block is not None else float("-inf")

    def _leave(self, entry: Entry | None, until: Entry | None) -> None:
        while entry is not None and entry is not until:
            if self._entries.get(entry.number) is entry and until is not None:
                del self._entries[entry.number]
            self._tree.set_main(entry, main=False)
            entry = entry.up

    def _join(self, entry: Entry) -> None:
        self._tree.set_main(entry, main=True)
        if entry.block is not None:
            self._entries[entry.number] = entry
        else:
            self._entries.pop(entry.number, None)  # what was presumed there: its hash is another

    def _prune(self, mark: int, *, linked: bool) -> None:
        if linked and mark <= self._tree.mark:
            return  # the chain is shorter than it was, or as long: nothing that was forgotten comes again
        mark = max(mark, 0)
        self._tree.prune(mark)
        for number in [number for number in self._entries if number < mark]:
            del self._entries[number]
        while self._root is not None and not self._root.alive:
            self._root = self._root.down[0]
