"""Expressions in Prometheus' language."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from dashboards.queries.expressions import Age, Expression, Increase, Prom, Rate, Ratio, Standing, Value


@dataclass(frozen=True)
class Scope:
    """What holds for all selectors of a query: further `matchers`, written as in PromQL, and the window of rates."""

    matchers: Mapping[str, str] = field(default_factory=dict)
    """By label, with the operator: `{"chain": '=~"$chain"'}`. A selector bears those that its metric has, and `job`."""
    window: str = "$__rate_interval"


def promql(expression: Expression, scope: Scope) -> str:
    """Return the expression in PromQL; each selector bears the matchers of the scope."""
    if isinstance(expression, Ratio):
        return f"{promql(expression.over, scope)} / {promql(expression.under, scope)}"
    if isinstance(expression, Prom):
        values = [metric if isinstance(metric, Value) else Value(metric) for metric in expression.metrics]
        return expression.template.format(*(_selected(value, scope) for value in values), window=scope.window)
    inner = _selected(expression, scope)
    match expression:
        case Rate():
            inner = f"rate({inner}[{scope.window}])"
        case Increase(seconds=seconds):
            inner = f"increase({inner}[{duration(seconds)}])"
    labels = f" by ({', '.join(expression.by)})" if expression.by else ""
    folded = f"{expression.fold}{labels} ({inner})"
    match expression:
        case Age():
            return f"time() - {folded}"
        case Standing():
            return f"{folded} != 0"
        case _:
            return folded


def duration(seconds: float) -> str:
    """Return a duration as Prometheus writes it: `5m`, `90s`, `1500ms`."""
    if seconds != int(seconds):
        return f"{round(seconds * 1000)}ms"
    for unit, size in (("d", 86_400), ("h", 3_600), ("m", 60)):
        if seconds and seconds % size == 0:
            return f"{int(seconds // size)}{unit}"
    return f"{int(seconds)}s"


def quoted(text: str) -> str:
    """Return a text as a string of PromQL."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


def _selected(value: Value, scope: Scope) -> str:
    borne = {*value.metric.labels, "job"}
    matchers = [f"{label}{matcher}" for label, matcher in scope.matchers.items() if label in borne]
    matchers += [f"{label}={quoted(text)}" for label, text in value.where.items()]
    return f"{value.metric.name}{{{', '.join(matchers)}}}" if matchers else value.metric.name
