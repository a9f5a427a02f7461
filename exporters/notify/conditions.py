"""Which alerts hold now, judged as Prometheus would judge their rules, and of whom."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Mapping, Sequence

from alerts.alert import Alert, Compared, Condition, Signalled
from collector.catalogue import BY_NAME
from dashboards.queries.expressions import Age, Expression, Increase, Prom, Rate, Ratio, Value
from exporters.notify.figures import Figures, Place, Series
from exporters.notify.notice import Identity

Groups = Mapping[tuple[str, ...], float]
"""Values by those of the labels that are kept."""

Holding = Mapping[Identity, float]

_COMPARE: Mapping[str, Callable[[float, float], bool]] = {
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
    "==": operator.eq,
    "any": lambda _value, _limit: True,
}

_FOLDS: Mapping[str, Callable[[Sequence[float]], float]] = {
    "max": max,
    "min": min,
    "sum": sum,
    "avg": lambda values: sum(values) / len(values),
}


def told_by_readings(alert: Alert) -> bool:
    """Tell whether the collector's own readings say all that an alert looks at."""
    return alert.severity is not None and _known(alert.condition)


def of_pipeline(alert: Alert) -> bool:
    """Tell whether it is chainwatch's own metrics that an alert looks at."""
    return any(measurement == "chainwatch" for measurement, _ in wanted([alert]))


def told_by_node(alert: Alert) -> bool:
    """Tell whether it is a figure of its own by which a node tells of it."""
    return isinstance(alert.condition, Compared) and alert.of == ("node",) and not of_pipeline(alert)


def wanted(alerts: Sequence[Alert]) -> dict[Place, float]:
    """Return the metrics that alerts look at, each with the longest window that its rise is asked for, or 0."""
    found: dict[Place, float] = {}
    for alert in alerts:
        for value in _values(alert.condition):
            place = value.metric.measurement, value.metric.field
            window = value.seconds if isinstance(value, Increase) else 0.0
            found[place] = max(found.get(place, 0.0), window)
    return found


def holding(alert: Alert, figures: Figures, chain: str, now: float) -> Holding:
    """Return of whom an alert holds now, and the value of each; of one chain, or "" where it is of none."""
    return {
        Identity(alert.name, chain, " ".join(subject)): value
        for subject, value in _holding(alert.condition, alert.of, figures, chain, now).items()
    }


def _holding(condition: Condition, of: tuple[str, ...], figures: Figures, chain: str, now: float) -> Groups:
    if isinstance(condition, Signalled):
        found = [each for each in figures.findings(chain) if each.signal == condition.signal]
        return {(each.subject,) if of else (): 1.0 if each.value is None else each.value for each in found}
    expression, compare = condition.expression, _COMPARE[condition.comparison]
    groups = _evaluated(expression, of, figures, chain, now)
    held = {group: value for group, value in groups.items() if compare(value, condition.limit)}
    if held and condition.unless is not None:
        # Of the same subject, or of the chain as a whole.
        spared = _holding(condition.unless, of if isinstance(condition.unless, Compared) else (), figures, chain, now)
        held = {group: value for group, value in held.items() if group not in spared and () not in spared}
    return held


def _evaluated(expression: Expression, of: tuple[str, ...], figures: Figures, chain: str, now: float) -> Groups:
    match expression:
        case Prom():
            return {}
        case Ratio(over=over, under=under):
            above, below = (_evaluated(each, of, figures, chain, now) for each in (over, under))
            return {group: value / below[group] for group, value in above.items() if below.get(group)}
    return _folded(expression, of, figures, chain, now)


def _folded(value: Value, of: tuple[str, ...], figures: Figures, chain: str, now: float) -> Groups:
    grouped: dict[tuple[str, ...], list[float]] = {}
    for series in figures.series((value.metric.measurement, value.metric.field), chain, now):
        labels = series.labels
        if any(labels.get(label) != text for label, text in value.where.items()):
            continue
        grouped.setdefault(tuple(labels.get(label, "") for label in of), []).append(_figure(value, series, now))
    # The oldest of ages is that of the least of moments.
    fold = {"max": "min", "min": "max"}.get(value.fold, value.fold) if isinstance(value, Age) else value.fold
    return {group: _FOLDS[fold](values) for group, values in grouped.items()}


def _figure(value: Value, series: Series, now: float) -> float:
    match value:
        case Increase(seconds=seconds):
            return series.rise(now, seconds)
        case Age():
            return series.age + now - series.taken
    return series.value


def _values(condition: Condition) -> Iterator[Value]:
    if isinstance(condition, Compared):
        match condition.expression:
            case Ratio(over=over, under=under):
                yield from (over, under)
            case Value() as value:
                yield value
        if condition.unless is not None:
            yield from _values(condition.unless)


def _known(condition: Condition) -> bool:
    if isinstance(condition, Signalled):
        return True
    if isinstance(condition.expression, Prom) or any(isinstance(value, Rate) for value in _values(condition)):
        return False
    return all(value.metric.name in BY_NAME for value in _values(condition))
