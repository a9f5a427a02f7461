"""Readings: what one gather yields, and the only thing that travels from sources to exporters.

A node answers with the same fields at every gather, so names are paid for once: a `Shape` holds the names, a
`Reading` a shape and its values. What an exporter derives from the names (a line-protocol template, the prefixes of
an exposition) hangs on the shape and is made once for as long as the shape lives.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import Any, NamedTuple, TypeVar

T = TypeVar("T")

Value = int | float | str
Tags = tuple[tuple[str, str], ...]


class Kind(StrEnum):
    """What a field's number means over time; the names are OpenMetrics' own, but for `TEXT`."""

    GAUGE = "gauge"
    COUNTER = "counter"
    INFO = "info"
    UNKNOWN = "unknown"
    TEXT = "text"
    """A string, such as the head's hash: InfluxDB keeps it, a Prometheus page has no place for it."""


class Field(NamedTuple):
    """One field of a shape. `help` names the metric of the node that the value comes from."""

    name: str
    kind: Kind = Kind.UNKNOWN
    help: str = ""


class Shape:
    """The names of a reading: a measurement, tags (sorted by key, none empty) and fields.

    Two shapes are the same only if they are one object: a source keeps its shapes and uses them again.
    """

    __slots__ = ("_derived", "fields", "key", "measurement", "tags")

    def __init__(self, measurement: str, tags: dict[str, str], fields: Sequence[Field]) -> None:
        self.measurement = measurement
        self.tags: Tags = tuple(sorted((k, v) for k, v in tags.items() if v))
        self.fields = tuple(fields)
        self.key = (measurement, self.tags)
        """Identifies the series that a reading updates: a later reading of the same key replaces an earlier one."""
        self._derived: dict[Callable[[Shape], Any], Any] = {}

    def derive(self, make: Callable[[Shape], T]) -> T:
        """Return what `make` yields for this shape, made at the first call and kept."""
        try:
            found: T = self._derived[make]
        except KeyError:
            found = self._derived[make] = make(self)
        return found

    def __repr__(self) -> str:
        tags = "".join(f",{key}={value}" for key, value in self.tags)
        return f"<Shape {self.measurement}{tags} {len(self.fields)} fields>"


class Reading:
    """Values for the fields of a shape, in their order, at a time.

    Numbers are finite; a `TEXT` field holds a string. What a node did not say is left out of the shape: there is no
    placeholder for it.
    """

    __slots__ = ("shape", "time_ns", "values")

    def __init__(self, shape: Shape, values: Sequence[Value], time_ns: int) -> None:
        self.shape = shape
        self.values = values
        self.time_ns = time_ns

    def as_dict(self) -> dict[str, Value]:
        """Field names and values, for reading by people and tests."""
        return {field.name: value for field, value in zip(self.shape.fields, self.values, strict=True)}

    def __repr__(self) -> str:
        return f"<Reading {self.shape!r} at {self.time_ns}>"
