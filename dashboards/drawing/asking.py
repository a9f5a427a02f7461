"""Asks a database what a target of a board, a variable or an annotation asks, as Grafana's data sources do."""

from __future__ import annotations

import csv
import json
import re
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from dashboards.drawing.frames import Cell, Column, Frame, Point, Series, Table
from dashboards.drawing.variables import Chosen, Span, filled, interval, iso

Json = dict[str, Any]

Variables = Mapping[str, Chosen]

VALUE = "Value #"
"""What the column of values of a table is called, with the letter of its query; of a lone query, without."""

_opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class RefusedError(Exception):
    """The database did not take a query: the message holds the query and what the database said."""


class Database(Protocol):
    """A database and its language."""

    kind: str
    """What Grafana calls its data source: "prometheus" or "influxdb"."""

    def ask(self, target: Json, span: Span, variables: Variables) -> list[Frame]:
        """Return what a target yields. Raises RefusedError."""

    def values(self, query: Any, span: Span, variables: Variables) -> list[str]:  # noqa: ANN401 - JSON is anything
        """Return the values of a variable's query. Raises RefusedError."""

    def text(self, target: Json, span: Span, variables: Variables) -> str:
        """Return the query as it is sent."""


class Prometheus:
    """Prometheus, or what speaks its language."""

    kind = "prometheus"

    def __init__(self, url: str) -> None:
        self._url = url

    def text(self, target: Json, span: Span, variables: Variables) -> str:
        """Return the expression as it is sent."""
        return filled(target["expr"], variables, span.builtins(), "prometheus")

    def ask(self, target: Json, span: Span, variables: Variables) -> list[Frame]:
        """Return what a target yields: series, or a table where it wants one. Raises RefusedError."""
        query, letter = self.text(target, span, variables), target.get("refId", "A")
        if target.get("instant"):
            asked = {"query": query, "time": f"{span.end:.3f}"}
            found = [(one["metric"], [one["value"]]) for one in self._get("query", asked)["result"]]
        else:
            asked = {"query": query, "start": f"{span.start:.3f}", "end": f"{span.end:.3f}", "step": f"{span.step:g}"}
            found = [(one["metric"], one["values"]) for one in self._get("query_range", asked)["result"]]
        if target.get("format") == "table":
            return [_as_table(found, letter)] if found else []
        legend = target.get("legendFormat", "")
        return [
            Series(_named(legend, labels), _with_gaps(points, span.step), labels, letter) for labels, points in found
        ]

    def values(self, query: Any, span: Span, variables: Variables) -> list[str]:  # noqa: ANN401 - JSON is anything
        """Return the values of `label_values(...)` or `query_result(...)`. Raises RefusedError."""
        text = filled(query["query"] if isinstance(query, dict) else query, variables, span.builtins(), "prometheus")
        wanted = re.fullmatch(r"label_values\((?:(?P<of>.+),)?\s*(?P<label>\w+)\s*\)", text.strip(), re.DOTALL)
        if wanted is None:
            raise RefusedError(f"{text}: a query of a variable that is not known")
        asked = {"start": f"{span.start:.3f}", "end": f"{span.end:.3f}"}
        if wanted["of"]:
            asked["match[]"] = wanted["of"].strip()
        return sorted(self._get(f"label/{wanted['label']}/values", asked) or ())

    def _get(self, path: str, asked: Mapping[str, str]) -> Any:  # noqa: ANN401 - JSON is anything
        about = asked.get("query") or asked.get("match[]") or path
        answer = json.loads(_fetch(f"{self._url}/api/v1/{path}?{urllib.parse.urlencode(asked)}", about))
        if answer["status"] != "success":
            raise RefusedError(f"{about}: {answer}")
        return answer["data"]


class InfluxQl:
    """InfluxDB 1.x, asked in InfluxQL."""

    kind = "influxdb"

    def __init__(self, url: str, database: str) -> None:
        self._url = url
        self._database = database

    def text(self, target: Json, span: Span, variables: Variables) -> str:
        """Return the statement as it is sent."""
        moments = f"time >= {round(span.start * 1000)}ms and time <= {round(span.end * 1000)}ms"
        return filled(target["query"], variables, {**span.builtins(), "timeFilter": moments}, "regex")

    def ask(self, target: Json, span: Span, variables: Variables) -> list[Frame]:
        """Return what a target yields: series, or a table where it wants one. Raises RefusedError."""
        letter = target.get("refId", "A")
        found = list(self._query(self.text(target, span, variables)))
        if target.get("resultFormat") == "table":
            return [_joined([_as_columns(one) for one in found], letter)] if found else []
        frames: list[Frame] = []
        for one in found:
            tags = one.get("tags", {})
            for place, column in enumerate(one["columns"][1:], start=1):
                name = _alias(target.get("alias", ""), one["name"], column, tags)
                points = [(row[0] / 1000, row[place]) for row in one["values"]]
                frames.append(Series(name, points, tags, letter))
        return frames

    def values(self, query: Any, span: Span, variables: Variables) -> list[str]:  # noqa: ANN401 - JSON is anything
        """Return the values of a statement such as `SHOW TAG VALUES`. Raises RefusedError."""
        text = self.text({"query": query["query"] if isinstance(query, dict) else query}, span, variables)
        return sorted({str(row[-1]) for one in self._query(text) for row in one["values"]})

    def _query(self, text: str) -> Iterator[Json]:
        asked = urllib.parse.urlencode({"q": text, "db": self._database, "epoch": "ms"})
        answer = json.loads(_fetch(f"{self._url}/query", text, asked.encode()))
        for result in answer["results"]:
            if "error" in result:
                raise RefusedError(f"{text}: {result['error']}")
            yield from result.get("series", ())


