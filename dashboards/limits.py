"""The limits that panels are coloured by, those of the alerts. Boards name them; they are filled in at the last."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, fields, replace

from collector.health.thresholds import Thresholds
from collector.thresholds import PipelineThresholds
from dashboards.panels import Board, Limit, Line, Panel, Step
from dashboards.queries.expressions import Prom

Figures = Mapping[str, float]
"""Every limit by its name."""


class _Limits:
    """Each limit as an attribute; one that there is not breaks the build."""

    _names = frozenset(each.name for kind in (Thresholds, PipelineThresholds) for each in fields(kind))

    def __getattr__(self, name: str) -> Limit:
        if name not in self._names:
            raise AttributeError(f"no threshold is named {name}")
        return Limit(name)


LIMITS = _Limits()


def figures(of_chains: Iterable[tuple[Thresholds, PipelineThresholds]] = ()) -> Figures:
    """Return the limits of boards that show these chains: where they differ, the defaults, for one panel shows all."""
    found = [_figures(*each) for each in of_chains]
    defaults = _figures(Thresholds(), PipelineThresholds())
    return {
        name: found[0][name] if found and len({each[name] for each in found}) == 1 else default
        for name, default in defaults.items()
    }


def filled(board: Board, limits: Figures) -> Board:
    """Return the board with the figures in place of the names."""
    rows = (replace(row, panels=tuple(_panel(panel, limits) for panel in row.panels)) for row in board.rows)
    return replace(board, rows=tuple(rows))


def _figures(chain: Thresholds, pipeline: PipelineThresholds) -> Figures:
    every = {**asdict(chain), **asdict(pipeline)}
    return {name: value for name, value in every.items() if not isinstance(value, str)}


def _panel(panel: Panel, limits: Figures) -> Panel:
    lines = tuple(_line(line, limits) for line in panel.lines)
    return replace(panel, lines=lines, steps=_steps(panel.steps, limits))


def _line(line: Line, limits: Figures) -> Line:
    asks = line.asks
    if isinstance(asks, Prom):
        template = asks.template
        for name, figure in limits.items():
            template = template.replace(f"{{{name}}}", f"{figure:g}")
        asks = replace(asks, template=template)
    return replace(line, asks=asks, steps=_steps(line.steps, limits))


def _steps(steps: Iterable[Step], limits: Figures) -> tuple[Step, ...]:
    return tuple(
        replace(step, value=limit.sign * limits[limit.name]) if isinstance(limit := step.value, Limit) else step
        for step in steps
    )
