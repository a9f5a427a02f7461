"""Expressions in Flux, as Grafana asks them of InfluxDB 1.8, 2.x and later.

    import "date"
    from(bucket: v.defaultBucket)
      |> range(start: date.truncate(t: v.timeRangeStart, unit: v.windowPeriod), stop: v.timeRangeStop)
      |> filter(fn: (r) => r["_measurement"] == "chain_health" and r["_field"] == "lag_blocks")
      |> filter(fn: (r) => r["chain"] =~ /^${chain:regex}$/)
      |> aggregateWindow(every: v.windowPeriod, fn: last, createEmpty: false, timeSrc: "_start")
      |> group(columns: ["chain", "node"])
      |> aggregateWindow(every: v.windowPeriod, fn: max, createEmpty: false, timeSrc: "_start")
      |> keep(columns: ["_time", "_value", "chain", "node"])

The range begins with a whole window, else the first rate would be a rise over part of one. Nothing is used that
InfluxDB 1.8 does not have.
"""

from __future__ import annotations

from collections.abc import Sequence

from dashboards.queries.expressions import Age, Expression, Increase, Rate, Standing, Value
from dashboards.queries.influx import FOLDS, Scope, asked_of, borne
from dashboards.queries.promql import duration

_NOW = {"now": "float(v: uint(v: now())) / 1000000000.0", "panel": "float(v: uint(v: v.timeRangeStop)) / 1000000000.0"}
_THEN = 'float(v: uint(v: r["_time"])) / 1000000000.0'
_YOUNGEST = {"max": "min", "min": "max"}
"""The fold of moments, as that of the time since then."""


def flux(expression: Expression, scope: Scope) -> str:
    """Return the expression in Flux: `_value` with the labels that are kept, and `_time` where it yields lines.

    Each line is a table of its own; values are rows of one table. Raises UnsayableError as `asked_of` does.
    """
    asked = asked_of(expression)
    first = asked[0]
    lines = scope.shape == "lines"
    window = duration(first.seconds) if isinstance(first, Increase) else scope.window or "v.windowPeriod"
    steps = [
        *_read(asked, scope, window),
        *(_each_in_windows(first, window) if lines else _each(first)),
        f"group(columns: {_list([*first.by, *(['_field'] if len(asked) > 1 else [])])})",
        *_folded(first, scope, window),
        *(_divided(asked, lines=lines) if len(asked) > 1 else ()),
        *(['filter(fn: (r) => r["_value"] != 0.0)'] if isinstance(first, Standing) else ()),
        f"keep(columns: {_list([*(['_time'] if lines else []), '_value', *first.by])})",
        *([] if lines else ["group()"]),
    ]
    package = "date" if lines else "experimental" if scope.until == "panel" else ""
    begin = [f'import "{package}"', ""] if package else []
    return "\n".join([*begin, "from(bucket: v.defaultBucket)", *(f"  |> {step}" for step in steps)])


def _read(asked: Sequence[Value], scope: Scope, window: str) -> list[str]:
    """Return what reads the series of the metrics, within the range of time."""
    first = asked[0]
    since = window if isinstance(first, Increase) else scope.since
    if scope.shape == "lines":
        within = f"start: date.truncate(t: v.timeRangeStart, unit: {window}), stop: v.timeRangeStop"
    elif scope.until == "panel":
        within = f"start: experimental.subDuration(d: {since}, from: v.timeRangeStop), stop: v.timeRangeStop"
    else:
        within = f"start: -{since}"
    fields = " or ".join(f'r["_field"] == {_string(part.metric.field)}' for part in asked)
    of = [f'r["_measurement"] == {_string(first.metric.measurement)}', f"({fields})" if len(asked) > 1 else fields]
    of += [f"r[{_string(label)}] {matcher}" for label, matcher in borne(first, scope).items()]
    of += [f"r[{_string(label)}] == {_string(text)}" for label, text in first.where.items()]
    return [f"range({within})", f"filter(fn: (r) => {' and '.join(of)})"]


def _each_in_windows(value: Value, window: str) -> list[str]:
    """Return what makes of each series one value a window."""
    last = _in_windows("last", window)
    match value:
        case Increase():
            return ["difference(nonNegative: false)", _NO_RESTART, _in_windows("sum", window)]
        case Rate():
            return [last, "derivative(unit: 1s, nonNegative: false)", _NO_RESTART]
        case Age():
            return [_with_value(f'{_THEN} - r["_value"]'), last]
        case _:
            return [last]


def _each(value: Value) -> list[str]:
    """Return what makes of each series one value."""
    match value:
        case Increase():
            return ["difference(nonNegative: false)", _NO_RESTART, "sum()"]
        case Rate():
            return ["derivative(unit: 1s, nonNegative: false)", _NO_RESTART, "mean()"]
        case _:
            return ["last()"]


_NO_RESTART = 'filter(fn: (r) => r["_value"] >= 0.0)'
"""What falls is a counter that began anew. What `nonNegative` makes of that differs between versions."""


def _folded(value: Value, scope: Scope, window: str) -> list[str]:
    """Return what makes one series of those that are kept apart no longer."""
    fold = FOLDS[value.fold]
    if scope.shape == "lines":
        return [_in_windows(_YOUNGEST.get(fold, fold) if isinstance(value, Age) else fold, window)]
    if isinstance(value, Age):
        return [f"{fold}()", _with_value(f'{_NOW[scope.until]} - r["_value"]')]
    return [f"{fold}()"]


def _divided(asked: Sequence[Value], *, lines: bool) -> list[str]:
    """Return what divides one field by the other; by zero it would be infinite, and is left out."""
    over, under = (f"r[{_string(part.metric.field)}]" for part in asked)
    return [
        *([] if lines else ["map(fn: (r) => ({r with _time: now()}))"]),
        f"group(columns: {_list(asked[0].by)})",
        'pivot(rowKey: ["_time"], columnKey: ["_field"], valueColumn: "_value")',
        f"filter(fn: (r) => exists {over} and exists {under} and {under} != 0.0)",
        _with_value(f"{over} / {under}"),
    ]


def _in_windows(function: str, window: str) -> str:
    return f'aggregateWindow(every: {window}, fn: {function}, createEmpty: false, timeSrc: "_start")'


def _with_value(text: str) -> str:
    return f"map(fn: (r) => ({{r with _value: {text}}}))"


def _list(names: Sequence[str]) -> str:
    return f"[{', '.join(map(_string, names))}]"


def _string(text: str) -> str:
    for mark, written in (("\\", "\\\\"), ('"', '\\"'), ("\n", "\\n"), ("${", "\\${")):
        text = text.replace(mark, written)
    return f'"{text}"'