class Flux:
    """InfluxDB 1.8 and later, asked in Flux."""

    kind = "influxdb"

    def __init__(self, url: str, bucket: str, organisation: str = "", token: str = "") -> None:
        self._url = f"{url}/api/v2/query?{urllib.parse.urlencode({'org': organisation})}"
        self._bucket = bucket
        self._organisation = organisation
        self._headers = {"Authorization": f"Token {token}"} if token else {}

    def text(self, target: Json, span: Span, variables: Variables) -> str:
        """Return the script as it is sent."""
        own = {
            "v.timeRangeStart": iso(span.start),
            "v.timeRangeStop": iso(span.end),
            "v.windowPeriod": interval(span.step),
            "v.defaultBucket": f'"{self._bucket}"',
            "v.organization": f'"{self._organisation}"',
        }
        script = re.sub(r"\bv\.\w+", lambda match: own.get(match[0], match[0]), target["query"])
        return filled(script, variables, span.builtins(), "glob")

    def ask(self, target: Json, span: Span, variables: Variables) -> list[Frame]:
        """Return what a target yields: series where there is `_time`, else a table. Raises RefusedError."""
        text, letter = self.text(target, span, variables), target.get("refId", "A")
        frames: list[Frame] = []
        tables: list[list[Column]] = []
        for columns in self._query(text):
            by_name = {column.name: column for column in columns}
            if "_time" in by_name and "_value" in by_name:
                labels = columns[0].labels
                points = [_point(*pair) for pair in zip(by_name["_time"].cells, by_name["_value"].cells, strict=True)]
                frames.append(Series(_flux_name(labels), points, labels, letter))
            else:
                tables.append(columns)
        return [*frames, _joined(tables, letter)] if tables else frames

    def values(self, query: Any, span: Span, variables: Variables) -> list[str]:  # noqa: ANN401 - JSON is anything
        """Return the cells of a script's first column of texts. Raises RefusedError."""
        text = self.text({"query": query["query"] if isinstance(query, dict) else query}, span, variables)
        found: set[str] = set()
        for columns in self._query(text):
            texts = [column for column in columns if any(isinstance(cell, str) for cell in column.cells)]
            found |= {str(cell) for column in texts[:1] for cell in column.cells}
        return sorted(found - {""})

    def _query(self, text: str) -> Iterator[list[Column]]:
        dialect = {"annotations": ["datatype", "group", "default"], "header": True}
        asked = json.dumps({"query": text, "type": "flux", "dialect": dialect}).encode()
        headers = {**self._headers, "Content-Type": "application/json", "Accept": "application/csv"}
        answer = _fetch(self._url, text, asked, headers)
        for columns in _read_csv(answer):
            if [column.name for column in columns][:1] == ["error"]:
                raise RefusedError(f"{text}: {columns[0].cells[0]}")
            yield columns


def _fetch(url: str, about: str, data: bytes | None = None, headers: Mapping[str, str] | None = None) -> str:
    try:
        with _opener.open(urllib.request.Request(url, data, dict(headers or {})), timeout=30) as response:  # noqa: S310 - of the caller
            return str(response.read().decode())
    except urllib.error.HTTPError as error:
        with error:
            raise RefusedError(f"{about}: {error.code} {error.read().decode(errors='replace')}") from None


def _named(legend: str, labels: Mapping[str, str]) -> str:
    if legend and legend != "__auto":
        return re.sub(r"\{\{\s*(\w+)\s*\}\}", lambda match: labels.get(match[1], ""), legend)
    if legend == "__auto" and len(labels) == 1:
        return next(iter(labels.values()))
    inside = ", ".join(f'{name}="{value}"' for name, value in labels.items() if name != "__name__")
    return labels.get("__name__", "") + f"{{{inside}}}"


