"""What every step of a node's life works with."""

from __future__ import annotations

from typing import NamedTuple

from compose.nodeos.evidence import Evidence
from compose.nodeos.record import Record
from compose.nodeos.saying import Log
from compose.nodeos.settings import Settings
from compose.nodeos.snapshots.kept import Kept
from compose.nodeos.status import Status
from compose.nodeos.stopping import Stopping


class Parts(NamedTuple):
    """They are made once, and handed to whoever needs some of them."""

    settings: Settings
    log: Log
    record: Record
    kept: Kept
    status: Status
    evidence: Evidence
    stopping: Stopping


def parts(settings: Settings, log: Log) -> Parts:
    """Make them."""
    record = Record(settings.data / "life.json", log)
    kept = Kept(settings.snapshots, settings.snapshot_keep if settings.role == "snapshots" else 1, log)
    return Parts(
        settings=settings,
        log=log,
        record=record,
        kept=kept,
        status=Status(settings, record, kept),
        evidence=Evidence(settings.data, settings.nodeos_data, log),
        stopping=Stopping(),
    )
