"""What is asked of a database, whichever it is: a metric, of whom, and what is made of it.

promql.py, influxql.py and flux.py put the same expression into the three languages. An expression names its metric by
a symbol, `M.chain_health_lag_blocks`, never by a text: a metric that is renamed breaks the build.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol

Fold = Literal["max", "min", "sum", "avg"]
"""How series that differ in other labels than those that are kept become one."""


class Named(Protocol):
    """A metric: one of the catalogue, or a raw one of a node."""

    @property
    def measurement(self) -> str:
        """The measurement in InfluxDB."""

    @property
    def field(self) -> str:
        """The field in InfluxDB."""

    @property
    def name(self) -> str:
        """The Prometheus name."""

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels that it has, `job` and `instance` aside: only by these can it be selected."""


@dataclass(frozen=True)
class Value:
    """The last value. `by` are the labels that are kept; `where` holds what labels have to be."""

    metric: Named
    by: tuple[str, ...] = ("chain", "node")
    fold: Fold = "max"
    where: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Standing(Value):
    """The last value, left out where it is 0: what is over is there no more."""


@dataclass(frozen=True)
class Rate(Value):
    """The rise of a counter per second, a restart of it left out."""

    fold: Fold = "sum"


@dataclass(frozen=True)
class Increase(Value):
    """The rise of a counter within so many seconds, a restart of it left out."""

    fold: Fold = "sum"
    seconds: float = 600.0


@dataclass(frozen=True)
class Age(Value):
    """The seconds since the moment that the metric holds."""


@dataclass(frozen=True)
class Ratio:
    """One by another; both keep the same labels, and in InfluxDB are fields of one measurement."""

    over: Value
    under: Value


@dataclass(frozen=True)
class Prom:
    """What only PromQL can say: a template in which `{0}`, `{1}` stand for the selectors of these metrics.

    `{window}` stands for the window of rates. Panels that have it are of Prometheus alone.
    """

    template: str
    metrics: tuple[Named | Value, ...]
    """Of a Value only metric and `where` count."""


Expression = Value | Ratio | Prom
