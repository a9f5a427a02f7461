"""Alerts of what runs nodeos in a deployed cluster: its entrypoint tells of crashes and snapshots on a page of its own.

Prometheus alone scrapes that page, so these are no alerts of the collector's notifier, nor of InfluxDB.
"""

from __future__ import annotations

from typing import NamedTuple

from alerts.alert import Alert, Compared
from collector.health.assessment import Severity
from dashboards.queries.expressions import Increase, Value


class _Told(NamedTuple):
    """A metric of the page: a metric is its measurement and field, as for the catalogue."""

    field: str
    measurement: str = "nodeos_entrypoint"
    labels: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The Prometheus name."""
        return f"{self.measurement}_{self.field}"


_INSTANCE = ("instance",)

OF_ENTRYPOINT = (
    Alert(
        name="NodeosCrashing",
        group="nodes",
        severity=Severity.WARNING,
        condition=Compared(Value(_Told("backing_off"), _INSTANCE), "==", 1),
        of_chain=False,
        of=_INSTANCE,
        lasts=60.0,
        keeps=120.0,
        unit="",
        summary="A nodeos crashes again and again.",
        description="The entrypoint at {subject} puts off the next start of nodeos, which crashed or was restored too "
        "often.",
    ),
    Alert(
        name="NodeosOccupied",
        group="nodes",
        severity=Severity.WARNING,
        condition=Compared(Value(_Told("occupied"), _INSTANCE), "==", 1),
        of_chain=False,
        of=_INSTANCE,
        lasts=120.0,
        keeps=0.0,
        unit="",
        summary="Two entrypoints want one data directory.",
        description="The entrypoint at {subject} waits, because somebody else lives in its data directory.",
    ),
    Alert(
        name="SnapshotsFailing",
        group="nodes",
        severity=Severity.WARNING,
        condition=Compared(Increase(_Told("snapshot_failures_total"), _INSTANCE, seconds=3600.0), ">", 0),
        of_chain=False,
        of=_INSTANCE,
        lasts=0.0,
        keeps=0.0,
        unit="time",
        summary="Snapshots of a nodeos cannot be taken.",
        description="Taking a snapshot at {subject} failed {value} within an hour: it would be restored to an older "
        "block.",
    ),
)
"""The alerts, which have no thresholds to be set."""
