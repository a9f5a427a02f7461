"""The newest good snapshot, of our own or of those who offer some: fetched if need be."""

from __future__ import annotations

import time
from collections.abc import Collection
from pathlib import Path

from compose.nodeos import chain_id
from compose.nodeos.evidence import has_blocks
from compose.nodeos.parts import Parts
from compose.nodeos.saying import Once
from compose.nodeos.snapshots.fetched import NotFetched, Wrong, fetch, offered
from compose.nodeos.snapshots.kept import Snapshot
from compose.nodeos.status import FETCHING, WAITING

_ATTEMPTS = 2
"""How often a snapshot is fetched whose transfer broke off."""


class Finding:
    """Looks for snapshots, for one life of the container."""

    def __init__(self, parts: Parts) -> None:
        self._settings, self._log, self._record, self._kept, self._status, _, self._stopping = parts
        self._genesis_id = chain_id.from_genesis(self._settings.genesis)
        self._avoided: set[str] = set()

    @property
    def chain_id(self) -> str:
        """The id of our chain, "" as long as neither a genesis nor nodeos has told it."""
        return self._genesis_id or self._record.facts.chain_id

    def own(self) -> list[Snapshot]:
        """Return the snapshots of our chain that we keep, newest first. Raises OSError."""
        return [one for one in self._kept.all() if not self.chain_id or one.chain_id in {self.chain_id, ""}]

    def offers(self) -> list[Snapshot]:
        """Return what others offer, trying for a while where there is nothing of our own. Raises Stopped.

        A producer that has nothing tries until it is told: what it must not do is begin a chain that exists already.
        """
        url = self._settings.snapshots_from
        if not url:
            return []
        self._status.now(FETCHING, f"asking {url} for snapshots")
        producer = self._settings.role == "producer"
        patient = not has_blocks(self._settings.nodeos_data) and (producer or not self.own())
        deadline = time.monotonic() + self._settings.pace.patience if patient else 0.0
        remarks = Once(self._log, "no snapshots from others")
        while True:
            try:
                return offered(url, self.chain_id, self._settings.pace.stall)
            except NotFetched as failure:
                if isinstance(failure, Wrong) or time.monotonic() > deadline:
                    remarks.failed(str(failure))
                    if isinstance(failure, Wrong) or not patient or not producer:
                        return []
                    why = f"whether there is a chain already is not known before an answer from {url}: {failure}"
                    self._status.now(WAITING, why)
            self._stopping.pause_until(time.time() + self._settings.pace.retry)

    def newest_good(self, offers: Collection[Snapshot]) -> tuple[Snapshot, Path] | None:
        """Return the newest good one of our own and those offered, and where it lies. Raises Stopped and OSError."""
        own = {snapshot.sha256: snapshot for snapshot in self.own()}
        candidates = [*own.values(), *(snapshot for snapshot in offers if snapshot.sha256 not in own)]
        bad = {*self._record.facts.bad, *self._avoided}
        for snapshot in sorted(candidates, key=lambda one: (one.head_block_num, one.made), reverse=True):
            if snapshot.sha256 in bad:
                continue
            path = self._checked(snapshot) if snapshot.sha256 in own else self._fetched(snapshot)
            if path:
                return snapshot, path
        return None

    def _checked(self, snapshot: Snapshot) -> Path | None:
        """Return where one of our own lies, None if it is not what it was. Raises OSError."""
        if self._kept.intact(snapshot):
            return self._kept.folder / snapshot.name
        self._log.say(f"{snapshot.name} is not what it was, and removed")
        self._kept.remove(snapshot)
        return None

    def _fetched(self, snapshot: Snapshot) -> Path | None:
        """Return where one lies once fetched, None where it can't be had. Raises Stopped."""
        url = self._settings.snapshots_from
        for _ in range(_ATTEMPTS):
            self._log.say(f"fetching {snapshot.name}, {snapshot.size} bytes, from {url}")
            self._status.now(FETCHING, f"{snapshot.name} from {url}")
            try:
                return fetch(url, snapshot, self._kept, self._settings.pace.stall)
            except NotFetched as failure:
                self._log.say(str(failure))
                if isinstance(failure, Wrong):
                    break
            self._stopping.pause_until(time.time() + self._settings.pace.retry)
        self._avoided.add(snapshot.sha256)
        return None
