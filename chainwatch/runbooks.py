"""The runbooks of all alerts, as the collector's page serves them."""

from __future__ import annotations

from alerts import runbooks
from alerts.alert import Limits
from alerts.rulefile import severity
from alerts.table import alerts
from collector.page import Runbook


def all_runbooks() -> list[Runbook]:
    """Return what the page says of each alert. Reads files."""
    bodies = runbooks.pages()
    return [
        Runbook(alert.name, alert.signal, severity(alert), alert.summary, bodies[alert.name])
        for alert in alerts(Limits())
    ]
