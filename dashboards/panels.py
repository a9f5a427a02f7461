"""What a dashboard is made of, in a line each: boards, rows, panels, and what they ask.

A board is declared once. grafana.py makes the dashboard of it for each database that its expressions can be asked of.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from dashboards.queries.expressions import Expression

Kind = Literal["timeseries", "stat", "table", "state-timeline", "bargauge"]

GREEN, YELLOW, ORANGE, RED, BLUE, GREY = "green", "yellow", "orange", "red", "blue", "text"


Language = Literal["promql", "influxql", "flux"]

Words = tuple[tuple[float, str, str], ...]
"""Values that are shown as a text of a colour: `(1, "up", GREEN)`."""


@dataclass(frozen=True)
class Limit:
    """A threshold of the alerts, by its name; with `sign` -1 as far below 0."""

    name: str
    sign: int = 1

    def __neg__(self) -> Limit:
        return Limit(self.name, -self.sign)


@dataclass(frozen=True)
class Step:
    """The colour from a value on; None is from the least on, and comes first."""

    color: str
    value: float | Limit | None = None


@dataclass(frozen=True)
class Line:
    """One query of a panel, and what each of its series is called: `{{node}}`.

    In a table it is a column, called by its legend. A column may have a unit, steps and words of its own; the labels
    that all columns have in common make the rows. The line of a figure may have steps of its own.
    """

    asks: Expression
    legend: str = ""
    unit: str = ""
    steps: tuple[Step, ...] = ()
    words: Words = ()


@dataclass(frozen=True)
class Panel:
    """One panel. `unit` is Grafana's name of it: `s`, `short`, `percentunit`, `bytes`, and others."""

    kind: Kind
    title: str
    description: str
    """What is shown, and what to make of it."""
    lines: tuple[Line, ...]
    unit: str
    steps: tuple[Step, ...] = (Step(GREEN),)
    words: Words = ()
    width: int = 8
    height: int = 7
    stacked: bool = False
    labels: tuple[str, ...] = ("chain", "node")
    """In a table: the columns of labels, in their order, before those of values."""


@dataclass(frozen=True)
class Row:
    """Panels under a heading, laid out one after the other; repeated for each value of a variable if it is named."""

    title: str
    panels: tuple[Panel, ...]
    repeat: Literal["", "chain"] = ""
    collapsed: bool = False


@dataclass(frozen=True)
class Board:
    """A dashboard. `variables` are those beside the data source and `job`."""

    uid: str
    title: str
    description: str
    rows: tuple[Row, ...]
    variables: tuple[Literal["chain", "role", "node"], ...] = ("chain", "role", "node")
    kinds: tuple[str, ...] = ("ethereum", "nodeos")
    """The kinds of chain that it is of."""
    languages: tuple[Language, ...] = ("promql",)
    every_node: bool = True
    """Whether the variable `node` begins with all of them; else with the first."""


def above(limit: float | Limit, color: str = RED) -> tuple[Step, ...]:
    """Return the steps of what is well below a limit: green, and from the limit on the colour."""
    return (Step(GREEN), Step(color, limit))


def below(limit: float | Limit, color: str = RED) -> tuple[Step, ...]:
    """Return the steps of what is well from a limit on: the colour below it, then green."""
    return (Step(color), Step(GREEN, limit))
