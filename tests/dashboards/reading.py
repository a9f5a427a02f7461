"""What tests look at in a dashboard's JSON."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from collector.catalogue import CATALOGUE, Metric
from dashboards.boards import BOARDS
from dashboards.grafana import Page, dashboard, uid_of
from dashboards.limits import figures, filled
from dashboards.mending import mended
from dashboards.metrics import STANDARD, Standard
from dashboards.panels import Board, Language
from dashboards.raw import RAW
from dashboards.variables import DATA_SOURCES

Json = dict[str, Any]

_KNOWN: tuple[Metric | Standard, ...] = (*CATALOGUE, *RAW, *STANDARD)

METRICS: Mapping[str, Metric | Standard] = {metric.name: metric for metric in _KNOWN}
"""All that a query may name."""


THERE = {uid_of(board, language) for board in BOARDS for language in board.languages}


def made(board: Board, language: Language, there: Collection[str] = THERE) -> Json:
    """Return a board as Grafana gets it."""
    return mended(dashboard(Page(filled(board, figures()), language, there)), DATA_SOURCES[language])


DASHBOARDS: Mapping[str, tuple[Board, Language, Json]] = {
    uid_of(board, language): (board, language, made(board, language))
    for board in BOARDS
    for language in board.languages
}
"""All of them, by uid."""

IN_PROMQL = [uid for uid, (_, language, _) in DASHBOARDS.items() if language == "promql"]
IN_INFLUXQL = [uid for uid, (_, language, _) in DASHBOARDS.items() if language == "influxql"]
IN_FLUX = [uid for uid, (_, language, _) in DASHBOARDS.items() if language == "flux"]


def all_panels(uid: str) -> Iterator[Json]:
    """Yield the panels of a dashboard, rows and what is in folded rows among them."""
    for panel in DASHBOARDS[uid][2]["panels"]:
        yield panel
        yield from panel.get("panels", ())


def panels(uid: str) -> Iterator[Json]:
    """Yield those that show something."""
    return (panel for panel in all_panels(uid) if panel["type"] != "row")


def targets(uid: str) -> Iterator[tuple[str, Json]]:
    """Yield all queries of a dashboard with the titles of their panels."""
    for panel in panels(uid):
        for target in panel["targets"]:
            yield panel["title"], target


def selectors(expression: str) -> Iterator[tuple[str, str, str]]:
    """Yield each selector of a PromQL expression: what stands before it, the metric, the matchers."""
    for found in re.finditer(r"\b(\w+){([^}]*)}", expression):
        yield expression[: found.start()], found[1], found[2]


def nulls(part: object, path: str = "") -> Iterator[str]:
    """Yield where something is null."""
    if part is None:
        yield path
    elif isinstance(part, dict):
        for name, value in part.items():
            yield from nulls(value, f"{path}.{name}")
    elif isinstance(part, list):
        for position, value in enumerate(part):
            yield from nulls(value, f"{path}[{position}]")
