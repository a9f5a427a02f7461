"""Panels as HTML: each kind as Grafana shows it, in its dark look."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from html import escape

from dashboards.drawing import charts
from dashboards.drawing.asking import Json
from dashboards.drawing.frames import Cell, Column, Frame, Point, Series, Table, is_empty
from dashboards.drawing.styles import PALETTE, Style, color, display, style
from dashboards.drawing.variables import Span

_LEGEND_ROW = 20
_LETTER = 6.6
_HEAD = 32
_MOST_ROWS = 0.45
"""Of a panel's height, which its legend takes at most."""


@dataclass(frozen=True)
class Room:
    """What a panel has to draw on, in pixels, and the time that it shows."""

    width: float
    height: float
    span: Span
    marks: Sequence[tuple[float, str]] = ()
    """Moments that annotations mark, each with a colour."""


def drawn(panel: Json, frames: Sequence[Frame], room: Room) -> str:
    """Return the inside of a panel. Raises KeyError for a kind that is not known."""
    if is_empty(frames):
        nothing = panel.get("fieldConfig", {}).get("defaults", {}).get("noValue") or "No data"
        return f'<div class="none">{escape(str(nothing))}</div>'
    return _KINDS[panel["type"]](panel, frames, room)


def _values(panel: Json, frames: Sequence[Frame]) -> list[tuple[str, Series, Style]]:
    """Return the series with their names and styles: those of a table are its columns of numbers, of one value."""
    found = []
    for frame in frames:
        if isinstance(frame, Series):
            how = style(panel, frame.name, frame.query)
            found.append((display(frame, how), frame, how))
            continue
        for column in frame.columns:
            if column.name != "Time" and column.cells and not isinstance(column.cells[-1], str):
                one = Series(column.name, [(0.0, cell) for cell in column.cells if not isinstance(cell, str)])
                how = style(panel, column.name, frame.query)
                found.append((display(one, how), one, how))
    return found


def _timeseries(panel: Json, frames: Sequence[Frame], room: Room) -> str:
    values = _values(panel, frames)
    first = values[0][2]
    custom = first.custom
    colors = [
        how.color(one.last)
        if how.mode in ("fixed", "thresholds") and len(how.steps) > 1
        else PALETTE[place % len(PALETTE)]
        for place, (_, one, how) in enumerate(values)
    ]
    legend, taken = _legend(
        panel, [(name, one, how, tint) for (name, one, how), tint in zip(values, colors, strict=True)], room
    )
    dashed = (custom.get("thresholdsStyle") or {}).get("mode", "off") != "off"
    look = charts.Look(
        write=lambda value: first.text(value, room.span.end),
        stacked=(custom.get("stacking") or {}).get("mode", "none") != "none",
        thresholds=[(least, color(name)) for least, name in first.steps if least is not None] if dashed else (),
        least=first.least,
        most=first.most,
    )
    frame = charts.Frame(room.width, room.height - taken, room.span.start, room.span.end)
    drawn_lines = [
        charts.Line(
            _finite(one.points),
            tint,
            bars=how.custom.get("drawStyle") == "bars",
            fill=(how.custom.get("fillOpacity") or 0) / 100,
        )
        for (_, one, how), tint in zip(values, colors, strict=True)
    ]
    return charts.lines(drawn_lines, frame, look, room.marks) + legend


def _finite(points: Sequence[Point]) -> list[Point]:
    """Return the points with holes where they are beyond every axis."""
    return [(moment, value if value is not None and math.isfinite(value) else None) for moment, value in points]


