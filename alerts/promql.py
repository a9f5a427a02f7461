"""Conditions in Prometheus' language."""

from __future__ import annotations

from alerts.alert import Compared, Condition, Signalled
from alerts.recording import RECORDED
from collector.catalogue import M
from collector.health.signals import SIGNALS
from dashboards.queries.expressions import Expression, Value
from dashboards.queries.promql import Scope, promql

_FINDING = ("chain", "subject")


def condition_in_promql(condition: Condition, scope: Scope, *, recorded: bool = False) -> str:
    """Return an expression that has a value for each of whom the condition holds, and that value is what is told.

    `recorded`: the rules that record what is compared are there.
    """
    match condition:
        case Signalled(signal, figure):
            where = {"signal": signal}
            stands = f"{promql(Value(M.chain_health_finding, _FINDING, where=where), scope)} == 1"
            if not figure:
                return stands
            return f"{promql(Value(M.chain_health_finding_value, _FINDING, where=where), scope)}\nand {stands}"
        case Compared(expression, comparison, limit, unless):
            asked = _recorded(expression, scope) if recorded else promql(expression, scope)
            compared = asked if comparison == "any" else f"{asked} {comparison} {limit:.15g}"
            if unless is None:
                return compared
            otherwise = condition_in_promql(unless, scope, recorded=recorded)
            return f"{compared}\nunless on ({', '.join(_labels(unless))}) ({otherwise})"


def _recorded(expression: Expression, scope: Scope) -> str:
    """Return the name under which an expression is recorded, or the expression if it is not."""
    record = next((name for name, recorded in RECORDED.items() if recorded == expression), None)
    if record is None:
        return promql(expression, scope)
    matchers = ", ".join(f"{label}{matcher}" for label, matcher in scope.matchers.items())
    return f"{record}{{{matchers}}}" if matchers else record


def _labels(condition: Condition) -> tuple[str, ...]:
    """Return the labels by which what must not hold is found again."""
    match condition:
        case Signalled(signal):
            return ("chain",) if SIGNALS[signal].of == "chain" else _FINDING
        case Compared(Value(by=by)):
            return by
    raise TypeError(f"nothing is known of the labels of {condition}")
