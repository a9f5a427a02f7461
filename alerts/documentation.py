"""The table of docs/alerts.md: every alert, when it fires, and what it means."""

from __future__ import annotations

from pathlib import Path

from alerts.alert import Alert, Limits, Signalled
from alerts.promql import condition_in_promql
from alerts.rulefile import severity
from alerts.table import alerts
from collector.health.signals import SIGNALS
from dashboards.queries.promql import Scope, duration

DOCUMENT = Path(__file__).parents[1] / "docs" / "alerts.md"
"""The document, of which only the table is made."""

BEGIN, END = "<!-- the table of alerts: python -m alerts -->", "<!-- end of the table of alerts -->"


def with_table(document: str) -> str:
    """Return the document with the table as it is now between its marks. Raises ValueError where they are missing."""
    before, begin, rest = document.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise ValueError(f"there is no table between {BEGIN} and {END}")
    return f"{before}{BEGIN}\n\n{_table()}\n{END}{after}"


def _table() -> str:
    lines = ["| Alert | Severity | For | Fires while | Means |", "| --- | --- | --- | --- | --- |"]
    lines += [_row(alert) for alert in alerts(Limits())]
    return "\n".join([*lines, ""])


def _row(alert: Alert) -> str:
    name = f"[{alert.name}](../alerts/runbooks/{alert.name}.md)"
    cells = (name, severity(alert), duration(alert.lasts) if alert.lasts else "", _condition(alert), _meaning(alert))
    return f"| {' | '.join(cells)} |"


def _condition(alert: Alert) -> str:
    if isinstance(alert.condition, Signalled):
        return f"`{alert.signal}` is [found](health.md#the-signals)"
    asked = " ".join(condition_in_promql(alert.condition, Scope()).split("\n"))
    return f"`{asked}`"


def _meaning(alert: Alert) -> str:
    return SIGNALS[alert.signal].meaning if alert.signal else alert.summary
