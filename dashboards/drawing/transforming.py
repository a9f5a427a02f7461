"""What Grafana's transformations make of the answers, of those that the boards have."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from dashboards.drawing.asking import Json
from dashboards.drawing.frames import Cell, Column, Frame, Series, Table


def transformed(frames: Sequence[Frame], transformations: Sequence[Json]) -> list[Frame]:
    """Return the frames as they are after all transformations. Raises KeyError for one that is not known."""
    found = list(frames)
    for one in transformations:
        found = _KNOWN[one["id"]](found, one.get("options") or {})
    return found


def _merged(frames: list[Frame], _: Mapping[str, Any]) -> list[Frame]:
    """Join tables by the columns that they share: rows that agree in them become one."""
    tables = [frame for frame in frames if isinstance(frame, Table)]
    if not tables:
        return list(frames)
    names = list(dict.fromkeys(name for table in tables for name in table.names))
    shared = [name for name in names if all(name in table.names for table in tables)]
    if len(tables) == 1:
        shared = names
    rows: dict[tuple[Cell, ...], list[dict[str, Cell]]] = {}
    for table in tables:
        for cells in table.rows:
            row = dict(zip(table.names, cells, strict=True))
            _lay(rows.setdefault(tuple(row[name] for name in shared), []), row)
    flat = [row for those in rows.values() for row in those]
    return [Table([Column(name, [row.get(name) for row in flat]) for name in names])]


def _lay(those: list[dict[str, Cell]], row: dict[str, Cell]) -> None:
    """Lay a row into the first of those that it does not disagree with, or beside them."""
    for there in those:
        if all(there[name] == value for name, value in row.items() if name in there):
            there.update(row)
            return
    those.append(row)


def _organised(frames: list[Frame], options: Mapping[str, Any]) -> list[Frame]:
    left_out = options.get("excludeByName", {})
    order = options.get("indexByName", {})
    renamed = options.get("renameByName", {})
    only = options.get("includeByName", {})

    def organise(frame: Frame) -> Frame:
        if isinstance(frame, Series):
            return Series(renamed.get(frame.name, frame.name), frame.points, frame.labels, frame.query)
        kept = [c for c in frame.columns if not left_out.get(c.name) and (not any(only.values()) or only.get(c.name))]
        kept.sort(key=lambda column: order.get(column.name, len(order) + 1))
        return Table([Column(renamed.get(c.name) or c.name, c.cells, c.labels) for c in kept], frame.query)

    return [organise(frame) for frame in frames]


def _filtered(frames: list[Frame], options: Mapping[str, Any]) -> list[Frame]:
    include, exclude = options.get("include", {}), options.get("exclude", {})

    def kept(name: str) -> bool:
        if exclude.get("pattern") and re.search(exclude["pattern"], name):
            return False
        if name in exclude.get("names", ()):
            return False
        if include.get("pattern") or "names" in include:
            pattern = include.get("pattern")
            return name in include.get("names", ()) or bool(pattern and re.search(pattern, name))
        return True

    return [
        Table([column for column in frame.columns if kept(column.name)], frame.query)
        for frame in frames
        if isinstance(frame, Table)
    ] + [frame for frame in frames if isinstance(frame, Series) and kept(frame.name)]


def _sorted(frames: list[Frame], options: Mapping[str, Any]) -> list[Frame]:
    by = options["sort"][0]

    def put(frame: Frame) -> Frame:
        if isinstance(frame, Series) or by["field"] not in frame.names:
            return frame
        place = frame.names.index(by["field"])
        rows = sorted(frame.rows, key=lambda row: _order(row[place]), reverse=bool(by.get("desc")))
        columns = [Column(c.name, [row[i] for row in rows], c.labels) for i, c in enumerate(frame.columns)]
        return Table(columns, frame.query)

    return [put(frame) for frame in frames]


def _order(cell: Cell) -> tuple[int, float, str]:
    if cell is None:
        return (0, 0.0, "")
    return (2, 0.0, cell) if isinstance(cell, str) else (1, float(cell), "")


def _joined(frames: list[Frame], options: Mapping[str, Any]) -> list[Frame]:
    """Join tables by one column. Further columns of the same name are numbered, as Grafana does."""
    by = options["byField"]
    tables = [frame for frame in frames if isinstance(frame, Table) and by in frame.names]
    keys = list(dict.fromkeys(cell for table in tables for cell in table.columns[table.names.index(by)].cells))
    columns = [Column(by, keys)]
    taken = {by: 1}
    for table in tables:
        place = table.names.index(by)
        rows = {row[place]: row for row in table.rows}
        for at, column in enumerate(table.columns):
            if at == place:
                continue
            taken[column.name] = taken.get(column.name, 0) + 1
            name = column.name if taken[column.name] == 1 else f"{column.name} {taken[column.name]}"
            columns.append(Column(name, [rows[key][at] if key in rows else None for key in keys], column.labels))
    return [Table(columns)]


def _labels_to_fields(frames: list[Frame], _: Mapping[str, Any]) -> list[Frame]:
    found: list[Frame] = []
    for frame in frames:
        if isinstance(frame, Table):
            found.append(frame)
            continue
        points = list(frame.points)
        labels = [Column(name, [value] * len(points)) for name, value in frame.labels.items()]
        values = Column("Value", [value for _, value in points])
        found.append(Table([Column("Time", [moment for moment, _ in points]), *labels, values], frame.query))
    return found


def _reduced(frames: list[Frame], options: Mapping[str, Any]) -> list[Frame]:
    """Return a table with a row for each series: its name, or its labels, and its last value."""
    series = [frame for frame in frames if isinstance(frame, Series)]
    if not series:
        return frames
    if options.get("labelsToFields"):
        names = list(dict.fromkeys(label for one in series for label in one.labels))
        heads = [Column(name, [one.labels.get(name, "") for one in series]) for name in names]
    else:
        heads = [Column("Field", [one.name for one in series])]
    return [Table([*heads, Column("Last *", [one.last for one in series])])]


def _times_to_table(frames: list[Frame], _: Mapping[str, Any]) -> list[Frame]:
    """Return tables of which each row holds the labels of a series and its last value."""
    found: list[Frame] = []
    for query in dict.fromkeys(frame.query for frame in frames):
        series = [frame for frame in frames if isinstance(frame, Series) and frame.query == query]
        names = list(dict.fromkeys(label for one in series for label in one.labels))
        heads = [Column(name, [one.labels.get(name, "") for one in series]) for name in names]
        found.append(Table([*heads, Column(f"Trend #{query}", [one.last for one in series])], query))
    return found


_KNOWN: Mapping[str, Callable[[list[Frame], Mapping[str, Any]], list[Frame]]] = {
    "merge": _merged,
    "organize": _organised,
    "filterFieldsByName": _filtered,
    "sortBy": _sorted,
    "joinByField": _joined,
    "labelsToFields": _labels_to_fields,
    "reduce": _reduced,
    "timeSeriesTable": _times_to_table,
}
