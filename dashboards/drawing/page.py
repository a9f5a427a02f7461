"""A board as one page of HTML: the grid, its panels, the variables that are chosen."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path

from dashboards.drawing.asking import Database, Json, RefusedError
from dashboards.drawing.boards import Rows, Shown, chosen, frames, shown
from dashboards.drawing.frames import Series, Table
from dashboards.drawing.panels import Room, drawn
from dashboards.drawing.styles import color
from dashboards.drawing.variables import Chosen, Span, filled

WIDTH = 1600
_EDGE = 16
_GAP = 8
_ROW = 30
_HEADING = 32
_TOP = 96
_PADDING = 8

_STYLE = (Path(__file__).parent / "page.css").read_text(encoding="utf-8")


def page(
    board: Json,
    database: Database,
    span: Span,
    wanted: Mapping[str, Sequence[str]],
    *,
    rows: Rows = "all",
    tallest: float = math.inf,
) -> tuple[str, int]:
    """Return a board as HTML, and its height in pixels: of one that is taller, the lines of panels that fit.

    Raises RefusedError, and LookupError for a variable without values.
    """
    variables = chosen(board, database, span, wanted)
    marks = annotated(board, database, span, variables)
    parts, bottom = [], 0.0
    for one in _fitting(shown(board, variables, rows), (tallest - _TOP - _EDGE) / (_ROW + _GAP)):
        html, end = _one(one, database, span, marks, folded=rows == "open")
        parts.append(html)
        bottom = max(bottom, end)
    height = round(_TOP + bottom + _EDGE)
    head = f"<!doctype html><meta charset=utf-8><title>{escape(board['title'])}</title><style>{_STYLE}</style>"
    return f'{head}{_header(board, span, variables)}<main style="height:{bottom:.0f}px">{"".join(parts)}</main>', height


def _fitting(those: Sequence[Shown], lines: float) -> list[Shown]:
    """Return the panels that end before so many lines of the grid, without headings at the end that lost theirs."""
    over = min((one.place.y for one in those if one.place.y + one.place.h > lines), default=math.inf)
    fitting = [one for one in those if one.place.y < over]
    while over < math.inf and fitting and fitting[-1].is_row:
        fitting.pop()
    return fitting


def annotated(board: Json, database: Database, span: Span, variables: Mapping[str, Chosen]) -> list[tuple[float, str]]:
    """Return the moments that a board's annotations mark, each with its colour. Raises RefusedError."""
    found: list[tuple[float, str]] = []
    for one in marking(board):
        tint = color(one.get("iconColor", "blue"))
        for frame in database.ask(one["target"], span, variables):
            if isinstance(frame, Table):
                times = [cell for column in frame.columns if column.name in ("Time", "_time") for cell in column.cells]
                found += [(cell, tint) for cell in times if isinstance(cell, float)]
            else:
                found += [(moment, tint) for moment in _beginnings(frame, span)]
    return found


def marking(board: Json) -> list[Json]:
    """Return a board's annotations that ask a database, each with its `target`."""
    found = []
    for one in board["annotations"]["list"]:
        if one.get("builtIn") or not one.get("enable", True):
            continue
        target = one.get("target") or {"expr": one["expr"]} if one.get("expr") else one.get("target")
        if target is None and one.get("query"):
            target = {"query": one["query"]}
        if target and (target.get("expr") or target.get("query")):
            found.append({**one, "target": {"refId": "Anno", **target}})
    return found


def _beginnings(one: Series, span: Span) -> list[float]:
    """Return the moments at which a series begins to be there, and not 0: later ones are the same event."""
    moments, before = [], span.start - span.step * 10
    for moment, value in one.points:
        if value:
            if moment - before > span.step * 1.5:
                moments.append(moment)
            before = moment
    return moments


def _header(board: Json, span: Span, variables: Mapping[str, Chosen]) -> str:
    minutes = round((span.end - span.start) / 60)
    parts = []
    for variable in board["templating"]["list"]:
        if variable.get("hide") == 2:  # noqa: PLR2004 - Grafana's figure for a variable that is not shown
            continue
        held = variables[variable["name"]]
        value = "All" if held.every else " + ".join(held.values)
        label = variable.get("label") or variable["name"]
        parts.append(f"<span><b>{escape(label)}</b><em>{escape(value)}</em></span>")
    return (
        f'<header><div class="time">Last {minutes} minutes</div><h1>{escape(board["title"])}</h1>'
        f'<div class="variables">{"".join(parts)}</div></header>'
    )


def _one(
    one: Shown, database: Database, span: Span, marks: Sequence[tuple[float, str]], *, folded: bool
) -> tuple[str, float]:
    """Return a panel, or a heading, and where it ends."""
    unit = (WIDTH - 2 * _EDGE + _GAP) / 24
    left, top = _EDGE + one.place.x * unit, one.place.y * (_ROW + _GAP)
    width, height = one.place.w * unit - _GAP, one.place.h * (_ROW + _GAP) - _GAP
    title = escape(filled(one.panel.get("title", ""), one.variables, span.builtins(), "glob", strict=False))
    box = f"left:{left:.1f}px;top:{top:.1f}px;width:{width:.1f}px;height:{height:.1f}px"
    if one.is_row:
        kind = "row folded" if folded and one.panel.get("collapsed") else "row"
        return f'<div class="{kind}" style="{box}">{title}</div>', top + height
    room = Room(width - 2 * _PADDING - 2, height - _HEADING - _PADDING - 2, span, marks)
    try:
        found = frames(one, database, span)
    except RefusedError as error:
        raise RefusedError(f"{title}: {error}") from None
    return (
        f'<div class="panel" style="{box}"><h2>{title}</h2><div>{drawn(one.panel, found, room)}</div></div>',
        top + height,
    )
