"""Charts as SVG: lines over time, and bars of states."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from html import escape
from itertools import pairwise

from dashboards.drawing.frames import Point

_GRID = "#2c2e33"
_TEXT = "#9d9fa9"
_FONT = 11
_LETTER = 6.1
"""Pixels that a letter of the axes takes."""

_BAR = 0.6
"""Of the room from one bar to the next, what a bar takes."""
_LONE_BAR = 40.0
"""Pixels that a bar takes that is the only one."""


@dataclass(frozen=True)
class Line:
    """A line: its points and its colour."""

    points: Sequence[Point]
    color: str
    bars: bool = False
    """Whether its points are bars, that end where the next begins."""
    fill: float = 0.08
    """How much of the colour is below it, 0 to 1."""


@dataclass(frozen=True)
class Frame:
    """Where a chart stands in its panel, in pixels, and the time that it shows."""

    width: float
    height: float
    start: float
    end: float

    def x(self, moment: float, left: float) -> float:
        """Return where a moment stands, of a chart that begins at `left`."""
        return left + (moment - self.start) / (self.end - self.start) * (self.width - left - 8)


@dataclass(frozen=True)
class Look:
    """How lines are drawn."""

    write: Callable[[float], str]
    """Writes a value at the axis."""
    stacked: bool = False
    thresholds: Sequence[tuple[float, str]] = ()
    """Values at which a dashed line of a colour is drawn, where the chart reaches so far."""
    least: float | None = None
    most: float | None = None


def lines(these: Sequence[Line], frame: Frame, look: Look, marks: Sequence[tuple[float, str]] = ()) -> str:
    """Return a chart of lines. `marks` are moments at which something happened, each with a colour."""
    drawn = _stacked(these) if look.stacked else these
    values = [value for line in drawn for _, value in line.points if value is not None]
    ticks = _ticks(values, frame.height, look)
    low, high = ticks[0], ticks[-1]
    left = 12 + _LETTER * max(len(look.write(tick)) for tick in ticks)
    bottom = frame.height - 20

    def y(value: float) -> float:
        return bottom - (value - low) / (high - low) * (bottom - 6)

    parts = [_opening(frame)]
    for tick in ticks:
        parts.append(_across(left, frame.width - 8, y(tick), _GRID))
        parts.append(_text(left - 6, y(tick) + 4, look.write(tick), "end"))
    parts += _times(frame, left, bottom)
    for value, color in look.thresholds:
        if low <= value <= high:
            parts.append(_across(left, frame.width - 8, y(value), color, ' stroke-dasharray="6 5" opacity=".7"'))
    for moment, color in marks:
        x = frame.x(moment, left)
        parts.append(_down(x, bottom, color, ' stroke-dasharray="3 3" opacity=".75"'))
        parts.append(f'<path d="M{x - 4:.1f} {bottom + 5:.1f}h8l-4-5z" fill="{color}"/>')
    for line in reversed(drawn) if look.stacked else drawn:
        draw = _barred if line.bars else _drawn
        parts += draw(line, lambda moment: max(frame.x(moment, left), left), y, y(max(low, min(0.0, high))))
    return "".join([*parts, "</svg>"])


def states(rows: Sequence[tuple[str, Sequence[tuple[float, float, str, str]]]], frame: Frame) -> str:
    """Return a chart of states: rows, each of a name and of stretches (from, to, colour, word)."""
    left = 12 + _LETTER * min(max((len(name) for name, _ in rows), default=0), 30)
    bottom = frame.height - 20
    each = bottom / max(len(rows), 1)
    parts = [_opening(frame)]
    parts += _times(frame, left, bottom)
    for place, (name, stretches) in enumerate(rows):
        top = place * each + each * 0.08
        parts.append(_text(left - 6, top + each * 0.42 + 4, name[:30], "end"))
        for since, until, color, word in stretches:
            x, end = frame.x(max(since, frame.start), left), frame.x(min(until, frame.end), left)
            box = f'x="{x:.1f}" y="{top:.1f}" width="{max(end - x, 0.5):.1f}" height="{each * 0.84:.1f}"'
            parts.append(f'<rect {box} fill="{color}" fill-opacity=".72"/>')
            if word and end - x > _LETTER * len(word) + 8 and each > _FONT + 2:
                parts.append(_text(x + 5, top + each * 0.42 + 4, word, "start", "#f4f5f8"))
    return "".join([*parts, "</svg>"])


def _ticks(values: Sequence[float], height: float, look: Look) -> list[float]:
    low = min(values, default=0.0) if look.least is None else look.least
    high = max(values, default=1.0) if look.most is None else max(look.most, *values) if values else look.most
    if low > 0 and low < 0.5 * high:
        low = 0.0
    if high - low < 1e-12 * max(abs(high), 1e-9):
        low, high = (low - abs(low) * 0.5, high + abs(high) * 0.5) if high else (0.0, 1.0)
    wanted = max(2, min(6, round(height / 42)))
    raw = (high - low) / wanted
    size = 10 ** math.floor(math.log10(raw))
    step = next(size * one for one in (1, 2, 2.5, 5, 10) if size * one >= raw * 0.999)
    first = math.floor(low / step + 1e-9)
    last = math.ceil(high / step - 1e-9)
    return [round(place * step, 12) for place in range(first, max(last, first + 1) + 1)]


def _times(frame: Frame, left: float, bottom: float) -> Iterator[str]:
    seconds = frame.end - frame.start
    most = max(2, (frame.width - left) / 90)
    steps = (5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400, 21_600, 43_200, 86_400)
    step = next((step for step in steps if seconds / step <= most), 86_400)
    form = "%H:%M:%S" if step % 60 else "%H:%M"
    moment = math.ceil(frame.start / step) * step
    while moment <= frame.end:
        x = frame.x(moment, left)
        yield _down(x, bottom, _GRID)
        if left < x < frame.width - 24:
            yield _text(x, bottom + 15, datetime.fromtimestamp(moment, UTC).strftime(form), "middle")
        moment += step


def _stacked(these: Sequence[Line]) -> list[Line]:
    """Return the lines, each on top of those before it; where one has no point, the last of it counts."""
    moments = sorted({moment for line in these for moment, _ in line.points})
    base = dict.fromkeys(moments, 0.0)
    found = []
    for line in these:
        known = dict(line.points)
        points: list[Point] = []
        for moment in moments:
            value = known.get(moment)
            if value is not None:
                base[moment] += value
                points.append((moment, base[moment]))
        found.append(replace(line, points=points))
    return found


def _drawn(line: Line, x: Callable[[float], float], y: Callable[[float], float], ground: float) -> Iterator[str]:
    for stretch in _stretches(line.points):
        places = [(x(moment), y(value)) for moment, value in stretch]
        if len(places) == 1:
            yield f'<circle cx="{places[0][0]:.1f}" cy="{places[0][1]:.1f}" r="2" fill="{line.color}"/>'
            continue
        path = "L".join(f"{a:.1f} {b:.1f}" for a, b in places)
        if line.fill:
            closed = f"M{path}L{places[-1][0]:.1f} {ground:.1f}L{places[0][0]:.1f} {ground:.1f}z"
            yield f'<path d="{closed}" fill="{line.color}" fill-opacity="{line.fill:g}"/>'
        yield f'<path d="M{path}" fill="none" stroke="{line.color}" stroke-width="1.4" stroke-linejoin="round"/>'


def _barred(line: Line, x: Callable[[float], float], y: Callable[[float], float], ground: float) -> Iterator[str]:
    moments = [moment for moment, _ in line.points]
    gap = min((after - moment for moment, after in pairwise(moments)), default=0.0)
    for moment, value in line.points:
        if value is not None:
            wide = (x(moment + gap) - x(moment)) * _BAR or _LONE_BAR
            top = min(y(value), ground)
            box = f'x="{x(moment):.1f}" y="{top:.1f}" width="{wide:.1f}" height="{abs(y(value) - ground):.1f}"'
            yield f'<rect {box} fill="{line.color}" fill-opacity="{line.fill:g}" stroke="{line.color}"/>'


def _stretches(points: Sequence[Point]) -> Iterator[list[tuple[float, float]]]:
    stretch: list[tuple[float, float]] = []
    for moment, value in points:
        if value is None:
            if stretch:
                yield stretch
            stretch = []
        else:
            stretch.append((moment, value))
    if stretch:
        yield stretch


def _opening(frame: Frame) -> str:
    return f'<svg width="{frame.width:.0f}" height="{frame.height:.0f}" font-size="{_FONT}">'


def _across(left: float, right: float, y: float, color: str, more: str = "") -> str:
    return f'<path d="M{left:.1f} {y:.1f}H{right:.1f}" stroke="{color}"{more}/>'


def _down(x: float, bottom: float, color: str, more: str = "") -> str:
    return f'<path d="M{x:.1f} 6V{bottom:.1f}" stroke="{color}"{more}/>'


def _text(x: float, y: float, text: str, anchor: str, color: str = _TEXT) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{color}">{escape(text)}</text>'
