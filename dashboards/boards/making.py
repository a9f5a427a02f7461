"""Panels in a line each, as the boards of one kind of chain have them by the dozen."""

from __future__ import annotations

from dashboards.panels import BLUE, GREEN, RED, Line, Panel, Step, Words
from dashboards.queries.expressions import Expression

CHAIN = ("chain",)
NODE = ("chain", "node")
MAKER = ("chain", "maker")

YES_NO = ((0, "no", GREEN), (1, "yes", RED))
"""How something bad is written that is there or is not."""

Asked = tuple[Expression, str]
"""What is asked, and its legend."""


def chart(
    title: str,
    description: str,
    unit: str,
    *lines: Asked,
    steps: tuple[Step, ...] = (Step(GREEN),),
    stacked: bool = False,
    width: int = 8,
) -> Panel:
    """Return a chart over time."""
    made = tuple(Line(*line) for line in lines)
    return Panel("timeseries", title, description, made, unit, steps, stacked=stacked, width=width)


def figure(
    title: str,
    description: str,
    unit: str,
    *lines: Asked | Line,
    steps: tuple[Step, ...] = (Step(BLUE),),
    words: Words = (),
    width: int = 3,
) -> Panel:
    """Return a figure, the present one; a line may have steps of its own."""
    made = tuple(line if isinstance(line, Line) else Line(*line) for line in lines)
    return Panel("stat", title, description, made, unit, steps, words, width=width, height=4)


def states(title: str, description: str, *lines: Asked, words: Words, width: int = 8) -> Panel:
    """Return what states something was in, over time."""
    return Panel(
        "state-timeline", title, description, tuple(Line(*line) for line in lines), "short", words=words, width=width
    )


def table(
    title: str, description: str, *columns: Line, labels: tuple[str, ...], width: int = 24, height: int = 8
) -> Panel:
    """Return a table: a row for each combination of labels, a column for each line."""
    return Panel("table", title, description, columns, "short", width=width, height=height, labels=labels)
