"""Reorganisations of one node: blocks that were its chain, and are not any more."""

from __future__ import annotations

from collections import deque
from collections.abc import MutableMapping
from dataclasses import dataclass
from typing import NamedTuple

from collector.health.blocks.tree import Entry, Tree, common

MOST_UNRESOLVED = 8
"""Changes of one node's head of which it isn't known yet how they hang together; older ones are given up."""


@dataclass(frozen=True, slots=True)
class Reorganisations:
    """Those that a node is known to have been through. `last_at`: when it was first seen after the last one."""

    count: int = 0
    deepest: int = 0
    last_depth: int = 0
    last_at: float | None = None


class _Change(NamedTuple):
    before: Entry
    after: Entry
    at: float


Partings = MutableMapping[tuple[Entry, Entry], Entry | None]
"""What two entries have in common, None if that isn't known."""


class Changes:
    """The changes of a node's head. One is a reorganisation if neither head descends from the other.

    One that went back to a block of its own chain has forgotten some, as nodes do that were not shut down properly:
    it will have them again. Nothing is guessed: as long as the blocks between aren't known, a change is only kept.
    """

    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        self._open: deque[_Change] = deque()
        self.known = Reorganisations()

    def changed(self, before: Entry, after: Entry, at: float) -> None:
        """Take note that a node's head is another."""
        self._tree.retain(before)
        self._tree.retain(after)
        self._open.append(_Change(before, after, at))
        if len(self._open) > MOST_UNRESOLVED:
            self._close(self._open.popleft())

    def resolve(self, partings: Partings) -> None:
        """Look which changes can be understood by now; `partings` spares looking for what many nodes went through."""
        for _ in range(len(self._open)):
            change = self._open.popleft()
            pair = (change.before, change.after)
            if pair not in partings:
                partings[pair] = common(*pair)
            parting = partings[pair]
            if parting is None and change.before.number >= self._tree.mark:
                self._open.append(change)
                continue
            if parting is not None and parting not in pair:
                self._count(change.before.number - parting.number, change.at)
            self._close(change)

    def forget(self) -> None:
        """Give up what is not understood."""
        while self._open:
            self._close(self._open.popleft())

    def _count(self, depth: int, at: float) -> None:
        known = self.known
        latest = known.last_at is None or at >= known.last_at
        self.known = Reorganisations(
            known.count + 1,
            max(known.deepest, depth),
            depth if latest else known.last_depth,
            at if latest else known.last_at,
        )

    def _close(self, change: _Change) -> None:
        self._tree.release(change.before)
        self._tree.release(change.after)
