"""The one table of alerts."""

from __future__ import annotations

from alerts.alert import Alert, Limits
from alerts.entrypoint import OF_ENTRYPOINT
from alerts.nodes import of_nodes
from alerts.pipeline import of_pipeline
from alerts.signals import OF_SIGNALS


def alerts(limits: Limits) -> tuple[Alert, ...]:
    """Return every alert: those of a chain with its thresholds, and those of chainwatch itself."""
    return (*OF_SIGNALS, *of_nodes(limits.chain), *OF_ENTRYPOINT, *of_pipeline(limits.pipeline))


NAMES = tuple(alert.name for alert in alerts(Limits()))
"""What they are called, in the order of the table."""
