"""What is said of an alert: its templates filled in, for Prometheus, which does so itself, and for who has no such."""

from __future__ import annotations

from collections.abc import Mapping

from alerts.alert import Alert, Unit
from collector.health.words import amount
from collector.health.words import seconds as duration

NOBODY = "chainwatch"
"""Who it is of where it is of nobody else."""


def description(alert: Alert, labels: Mapping[str, str], value: float) -> str:
    """Return the description; `labels` are those that the alert's condition keeps."""
    return alert.description.format(
        chain=labels.get("chain", NOBODY), subject=subject(alert, labels), value=in_unit(value, alert.unit)
    )


def subject(alert: Alert, labels: Mapping[str, str]) -> str:
    """Return whom the alert is of; "" where that is the chain, or chainwatch, as a whole."""
    return " ".join(labels[label] for label in alert.of if labels.get(label))


def in_unit(value: float, unit: Unit) -> str:
    """Return a value with its unit: `3 blocks`, `12 s`, `25 %`."""
    match unit:
        case "":
            return f"{value:g}"
        case "second":
            return f"-{duration(-value)}" if value < 0 else duration(value)
        case "ratio":
            return f"{100 * value:.3g} %"
    return amount(round(value), unit)


def prometheus_description(alert: Alert) -> str:
    """Return the description as a template of Prometheus."""
    return alert.description.format(
        chain="{{ $labels.chain }}", subject=prometheus_subject(alert), value=_prometheus_value(alert.unit)
    )


def prometheus_subject(alert: Alert) -> str:
    """Return whom the alert is of as a template of Prometheus."""
    return " ".join(f"{{{{ $labels.{label} }}}}" for label in alert.of)


def _prometheus_value(unit: Unit) -> str:
    match unit:
        case "":
            return "{{ $value }}"
        case "second":
            return "{{ $value | humanizeDuration }}"
        case "ratio":
            return "{{ $value | humanizePercentage }}"
    return f'{{{{ $n := printf "%.0f" $value }}}}{{{{ $n }}}} {unit}{{{{ if ne $n "1" }}}}s{{{{ end }}}}'
