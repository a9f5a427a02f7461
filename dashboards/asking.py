"""One query of a panel as Grafana asks it, in each language."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from string import ascii_uppercase
from typing import Any

from dashboards.panels import Board, Kind, Language, Line, Panel
from dashboards.queries import influx
from dashboards.queries.expressions import Expression, Prom, Ratio
from dashboards.queries.flux import flux
from dashboards.queries.influxql import influxql
from dashboards.queries.promql import Scope, promql
from dashboards.variables import narrowing, narrowing_of_influx

Target = Mapping[str, Any]
"""A query with what Grafana wants to know beside it; who is asked is mended in."""


_NOW = ("stat", "table", "bargauge")
"""What is shown by these is the present: one value of each series, not the last of a past that may be over."""


def target(line: Line, kind: Kind, board: Board, language: Language) -> Target:
    """Return what a line of a panel of this kind asks."""
    return _TARGETS[language](line, kind, board)


def sayable(panel: Panel, board: Board, language: Language) -> Panel | None:
    """Return the panel with those of its lines that the language has words for; None if there are none."""
    lines = []
    for line in panel.lines:
        with suppress(influx.UnsayableError):
            target(line, panel.kind, board, language)
            lines.append(line)
    return replace(panel, lines=tuple(lines)) if lines else None


def letter(position: int) -> str:
    """Return what Grafana calls the query at a position of a panel: A, B, C."""
    return ascii_uppercase[position]


def _in_promql(line: Line, kind: Kind, board: Board) -> Target:
    now = kind in _NOW
    return {
        "expr": promql(line.asks, Scope(narrowing(board))),
        "legendFormat": line.legend,
        "format": "table" if kind == "table" else "time_series",
        "instant": now,
        "range": not now,
    }


def _in_influxql(line: Line, kind: Kind, board: Board) -> Target:
    query = influxql(line.asks, _scope(kind, board))
    if kind == "table":  # columns of one name would be taken for one
        by = ", ".join(f'"{label}"' for label in _kept(line.asks))
        query = " ".join(
            ["SELECT", f'"value" AS "{line.legend}"', "FROM", f"({query})", *([f"GROUP BY {by}"] if by else [])]
        )
    return {
        "query": query,
        "rawQuery": True,
        "resultFormat": "table" if kind == "table" else "time_series",
        "alias": re.sub(r"{{(\w+)}}", r"$tag_\1", line.legend),
    }


def _in_flux(line: Line, kind: Kind, board: Board) -> Target:
    query = flux(line.asks, _scope(kind, board))
    if kind == "table":
        query += f'\n  |> rename(columns: {{_value: "{line.legend}"}})'
    elif kind in _NOW:
        query += f"\n  |> group(columns: {json.dumps(_kept(line.asks))})"
    return {"query": query}


def _scope(kind: Kind, board: Board) -> influx.Scope:
    return influx.Scope(narrowing_of_influx(board), "values" if kind in _NOW else "lines", until="panel")


def _kept(expression: Expression) -> Sequence[str]:
    """Return the labels that an expression keeps."""
    if isinstance(expression, Ratio):
        return expression.over.by
    return () if isinstance(expression, Prom) else expression.by


_TARGETS = {"promql": _in_promql, "influxql": _in_influxql, "flux": _in_flux}