def _legend(panel: Json, these: Sequence[tuple[str, Series, Style, str]], room: Room) -> tuple[str, float]:
    """Return the legend, and the height that it takes."""
    options = (panel.get("options") or {}).get("legend") or {}
    if options.get("showLegend") is False or options.get("displayMode") == "hidden":
        return "", 0.0
    most = max(1, math.floor(room.height * _MOST_ROWS / _LEGEND_ROW))
    calcs = options.get("calcs") or []
    if options.get("displayMode") == "table":
        shown = these[: max(most - 1, 1)]
        head = "".join(f"<th>{escape(_CALCS[calc][0])}</th>" for calc in calcs)
        rows = [
            f"<tr><td>{_swatch(tint)}{escape(name)}</td>"
            + "".join(f"<td>{escape(how.text(_CALCS[calc][1](one), room.span.end))}</td>" for calc in calcs)
            + "</tr>"
            for name, one, how, tint in shown
        ]
        height = _LEGEND_ROW * (len(rows) + 1) + 2
        return (
            f'<table class="legend" style="height:{height}px"><tr><th></th>{head}</tr>{"".join(rows)}</table>',
            height,
        )
    lines, used = 1, 0.0
    kept = []
    for name, _, _, tint in these:
        wide = _LETTER * len(name) + 34
        if used and used + wide > room.width - 16:
            lines, used = lines + 1, 0.0
        if lines > most:
            lines -= 1
            break
        used += wide
        kept.append(f"<span>{_swatch(tint)}{escape(name)}</span>")
    height = _LEGEND_ROW * lines + 4
    return f'<div class="legend" style="height:{height}px">{"".join(kept)}</div>', height


def _swatch(tint: str) -> str:
    return f'<i style="background:{tint}"></i>'


def _present(one: Series) -> list[float]:
    return [value for _, value in one.points if value is not None]


_CALCS: Mapping[str, tuple[str, Callable[[Series], float | None]]] = {
    "lastNotNull": ("Last", lambda one: one.last),
    "last": ("Last", lambda one: one.points[-1][1] if one.points else None),
    "max": ("Max", lambda one: max(_present(one), default=None)),
    "min": ("Min", lambda one: min(_present(one), default=None)),
    "mean": ("Mean", lambda one: sum(_present(one)) / len(_present(one)) if _present(one) else None),
    "sum": ("Total", lambda one: sum(_present(one))),
}


def _reduced(panel: Json, one: Series) -> float | None:
    options = (panel.get("options") or {}).get("reduceOptions") or {}
    return _CALCS[(options.get("calcs") or ["lastNotNull"])[0]][1](one)


def _stat(panel: Json, frames: Sequence[Frame], room: Room) -> str:
    options = panel.get("options") or {}
    values = _values(panel, frames)
    columns, rows = _grid(len(values), room)
    named = options.get("textMode", "auto") in ("value_and_name", "name") or (
        options.get("textMode", "auto") == "auto" and len(values) > 1
    )
    cells = []
    for name, one, how in values[: columns * rows]:
        value = _reduced(panel, one)
        text, tint = how.text(value, room.span.end), how.color(value, "green")
        wide, high = room.width / columns - 8, room.height / rows - 8
        size = min(wide / (0.62 * max(len(text), 3)), high * (0.42 if named else 0.55), 54)
        below = options.get("colorMode") in ("background", "background_solid")
        colored = f"background:{tint};color:#111217" if below else f"color:{tint}"
        title = f'<div class="name">{escape(name)}</div>' if named else ""
        cells.append(
            f'<div class="stat" style="{colored}">{title}'
            f'<b style="font-size:{max(size, 12):.0f}px">{escape(text)}</b></div>'
        )
    box = f"grid-template-columns:repeat({columns},1fr);height:{room.height:.0f}px"
    return f'<div class="grid" style="{box}">{"".join(cells)}</div>'


def _grid(count: int, room: Room) -> tuple[int, int]:
    """Return columns and rows for so many values: as large as they can be."""
    best = max(
        range(1, count + 1),
        key=lambda columns: min(room.width / columns / 2.4, room.height / math.ceil(count / columns)),
    )
    rows = math.ceil(count / best)
    return best, max(1, min(rows, math.floor(room.height / 30)))


def _table(panel: Json, frames: Sequence[Frame], room: Room) -> str:
    table = next((frame for frame in frames if isinstance(frame, Table)), None)
    if table is None:
        return _series_as_table(panel, frames, room)
    styles = [style(panel, column.name, table.query) for column in table.columns]
    small = (panel.get("options") or {}).get("cellHeight", "sm") == "sm"
    most = math.floor((room.height - 30) / (30 if small else 38))
    head = "".join(
        f"<th{_RIGHT if _is_number(column) else ''}>{escape(how.display or column.name)}</th>"
        for column, how in zip(table.columns, styles, strict=True)
    )
    rows = "".join(
        f"<tr>{''.join(_cell(cell, how, room) for cell, how in zip(row, styles, strict=True))}</tr>"
        for row in table.rows[:most]
    )
    return f'<table class="cells"><tr>{head}</tr>{rows}</table>'