def _with_gaps(points: Sequence[tuple[float, str]], step: float) -> list[Point]:
    """Return the points with a hole wherever there was none at a step, as Grafana's backend fills them in."""
    whole: list[Point] = []
    for moment, value in points:
        if whole and moment - whole[-1][0] > step * 1.5:
            whole.append((whole[-1][0] + step, None))
        whole.append((moment, _number(value)))
    return whole


def _number(text: str) -> float | None:
    value = float(text)
    return None if value != value else value  # noqa: PLR0124 - what is not a number is nothing to draw


def _as_table(found: Sequence[tuple[Mapping[str, str], Sequence[tuple[float, str]]]], letter: str) -> Table:
    labels = sorted({label for one, _ in found for label in one})
    columns = [Column("Time", [moment for _, points in found for moment, _ in points])]
    columns += [Column(label, [one.get(label, "") for one, points in found for _ in points]) for label in labels]
    columns.append(Column(f"{VALUE}{letter}", [_number(value) for _, points in found for _, value in points]))
    return Table(columns, letter)


def _alias(alias: str, measurement: str, column: str, tags: Mapping[str, str]) -> str:
    if not alias:
        inside = ", ".join(f"{name}: {value}" for name, value in tags.items())
        return f"{measurement}.{column}" + (f" {{{inside}}}" if inside else "")

    def value(match: re.Match[str]) -> str:
        name = match[1] or match[2]
        if name in ("m", "measurement"):
            return measurement
        if name == "col":
            return column
        return tags.get(name.removeprefix("tag_"), match[0]) if name.startswith("tag_") else match[0]

    return re.sub(r"\$(\w+)|\[\[([\s\S]+?)\]\]", value, alias)


def _as_columns(one: Json) -> list[Column]:
    rows, tags = one["values"], one.get("tags", {})
    times = Column("Time", [row[0] / 1000 for row in rows])
    repeated = [Column(name, [value] * len(rows)) for name, value in tags.items()]
    rest = [Column(name, [row[place] for row in rows]) for place, name in enumerate(one["columns"][1:], start=1)]
    return [times, *repeated, *rest]


def _joined(tables: Sequence[Sequence[Column]], letter: str) -> Table:
    """Return tables one below the other as one; what a table does not have is empty."""
    names = list(dict.fromkeys(column.name for columns in tables for column in columns))
    cells: dict[str, list[Cell]] = {name: [] for name in names}
    for columns in tables:
        by_name = {column.name: column.cells for column in columns}
        length = len(columns[0].cells) if columns else 0
        for name in names:
            cells[name].extend(by_name.get(name, [None] * length))
    return Table([Column(name, cells[name]) for name in names], letter)


def _flux_name(labels: Mapping[str, str]) -> str:
    field = labels.get("_field", "_value")
    inside = ", ".join(f'{name}="{value}"' for name, value in labels.items() if name not in ("_field", "_measurement"))
    return f"{field} {{{inside}}}" if inside else field


def _point(moment: Cell, value: Cell) -> Point:
    assert isinstance(moment, float), moment
    return moment, None if value is None else float(value)


def _read_csv(text: str) -> Iterator[list[Column]]:
    """Yield the tables of annotated CSV; the group's columns but the times are labels of each of its columns."""
    for block in _blocks(text):
        notes = {row[0]: row for row in block if row[0].startswith("#")}
        head, *rows = (row for row in block if not row[0].startswith("#"))
        nothing = [""] * len(head)
        types, groups = notes.get("#datatype", nothing), notes.get("#group", nothing)
        defaults = ["", *notes.get("#default", nothing)[1:]]
        place = head.index("table") if "table" in head else 0
        tables: dict[str, list[list[str]]] = {}
        for row in rows:
            whole = [cell or default for cell, default in zip(row, defaults, strict=True)]
            tables.setdefault(whole[place], []).append(whole)
        grouped = [
            group == "true" and not name.startswith(("_st", "_time", "_value"))
            for name, group in zip(head, groups, strict=True)
        ]
        for these in tables.values():
            labels = {name: cell for name, cell, belongs in zip(head, these[0], grouped, strict=True) if belongs}
            yield [
                Column(name, [_cell(types[at], row[at]) for row in these], labels)
                for at, name in enumerate(head)
                if name not in ("", "result", "table", "_start", "_stop")
            ]


def _blocks(text: str) -> Iterator[list[list[str]]]:
    """Yield the rows between empty lines."""
    block: list[list[str]] = []
    for row in csv.reader(text.splitlines()):
        if row:
            block.append(row)
        elif block:
            yield block
            block = []
    if block:
        yield block


def _cell(kind: str, text: str) -> Cell:
    if kind in ("double", "long", "unsignedLong"):
        return _number(text) if text else None
    if kind.startswith("dateTime"):
        return datetime.fromisoformat(text).timestamp() if text else None
    return text
