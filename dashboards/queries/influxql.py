"""Expressions in InfluxQL, as Grafana asks them of InfluxDB 1.x.

    SELECT max("value") AS "value" FROM (
      SELECT last("lag_blocks") AS "value" FROM "chain_health" WHERE "chain" =~ /^${chain:regex}$/
      GROUP BY time($__interval), *)
    WHERE $timeFilter GROUP BY time($__interval), "chain", "node" fill(none)

The range of time stands at the outermost statement alone: those inside inherit it.
"""

from __future__ import annotations

from collections.abc import Sequence

from dashboards.queries.expressions import Age, Expression, Increase, Rate, Standing, Value
from dashboards.queries.influx import FOLDS, Scope, UnsayableError, asked_of, borne
from dashboards.queries.promql import duration

_NAMES = ("value", "under")

_WITHIN = {"now": "time > now() - {}", "panel": "time > ${{__to}}ms - {} AND time <= ${{__to}}ms"}


def influxql(expression: Expression, scope: Scope) -> str:
    """Return the expression in InfluxQL; what it yields is called `value`.

    InfluxQL cannot calculate with the time, so an age is that at the end of the panel's range: of a line only the last
    value is right, and beyond a panel there is none. Raises UnsayableError then, and as `asked_of` does.
    """
    asked = asked_of(expression)
    first = asked[0]
    lines = scope.shape == "lines"
    since, window = scope.since, scope.window or "$__interval"
    if isinstance(first, Increase):
        since = window = duration(first.seconds)
    windows = [f"time({window})"] if lines else []
    kept = [_identifier(label) for label in first.by]
    within = "$timeFilter" if lines else _WITHIN[scope.until].format(since)

    folds = [f'{FOLDS[first.fold]}("{name}")' for name in _NAMES[: len(asked)]]
    series = _each(asked, scope, [*windows, "*"])
    if len(asked) > 1:
        inner = _select(_called(folds), f"({series})", groups=[*windows, *kept])
        # InfluxQL takes what is divided by zero for 0, which would be a figure.
        return _select('"value" / "under" AS "value"', f"({inner})", [within, '"under" != 0'], kept)
    shown = folds[0]
    if isinstance(first, Standing):
        inner = _select(_called([shown]), f"({series})", groups=[*windows, *kept])
        return _select('"value" AS "value"', f"({inner})", [within, '"value" != 0'], kept)
    if isinstance(first, Age):
        if not lines and scope.until == "now":
            raise UnsayableError(f"how long ago {first.metric.name} was, beyond a panel: InfluxQL has no now() for it")
        shown = f"${{__to}} / 1000 - {shown}"
    return _select(_called([shown]), f"({series})", [within], [*windows, *kept])


def _each(asked: Sequence[Value], scope: Scope, groups: Sequence[str]) -> str:
    """Return what each series says: its last value, or its rise, in each window."""
    first = asked[0]
    source = _identifier(first.metric.measurement)
    matchers = [f"{_identifier(label)} {matcher}" for label, matcher in borne(first, scope).items()]
    matchers += [f"{_identifier(label)} = {_string(text)}" for label, text in first.where.items()]

    def of_windows(template: str) -> str:
        fields = [template.format(_identifier(part.metric.field)) for part in asked]
        return _select(_called(fields), source, matchers, groups)

    def of_rows(template: str, fold: str) -> str:
        fields = [template.format(_identifier(part.metric.field)) for part in asked]
        rows = _select(_called(fields), source, matchers, ["*"])
        folds = [f'{fold}("{name}")' for name in _NAMES[: len(asked)]]
        return _select(_called(folds), f"({rows})", groups=groups)

    match first:
        case Increase():
            return of_rows("non_negative_difference({})", "sum")
        case Rate() if scope.shape == "values":
            return of_rows("non_negative_derivative({}, 1s)", "mean")
        case Rate():
            return of_windows("non_negative_derivative(last({}), 1s)")
        case _:
            return of_windows("last({})")


def _called(columns: Sequence[str]) -> str:
    return ", ".join(f'{column} AS "{name}"' for column, name in zip(columns, _NAMES, strict=False))


def _select(columns: str, source: str, conditions: Sequence[str] = (), groups: Sequence[str] = ()) -> str:
    """Return a statement; windows in which there is nothing are left out."""
    where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    by = f" GROUP BY {', '.join(groups)}" if groups else ""
    gaps = " fill(none)" if any(group.startswith("time(") for group in groups) else ""
    return f"SELECT {columns} FROM {source}{where}{by}{gaps}"  # noqa: S608 - names and texts in it are quoted


def _identifier(name: str) -> str:
    return '"' + name.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


def _string(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n") + "'"
