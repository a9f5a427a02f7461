"""What queries to InfluxDB have in common, whether in InfluxQL or in Flux.

Both are asked in the same order: first what each series says in a window of time (its last value, its rise), then the
series that differ in other labels than those that are kept are folded into one. So neither a restart nor a label that a
user has added disturbs a figure. The last window is not over yet: a fold of it may lack nodes that are still to answer.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from dashboards.queries.expressions import Age, Expression, Fold, Increase, Prom, Ratio, Value


class UnsayableError(ValueError):
    """The language has no words for the expression."""


@dataclass(frozen=True)
class Scope:
    """What holds for all of a query: further `matchers`, the range of time, and how much of it is wanted."""

    matchers: Mapping[str, str] = field(default_factory=dict)
    """By label, with the operator: `{"chain": "=~ /^${chain:regex}$/"}`, alike in both languages. A query bears those
    of labels that its metric has."""
    shape: Literal["lines", "values"] = "lines"
    """A value for each window of the panel's range, or one value, as tables and alerts want it."""
    since: str = "5m"
    """Values are the last within so long: what is older is over. An increase has a range of its own."""
    until: Literal["now", "panel"] = "now"
    """Values are those of now, or of the end of the panel's range, as only a panel can ask for them."""
    window: str = ""
    """How long the windows of lines are: `1m`, "" as long as the panel wants them."""


FOLDS: Mapping[Fold, str] = {"max": "max", "min": "min", "sum": "sum", "avg": "mean"}
"""What they are called in both languages."""


def asked_of(expression: Expression) -> tuple[Value, ...]:
    """Return the metrics that are asked for: one, or the two of a ratio.

    Raises UnsayableError for what is PromQL's own, and for a ratio of what differs in more than the field.
    """
    match expression:
        case Prom(template=template):
            raise UnsayableError(f"only PromQL can say {template}")
        case Ratio(over=over, under=under):
            if _form(over) != _form(under) or isinstance(over, Age):
                raise UnsayableError(
                    f"{over.metric.name} / {under.metric.name}: only what is asked for alike, in one go"
                )
            return over, under
        case _:
            return (expression,)


def borne(value: Value, scope: Scope) -> Mapping[str, str]:
    """Return the matchers of the scope that the metric can bear."""
    return {label: matcher for label, matcher in scope.matchers.items() if label in value.metric.labels}


def _form(value: Value) -> object:
    """Return what has to be the same of two values that are asked for in one go: all but the field."""
    seconds = value.seconds if isinstance(value, Increase) else None
    return type(value), value.metric.measurement, value.by, value.fold, {**value.where}, seconds