_RIGHT = ' style="text-align:right"'


def _is_number(column: Column) -> bool:
    return not any(isinstance(cell, str) for cell in column.cells)


def _series_as_table(panel: Json, frames: Sequence[Frame], room: Room) -> str:
    rows = "".join(
        f"<tr><td>{escape(name)}</td>{_cell(_reduced(panel, one), how, room)}</tr>"
        for name, one, how in _values(panel, frames)[: math.floor((room.height - 30) / 30)]
    )
    return f'<table class="cells"><tr><th>Series</th><th>Last</th></tr>{rows}</table>'


def _cell(cell: Cell, how: Style, room: Room) -> str:
    if cell is None:
        mapped = how.text(cell, room.span.end)
        return f"<td>{escape(mapped if mapped != '-' else '')}</td>"
    kind = (how.custom.get("cellOptions") or {}).get("type", how.custom.get("displayMode", "auto"))
    text = escape(how.text(cell, room.span.end))
    right = "" if isinstance(cell, str) else "text-align:right;"
    if kind == "color-text":
        return f'<td style="{right}color:{how.color(cell)}">{text}</td>'
    if kind.startswith("color-background"):
        return f'<td style="{right}background:{how.color(cell)};color:#111217">{text}</td>'
    link = ' class="link"' if how.custom.get("links") else ""
    return f'<td style="{right}"{link}>{text}</td>'


def _state_timeline(panel: Json, frames: Sequence[Frame], room: Room) -> str:
    rows = []
    for name, one, how in _values(panel, frames):
        stretches: list[tuple[float, float, str, str]] = []
        ends = [*(moment for moment, _ in one.points), room.span.end][1:]
        for (moment, value), after in zip(one.points, ends, strict=True):
            if value is None:
                continue
            tint, word = how.color(value, "green"), how.text(value, room.span.end)
            if stretches and stretches[-1][1] == moment and stretches[-1][2:] == (tint, word):
                stretches[-1] = (stretches[-1][0], after, tint, word)
            else:
                stretches.append((moment, after, tint, word))
        rows.append((name, stretches))
    worded = (panel.get("options") or {}).get("showValue", "auto") != "never"
    if not worded:
        rows = [(name, [(since, until, tint, "") for since, until, tint, _ in these]) for name, these in rows]
    most = max(1, math.floor((room.height - 20) / 13))
    return charts.states(rows[:most], charts.Frame(room.width, room.height, room.span.start, room.span.end))


def _bargauge(panel: Json, frames: Sequence[Frame], room: Room) -> str:
    values = [(name, _reduced(panel, one), how) for name, one, how in _values(panel, frames)]
    top = max((value for _, value, _ in values if value is not None and math.isfinite(value)), default=1.0) or 1.0
    most = max(1, math.floor(room.height / 24))
    high = min(44.0, room.height / min(len(values), most) - 6)
    rows = []
    for name, value, how in values[:most]:
        end = how.most if how.most is not None else top
        start = how.least if how.least is not None else 0.0
        share = 0.0 if value is None or end <= start else (min(max(value, start), end) - start) / (end - start)
        tint = how.color(value, "green")
        rows.append(
            f'<div class="bar" style="height:{high:.0f}px"><span>{escape(name)}</span>'
            f'<div><i style="width:{share * 100:.1f}%;background:{tint}66;border-right:2px solid {tint}"></i></div>'
            f'<b style="color:{tint}">{escape(how.text(value, room.span.end))}</b></div>'
        )
    return "".join(rows)


def _text(panel: Json, frames: Sequence[Frame], room: Room) -> str:
    del frames, room
    return f'<div class="words">{escape((panel.get("options") or {}).get("content", ""))}</div>'


_KINDS: Mapping[str, Callable[[Json, Sequence[Frame], Room], str]] = {
    "timeseries": _timeseries,
    "stat": _stat,
    "table": _table,
    "state-timeline": _state_timeline,
    "bargauge": _bargauge,
}


def smaller(room: Room, by: float) -> Room:
    """Return the room that is left below a heading."""
    return replace(room, height=room.height - by)
