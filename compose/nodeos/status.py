"""What the entrypoint says of itself: `/status` for people and the collector, `/metrics` for Prometheus."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timezone
from typing import Any

from compose.nodeos.record import Record
from compose.nodeos.settings import Settings
from compose.nodeos.snapshots.kept import Kept

STARTING = "starting"
RUNNING = "running"
FETCHING = "fetching"
RESTORING = "restoring"
BACKING_OFF = "backing off"
OCCUPIED = "occupied"
WAITING = "waiting"
STOPPING = "stopping"
STATES = (STARTING, RUNNING, FETCHING, RESTORING, BACKING_OFF, OCCUPIED, WAITING, STOPPING)


class Status:
    """The state, set by whoever changes it; the figures come from where they are kept."""

    def __init__(self, settings: Settings, record: Record, kept: Kept) -> None:
        self._settings = settings
        self._record = record
        self._kept = kept
        self._lock = threading.Lock()
        self._state = STARTING
        self._reason = ""
        self._since = time.time()
        self._next_start = 0.0
        self.started_from = ""
        """How nodeos was started last."""
        self.snapshot_failures = 0
        self.snapshot_in_progress = False
        self.outside_peers: Sequence[str] = ()
        """Those that are this worker's share."""

    def now(self, state: str, reason: str = "", next_start: float = 0.0) -> None:
        """Change the state. Once we are stopping, nothing else counts."""
        with self._lock:
            if self._state == STOPPING:
                return
            if state != self._state:
                self._since = time.time()
            self._state, self._reason, self._next_start = state, reason, next_start

    def document(self) -> dict[str, Any]:
        """Return `/status`. Times are UTC, null where there is none."""
        facts = self._record.facts
        last = dict(facts.last_exit)
        if last:
            last["at"] = _utc(float(last.get("at", 0)))
        with self._lock:
            return {
                "node": self._settings.node,
                "role": self._settings.role,
                "slot": self._settings.slot,
                "state": self._state,
                "since": _utc(self._since),
                "reason": self._reason,
                "next_start": _utc(self._next_start),
                "crashes": facts.crashes,
                "last_exit": last or None,
                "starts": facts.starts,
                "started_from": self.started_from,
                "restores": facts.restores_total,
                "chain_id": facts.chain_id,
                "snapshots": len(self._snapshots()),
                "outside_peers": list(self.outside_peers),
            }

    def page(self) -> str:
        """Return `/metrics`, in Prometheus's text format."""
        facts = self._record.facts
        snapshots = self._snapshots()
        with self._lock:
            state, next_start = self._state, self._next_start
        lines: list[str] = []

        def family(name: str, kind: str, text: str, samples: Iterable[tuple[Mapping[str, str], float]]) -> None:
            name = f"nodeos_entrypoint_{name}"
            lines.extend([f"# HELP {name} {text}", f"# TYPE {name} {kind}"])
            lines.extend(f"{name}{_labels(labels)} {value:.15g}" for labels, value in samples)

        def one(name: str, kind: str, text: str, value: float) -> None:
            family(name, kind, text, [({}, value)])

        who = {"node": self._settings.node, "role": self._settings.role, "slot": str(self._settings.slot)}
        family("info", "gauge", "Always 1; its labels tell whose page this is.", [(who, 1)])
        one("starts_total", "counter", "Starts of nodeos since the volume was made.", facts.starts)
        exits = [({"code": code}, count) for code, count in sorted(facts.exits.items())]
        family("exits_total", "counter", "Ends of nodeos by exit code, 128 and more for signals.", exits)
        one("crashes_in_a_row", "gauge", "Crashes since nodeos last ran for long or was stopped.", facts.crashes)
        one("backing_off", "gauge", "1 while a start is put off after crashes or restores.", state == BACKING_OFF)
        if next_start:
            text = "When nodeos is started next, or that is tried, in seconds since 1970."
            one("next_start_timestamp_seconds", "gauge", text, next_start)
        one("occupied", "gauge", "1 while somebody else lives in the data directory.", state == OCCUPIED)
        one("stopping", "gauge", "1 while nodeos closes its database.", state == STOPPING)
        states = [({"state": name}, float(name == state)) for name in STATES]
        family("state", "gauge", "1 for the state that the node is in.", states)
        one("restores_total", "counter", "Restores of the database since the volume was made.", facts.restores_total)
        one("snapshots", "gauge", "Snapshots that are kept.", len(snapshots))
        if snapshots:
            text = "When the newest snapshot was made, in seconds since 1970."
            one("snapshot_timestamp_seconds", "gauge", text, snapshots[0].made)
            one("snapshot_size_bytes", "gauge", "Size of the newest snapshot.", snapshots[0].size)
            one("snapshot_head_block_number", "gauge", "Head of the newest snapshot.", snapshots[0].head_block_num)
        text = "Snapshots that could not be taken since the entrypoint began."
        one("snapshot_failures_total", "counter", text, self.snapshot_failures)
        one("outside_peers", "gauge", "Outside peers that are this node's share.", len(self.outside_peers))
        return "\n".join([*lines, ""])

    def _snapshots(self) -> Sequence[Any]:
        try:
            return self._kept.all()
        except OSError:
            return ()


def _utc(seconds: float) -> str | None:
    if not seconds:
        return None
    return datetime.fromtimestamp(seconds, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def _labels(labels: Mapping[str, str]) -> str:
    if not labels:
        return ""
    escaped = {
        name: value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") for name, value in labels.items()
    }
    return "{" + ",".join(f'{name}="{value}"' for name, value in escaped.items()) + "}"
