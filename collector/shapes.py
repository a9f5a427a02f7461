"""The shapes of one target: made when a set of fields is first seen, found again ever after."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence

from collector.catalogue import Metric
from collector.readings import Field, Reading, Shape, Tags, Value


class Shapes:
    """Makes readings for one target.

    Call `begin` when a gather begins: it sets the time of the gather's readings, and lets go of shapes that the
    gather before did not use, so that a node that makes up ever new names costs no more than one gather's worth.
    """

    def __init__(self, tags: Mapping[str, str]) -> None:
        self._tags = dict(tags)
        self._before: dict[tuple[str, Tags], Shape] = {}
        self._used: dict[tuple[str, Tags], Shape] = {}
        self._time_ns = 0

    def begin(self) -> None:
        """Begin a gather."""
        self._before, self._used = self._used, {}
        self._time_ns = time.time_ns()

    def curated(self, metrics: Sequence[Metric], values: Mapping[str, Value], **tags: str) -> Reading:
        """Make a reading of catalogued metrics of one measurement, by their fields; what has no value is left out.

        `values` must name no other fields than the catalogue's, and one at least.
        """
        known = [metric for metric in metrics if metric.field in values]
        assert len(known) == len(values) > 0, set(values) - {metric.field for metric in metrics}
        fields = tuple(metric.as_field for metric in known)
        return self.reading(known[0].measurement, fields, [values[field.name] for field in fields], **tags)

    def reading(self, measurement: str, fields: tuple[Field, ...], values: Sequence[Value], /, **tags: str) -> Reading:
        """Make a reading of any fields; give the same tuple of fields again and their names are not compared."""
        key = (measurement, tuple(tags.items()))
        shape = self._used.get(key) or self._before.get(key)
        if shape is None or (shape.fields is not fields and shape.fields != fields):
            shape = Shape(measurement, {**self._tags, **tags}, fields)
        self._used[key] = shape
        return Reading(shape, values, self._time_ns)


class Group:
    """Catalogued metrics of one measurement; the fields for each set of values that comes are looked up once."""

    def __init__(self, metrics: Iterable[Metric]) -> None:
        self._by_field = {metric.field: metric for metric in metrics}
        (self._measurement,) = {metric.measurement for metric in self._by_field.values()}
        self._fields: dict[tuple[str, ...], tuple[Field, ...]] = {}

    def reading(self, shapes: Shapes, values: Mapping[str, Value | None], /, **tags: str) -> Reading | None:
        """Make a reading of those of the values that are known, by the catalogue's fields; None where none is."""
        known = {field: value for field, value in values.items() if value is not None}
        if not known:
            return None
        names = tuple(known)
        fields = self._fields.get(names)
        if fields is None:
            fields = self._fields[names] = tuple(self._by_field[name].as_field for name in names)
        return shapes.reading(self._measurement, fields, list(known.values()), **tags)
