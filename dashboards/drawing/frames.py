"""What a database answered: series of points, or tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

Cell = str | float | None

Point = tuple[float, float | None]
"""Seconds since the epoch, and the value."""


@dataclass(frozen=True)
class Series:
    """One line of a chart. `query` is the letter of the query that asked for it."""

    name: str
    points: Sequence[Point]
    labels: Mapping[str, str] = field(default_factory=dict)
    query: str = "A"

    @property
    def last(self) -> float | None:
        """The last value that there is."""
        return next((value for _, value in reversed(self.points) if value is not None), None)


@dataclass(frozen=True)
class Column:
    """A column of a table."""

    name: str
    cells: Sequence[Cell]
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Table:
    """Columns of one length."""

    columns: Sequence[Column]
    query: str = "A"

    @property
    def rows(self) -> list[tuple[Cell, ...]]:
        """The same by rows."""
        return list(zip(*(column.cells for column in self.columns), strict=True))

    @property
    def names(self) -> list[str]:
        """The columns' names, in their order."""
        return [column.name for column in self.columns]


Frame = Series | Table


def is_empty(frames: Sequence[Frame]) -> bool:
    """Tell whether there is nothing to be seen in them: Grafana would say `No data`."""
    return not any(frame.rows if isinstance(frame, Table) else frame.last is not None for frame in frames)
