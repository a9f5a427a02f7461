"""A board as it is shown: its variables chosen, its rows repeated, its panels where they stand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from dashboards.drawing.asking import VALUE, Database, Json, Variables
from dashboards.drawing.frames import Column, Frame, Series, Table
from dashboards.drawing.transforming import transformed
from dashboards.drawing.variables import Chosen, Span


@dataclass(frozen=True)
class Place:
    """Where a panel stands: in columns of 24, and rows."""

    x: int
    y: int
    w: int
    h: int


@dataclass(frozen=True)
class Shown:
    """A panel, or the heading of a row, where it stands, with the variables that hold for it."""

    panel: Json
    place: Place
    variables: Variables

    @property
    def is_row(self) -> bool:
        """Whether it is the heading of a row."""
        return bool(self.panel["type"] == "row")

    @property
    def targets(self) -> list[Json]:
        """What it asks."""
        return [target for target in self.panel.get("targets", ()) if not target.get("hide")]


def chosen(board: Json, database: Database, span: Span, wanted: Mapping[str, Sequence[str]]) -> dict[str, Chosen]:
    """Return what is chosen of each variable: the wanted values that there are, else all, else the first.

    Raises RefusedError, and LookupError for a variable that has no values.
    """
    found: dict[str, Chosen] = {}
    for variable in board["templating"]["list"]:
        name = variable["name"]
        if variable["type"] == "datasource":
            found[name] = Chosen((variable["query"],), several=False)
            continue
        if variable["type"] in ("constant", "textbox", "custom"):
            found[name] = Chosen(tuple(variable["query"].split(",")), several=variable.get("multi", False))
            continue
        values = database.values(variable["query"], span, found)
        if not values:
            raise LookupError(f"{board['title']}: the variable {name} has no values")
        several = bool(variable.get("multi") or variable.get("includeAll"))
        if name in wanted:
            held = tuple(value for value in wanted[name] if value in values)
            found[name] = Chosen(held or ("",), several=several)
        elif variable.get("includeAll"):
            found[name] = Chosen(tuple(values), variable.get("allValue") or "", several)
        else:
            found[name] = Chosen((values[0],), several=several)
    return found


Rows = Literal["all", "open", "folded"]
"""Which rows are shown: all of them, unfolded; those that are folded with their headings alone; or these alone."""


def shown(board: Json, variables: Variables, rows: Rows = "all") -> list[Shown]:
    """Return the panels and headings from top to bottom; rows are repeated as they say."""
    placed: list[Shown] = []
    top = 0
    for row, within in _rows(board["panels"]):
        folded = bool(row and row.get("collapsed"))
        if rows == "folded" and not folded:
            continue
        panels = [] if rows == "open" and folded else within
        for values in _repeated(row, variables):
            top = _place(placed, row, panels, values, top)
    return placed


def frames(one: Shown, database: Database, span: Span) -> list[Frame]:
    """Return what a panel shows. Raises RefusedError."""
    return together(one, [frame for target in one.targets for frame in database.ask(target, span, one.variables)])


def together(one: Shown, found: list[Frame]) -> list[Frame]:
    """Return what a panel makes of the answers to all that it asks. Raises KeyError for what it cannot be told."""
    if len(one.targets) == 1:
        found = [_alone(frame) for frame in found]
    return transformed(found, one.panel.get("transformations", ()))


def _alone(frame: Frame) -> Frame:
    """Return a table with its column of values called as where there is one query alone."""
    if isinstance(frame, Series):
        return frame
    return Table(
        [Column(c.name if not c.name.startswith(VALUE) else "Value", c.cells, c.labels) for c in frame.columns],
        frame.query,
    )


def _rows(panels: Sequence[Json]) -> Iterator[tuple[Json | None, list[Json]]]:
    """Yield each row's heading, None before the first, with its panels."""
    row: Json | None = None
    within: list[Json] = []
    for panel in panels:
        if panel["type"] == "row":
            if row or within:
                yield row, within
            row, within = panel, list(panel.get("panels", ()))
        else:
            within.append(panel)
    if row or within:
        yield row, within


def _repeated(row: Json | None, variables: Variables) -> Iterator[Variables]:
    name = row and row.get("repeat")
    if not name:
        yield variables
        return
    for value in variables[name].values:
        yield {**variables, name: Chosen((value,), several=variables[name].several)}


def _place(placed: list[Shown], row: Json | None, panels: Sequence[Json], variables: Variables, top: int) -> int:
    """Put a row and its panels below what is there; return where the next begins."""
    if row:
        placed.append(Shown(row, Place(0, top, 24, 1), variables))
        top += 1
    if not panels:
        return top
    first = min(panel["gridPos"]["y"] for panel in panels)
    for panel in panels:
        at = panel["gridPos"]
        placed.append(Shown(panel, Place(at["x"], top + at["y"] - first, at["w"], at["h"]), variables))
    return max(one.place.y + one.place.h for one in placed[-len(panels) :])
