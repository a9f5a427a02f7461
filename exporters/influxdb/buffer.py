"""The lines that wait for the server: bounded in bytes, oldest first out when it is full."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from typing import NamedTuple

OVERHEAD = 100
"""Bytes of memory that a line takes beyond its text; without them a buffer of short lines would be twice its bound."""


class Line(NamedTuple):
    """One encoded reading and how many fields it has."""

    text: bytes
    fields: int


class Buffer:
    """Lines in the order they came.

    Those that are being sent have left the queue but still count: they are `settled` when the server has taken or
    refused them, or are put back. So what is dropped for want of room is never what may be arriving at this moment.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.bytes = 0
        self.readings = 0
        self._waiting: deque[Line] = deque()

    def append(self, line: Line) -> int:
        """Append a line; return how many were dropped to make room: the oldest, or this one if there is none else."""
        self._waiting.append(line)
        self._count(1, _size(line))
        dropped = 0
        while self.bytes > self.limit and self._waiting:
            self._count(-1, -_size(self._waiting.popleft()))
            dropped += 1
        return dropped

    def holds(self, most_bytes: int, most_lines: int) -> bool:
        """Tell whether a full batch waits."""
        return len(self._waiting) >= most_lines or (self.bytes >= most_bytes and bool(self._waiting))

    def take(self, most_bytes: int, most_lines: int) -> list[Line]:
        """Take the oldest lines out, up to these bounds but one at least, to be settled or put back."""
        batch: list[Line] = []
        size = 0
        while self._waiting and len(batch) < most_lines:
            size += _size(self._waiting[0])
            if batch and size > most_bytes:
                break
            batch.append(self._waiting.popleft())
        return batch

    def settle(self, lines: Sequence[Line]) -> None:
        """Forget lines that were taken out."""
        self._count(-len(lines), -sum(map(_size, lines)))

    def put_back(self, lines: Iterable[Line]) -> None:
        """Put lines that were taken out back to the front, in their order."""
        self._waiting.extendleft(reversed(list(lines)))

    def __len__(self) -> int:
        """Return the number of lines that wait and are not being sent."""
        return len(self._waiting)

    def _count(self, readings: int, size: int) -> None:
        self.readings += readings
        self.bytes += size


def _size(line: Line) -> int:
    return len(line.text) + OVERHEAD
