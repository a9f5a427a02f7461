"""Rows of text in columns, each exactly one line of a terminal, with as many of the columns as its width allows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from rich.cells import cell_len
from rich.text import Text

T = TypeVar("T")

_BETWEEN = 2


@dataclass(frozen=True, slots=True)
class Column(Generic[T]):
    """A column: its title, what stands in it, and from `least` to `most` cells of it.

    Where there is no room, columns leave in the order of `dispensable`, the greatest first; 0 stays.
    """

    title: str
    cell: Callable[[T], tuple[str, str]]
    """The text of a row's cell, and its style."""
    least: int
    most: int
    dispensable: int = 0
    right: bool = False


class Table(Generic[T]):
    """Columns fitted to a width; as wide as the first rows, those that are seen, need them."""

    def __init__(self, columns: Sequence[Column[T]], rows: Sequence[T], width: int) -> None:
        seen = rows[:_SEEN]
        sized = [(column, _size(column, seen)) for column in columns]
        while sum(size + _BETWEEN for _, size in sized) - _BETWEEN > width:
            leaves = max((column for column, _ in sized), key=lambda column: column.dispensable)
            if not leaves.dispensable:
                break
            sized = [(column, size) for column, size in sized if column is not leaves]
        self._sized = sized
        self._width = width

    @property
    def head(self) -> Text:
        """The titles."""
        return self._line([(column.title, "bold") for column, _ in self._sized])

    def row(self, of: T) -> Text:
        """Return one row."""
        return self._line([column.cell(of) for column, _ in self._sized])

    def _line(self, cells: Sequence[tuple[str, str]]) -> Text:
        line = Text(no_wrap=True)
        for (column, size), (text, style) in zip(self._sized, cells, strict=True):
            cell = Text(text, style)
            cell.truncate(size, overflow="ellipsis")
            cell.align("right" if column.right else "left", size)
            line.append_text(cell).append(" " * _BETWEEN)
        line.right_crop(_BETWEEN)
        line.truncate(self._width, overflow="crop")
        return line


_SEEN = 200  # rows; more than any terminal shows


def _size(column: Column[T], rows: Sequence[T]) -> int:
    longest = max((cell_len(column.cell(row)[0]) for row in rows), default=0)
    return min(column.most, max(column.least, longest, cell_len(column.title)))
