"""Which order of makers held for which blocks: signers are voted in and out, schedules change.

Nobody tells at which block an order began, only which one holds at the head: between the last block that is known to
be of the former order and the first that is known to be of the present one, nothing is said of anybody's turn.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(slots=True)
class _Span:
    """An order, and the first and last block that it is known to hold for; a first of None is "from ever"."""

    names: tuple[str, ...]
    first: int | None
    last: int

    def holds(self, number: int) -> bool:
        return (self.first is None or self.first <= number) and number <= self.last


class Orders:
    """The present order of makers, and the one before it."""

    def __init__(self) -> None:
        self._present: _Span | None = None
        self._former: _Span | None = None

    @property
    def present(self) -> tuple[str, ...]:
        """The present order; () where none was told yet."""
        return self._present.names if self._present else ()

    @property
    def former(self) -> tuple[str, ...]:
        """The order before it."""
        return self._former.names if self._former else ()

    @property
    def first(self) -> int | None:
        """The first block that the present order is known to hold for; None if it was never another.

        An order is taken to have held at the blocks that were there when the collector began.
        """
        return self._present.first if self._present else None

    def told(self, names: Sequence[str], newest: int) -> None:
        """Take note of the order that holds at the newest block."""
        present = self._present
        if present is None or present.names != tuple(names):
            self._former = present
            self._present = _Span(tuple(names), newest if present else None, newest)
            return
        present.last = max(present.last, newest)
        if present.first is not None:
            present.first = min(present.first, newest)  # the chain has begun anew, lower

    def reaches(self, names: Sequence[str], newest: int) -> None:
        """Take note that an order, if it is the present one, holds up to a block; the first one ever is."""
        if self._present is None:
            self.told(names, newest)
        elif self._present.names == tuple(names):
            self._present.last = max(self._present.last, newest)

    def at(self, number: int) -> tuple[str, ...] | None:
        """Return the order that is known to have held for a block."""
        for span in (self._present, self._former):
            if span is not None and span.holds(number):
                return span.names
        return None

    def since(self, name: str) -> int | None:
        """Return the first block since which one of the present order is known to be of it; None is "from ever"."""
        former = self._former
        return former.first if former is not None and name in former.names else self.first
