"""Which node is asked for which blocks at present, so that none is asked for what another is telling."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from collector.health.blocks.tree import Entry

PATIENCE = 30.0
"""Seconds after which another may be asked for the same: the longest that a gather may take, and more."""

ENOUGH = 5
"""Answers after which what lies beneath a block is asked for no more: its nodes have forgotten it, or don't tell."""


@dataclass(frozen=True, slots=True)
class _Asked:
    at: float
    roots: Sequence[Entry]
    numbers: Sequence[int]


class Asking:
    """What is asked for and not yet answered: of one node once, of each number and each way down the last one asked."""

    def __init__(self) -> None:
        self._asked: dict[str, _Asked] = {}
        self._roots: dict[Entry, str] = {}
        self._numbers: dict[int, str] = {}

    def ask(self, node: str, at: float, roots: Sequence[Entry], numbers: Sequence[int]) -> None:
        """Take note that a node is asked for these numbers, to learn what lies beneath these entries."""
        self._asked[node] = _Asked(at, roots, numbers)
        self._roots.update(dict.fromkeys(roots, node))
        self._numbers.update(dict.fromkeys(numbers, node))

    def end(self, node: str) -> Sequence[Entry]:
        """Take note that a node is asked for nothing any more. Returns what it was asked to tell of."""
        asked = self._asked.pop(node, None)
        if asked is None:
            return ()
        for root in asked.roots:
            if self._roots.get(root) == node:
                del self._roots[root]
        for number in asked.numbers:
            if self._numbers.get(number) == node:
                del self._numbers[number]
        return asked.roots

    def beneath(self, root: Entry, at: float) -> bool:
        """Tell whether a node is being asked what lies beneath an entry."""
        return self._pending(self._roots.get(root), at)

    def number(self, number: int, at: float) -> bool:
        """Tell whether a node is being asked for the block of a number."""
        return self._pending(self._numbers.get(number), at)

    def anything(self, at: float) -> bool:
        """Tell whether any node is being asked for anything."""
        return any(self._pending(node, at) for node in self._asked)

    def _pending(self, node: str | None, at: float) -> bool:
        asked = self._asked.get(node) if node is not None else None
        return asked is not None and abs(at - asked.at) < PATIENCE
