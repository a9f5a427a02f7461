"""Takes a snapshot of our nodeos every so often, one at a time, and never of a chain that stands still."""

from __future__ import annotations

import re
import threading
import time
from pathlib import Path
from typing import Any

from compose.nodeos import disk
from compose.nodeos.asking import NoAnswer, Node
from compose.nodeos.saying import Log, Once
from compose.nodeos.settings import Settings
from compose.nodeos.snapshots.kept import Kept
from compose.nodeos.status import Status

_WHOLE = re.compile(r"snapshot-[0-9a-f]{64}\.bin")
"""The names that nodeos gives to snapshots that it has finished; one in progress has another."""

_GROWTH = 1.25
"""How many times as large as the last one the next may be."""


class Taking:
    """One nodeos's snapshots, from when it has come up until it is over."""

    def __init__(self, settings: Settings, node: Node, kept: Kept, status: Status, log: Log) -> None:
        self._settings = settings
        self._node = node
        self._kept = kept
        self._status = status
        self._log = log
        self._remarks = Once(log, "snapshot")
        self._written = settings.nodeos_data / "snapshots"

    def tidy(self, chain_id: str) -> None:
        """Take in what nodeos has finished, and remove what it has not, while it doesn't run. Raises OSError."""
        self._written.mkdir(parents=True, exist_ok=True)
        self._take_in(chain_id)
        for path in self._written.iterdir():
            if path.suffix != ".json":  # its schedule
                disk.remove(path)

    def tend(self, over: threading.Event) -> None:
        """Take snapshots until nodeos is over."""
        due = self._first_due()
        while not over.wait(max(0.0, due - time.time())):
            began = time.time()
            try:
                self._take(over)
            except (NoAnswer, OSError) as error:
                if over.is_set():
                    return
                self._status.snapshot_failures += 1
                self._remarks.failed(f"none taken: {error}; the older ones stay")
            else:
                self._remarks.worked()
            finally:
                self._status.snapshot_in_progress = False
            due = max(began + self._settings.snapshot_every, time.time() + self._settings.pace.head)

    def _first_due(self) -> float:
        """Return when the first one is due: an interval after the newest that is there."""
        kept = self._kept.all()
        # A clock that was ahead must not put it off for longer.
        return min(kept[0].made, time.time()) + self._settings.snapshot_every if kept else 0.0

    def _take(self, over: threading.Event) -> None:
        """Take one. Raises NoAnswer and OSError, which say why there is none."""
        before = self._node.info()
        if over.wait(self._settings.pace.head):
            return
        now = self._node.info()
        head = now.get("head_block_num")
        if head == before.get("head_block_num"):
            raise NoAnswer(f"the head stands still at block {head}: nodeos would never answer")
        self._check_room()
        self._status.snapshot_in_progress = True
        answer = self._node.ask("/v1/producer/create_snapshot", timeout=self._settings.pace.snapshot_answer)
        chain_id = now.get("chain_id")
        self._take_in(chain_id if isinstance(chain_id, str) else "", answer if isinstance(answer, dict) else {})
        self._kept.prune()

    def _take_in(self, chain_id: str, answer: dict[str, Any] | None = None) -> None:
        """Move what nodeos has finished to where snapshots are kept. Raises OSError."""
        answer = answer or {}
        named = Path(str(answer.get("snapshot_name", ""))).name
        for path in self._written.iterdir():
            if _WHOLE.fullmatch(path.name):
                known = {"made": round(time.time(), 3)} if path.name == named else {}
                if path.name == named and isinstance(answer.get("head_block_time"), str):
                    known["head_block_time"] = answer["head_block_time"]
                taken = self._kept.adopt(path, chain_id, **known)
                if taken:
                    self._log.say(f"snapshot of block {taken.head_block_num}: {taken.name}, {taken.size} bytes")

    def _check_room(self) -> None:
        """Make sure that one more has room. Raises OSError."""
        kept = self._kept.all()
        needed = int(kept[0].size * _GROWTH) if kept else 0
        free = disk.free(self._kept.folder)
        if free < needed + disk.RESERVE:
            raise OSError(f"the disk is full, {free >> 20} MiB are left")
