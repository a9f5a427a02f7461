"""Readings as a page for Prometheus: the text format 0.0.4 and OpenMetrics 1.0.

The page's text, all but the numbers, is laid out once for a set of shapes and kept while the set stays the same; a
scrape formats all numbers at once and lays them into it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from functools import lru_cache
from itertools import chain
from typing import NamedTuple

from collector.readings import Field, Kind, Reading, Shape, Value
from exporters.numbers import picker, spell

_NOT_IN_NAMES = re.compile(r"[^a-zA-Z0-9_]")
_TEXT_TYPES = {Kind.GAUGE: "gauge", Kind.COUNTER: "counter", Kind.INFO: "gauge", Kind.UNKNOWN: "untyped"}
_SUFFIXES = {Kind.COUNTER: "_total", Kind.INFO: "_info"}
"""What OpenMetrics takes off a sample's name to get the family's."""


class _Named(NamedTuple):
    """One field that has a place on the page: `place` is that of its value in the reading."""

    place: int
    name: str
    kind: Kind
    help: str


@lru_cache(maxsize=1024)
def _named(measurement: str, fields: tuple[Field, ...]) -> tuple[_Named, ...]:
    """Return the fields under their names on the page, text left out; nodes that answer alike share them."""
    named: dict[str, _Named] = {}
    for place, field in enumerate(fields):
        if field.kind is not Kind.TEXT:
            name = metric_name(measurement, field.name)
            named.setdefault(name, _Named(place, name, field.kind, field.help))
    return tuple(named.values())


class _Samples:
    """The series of a shape: names, the labels that all of them have, and what takes their values out of a reading."""

    __slots__ = ("labels", "named", "take")

    def __init__(self, shape: Shape) -> None:
        self.labels = _labels(shape)
        self.named = _named(shape.measurement, shape.fields)
        self.take = None if len(self.named) == len(shape.fields) else picker([named.place for named in self.named])


class _Family:
    """One name on the page: the labels of each of its series, and the place of its value among all."""

    __slots__ = ("first", "series")

    def __init__(self, first: _Named) -> None:
        self.first = first
        self.series: dict[bytes, int] = {}


class Layout:
    """The text of a page for a sequence of shapes, with places for the numbers."""

    def __init__(self, shapes: Sequence[Shape]) -> None:
        self._shapes = tuple(shapes)
        self._samples = [shape.derive(_Samples) for shape in shapes]
        self._families: dict[str, _Family] = {}
        place = 0
        for samples in self._samples:
            for named in samples.named:
                family = self._families.get(named.name)
                if family is None:
                    family = self._families[named.name] = _Family(named)
                family.series.setdefault(samples.labels, place)  # two shapes may spell one series: the first stays
                place += 1
        self._order = picker([place for family in self._families.values() for place in family.series.values()])
        self._templates: dict[bool, bytes] = {}

    def fits(self, shapes: Sequence[Shape]) -> bool:
        """Tell whether this is the layout for these shapes."""
        return self._shapes == tuple(shapes)

    def render(self, readings: Sequence[Reading], *, openmetrics: bool) -> bytes:
        """Return the page; the readings' shapes are those of the layout, in their order."""
        values = list(
            chain.from_iterable(
                samples.take(reading.values) if samples.take else reading.values
                for samples, reading in zip(self._samples, readings, strict=True)
            )
        )
        if openmetrics not in self._templates:
            self._templates[openmetrics] = self._template(openmetrics=openmetrics)
        return self._templates[openmetrics] % self._order(spell(values) or [_number(value) for value in values])

    def _template(self, *, openmetrics: bool) -> bytes:
        parts: list[bytes] = []
        taken = set(self._families)
        for name, family in self._families.items():
            kind = family.first.kind
            if openmetrics and (shorter := name.removesuffix(_SUFFIXES.get(kind, ""))) != name:
                if shorter in taken:  # a counter `a_total` beside a gauge `a`: by its whole name, and as unknown
                    kind = Kind.UNKNOWN
                taken.add(shorter)
            parts.append(_header(name, kind, family.first.help, openmetrics=openmetrics).replace(b"%", b"%%"))
            encoded = name.encode()
            parts += [encoded + labels.replace(b"%", b"%%") + b" %b\n" for labels in family.series]
        if openmetrics:
            parts.append(b"# EOF\n")
        return b"".join(parts)


def metric_name(measurement: str, field: str) -> str:
    """Return the Prometheus name of a field: measurement, "_", field, with "_" for every character not allowed."""
    name = _NOT_IN_NAMES.sub("_", f"{measurement}_{field}")
    return name if name[0] not in "0123456789" else "_" + name


def _header(name: str, kind: Kind, text: str, *, openmetrics: bool) -> bytes:
    if openmetrics:
        suffix = _SUFFIXES.get(kind, "")
        if name.endswith(suffix):
            name, type_ = name.removesuffix(suffix), kind.value
        else:
            type_ = "unknown"
    else:
        type_ = _TEXT_TYPES[kind]
    text = text.replace("\\", "\\\\").replace("\n", "\\n")
    if openmetrics:
        text = text.replace('"', '\\"')
    lines = ([f"# HELP {name} {text}"] if text else []) + [f"# TYPE {name} {type_}", ""]
    return "\n".join(lines).encode("utf-8", "replace")


def _labels(shape: Shape) -> bytes:
    """Return the labels in braces, empty if there are none."""
    labels: dict[str, str] = {}
    for key, value in shape.tags:
        name = _NOT_IN_NAMES.sub("_", key).lstrip("_")  # two of them begin the names that Prometheus keeps to itself
        labels.setdefault(name if name and name[0] not in "0123456789" else "_" + name, value)
    if not labels:
        return b""
    escaped = (
        (name, value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")) for name, value in labels.items()
    )
    text = ",".join(f'{name}="{value}"' for name, value in escaped)
    return b"{%b}" % text.encode("utf-8", "replace")


def _number(value: Value) -> bytes:
    """Spell a number as Prometheus does; what is none becomes NaN."""
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        return b"NaN"
    if math.isfinite(number):
        return repr(number).encode()
    return b"NaN" if math.isnan(number) else b"+Inf" if number > 0 else b"-Inf"
