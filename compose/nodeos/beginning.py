"""Before each start of nodeos: what it is to begin from, and the volume made ready for that."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from compose.nodeos import life
from compose.nodeos.evidence import has_blocks
from compose.nodeos.finding import Finding
from compose.nodeos.locks import database
from compose.nodeos.parts import Parts
from compose.nodeos.restoring import Restoring
from compose.nodeos.snapshots.kept import Snapshot
from compose.nodeos.status import RESTORING, STARTING, WAITING


class Attempt(NamedTuple):
    """A start of nodeos."""

    how: str
    """One of those in `life`."""
    arguments: Sequence[str]
    """What its command line says of it."""
    snapshot: Snapshot | None


class Beginning:
    """Prepares the starts of one life of the container."""

    def __init__(self, parts: Parts, restoring: Restoring) -> None:
        self._settings, self._log, self._record, _, self._status, self._evidence, self._stopping = parts
        self._finding = Finding(parts)
        self._restoring = restoring

    @property
    def chain_id(self) -> str:
        """The id of our chain, "" as long as it isn't known."""
        return self._finding.chain_id

    def prepared(self) -> Attempt:
        """Make the volume ready for a start. Raises Stopped, Occupied and OSError."""
        while True:
            self._status.now(STARTING)
            start, snapshot, path = self._decided()
            if start.how != life.NOTHING:
                break
            self._log.say(start.why)
            until = time.time() + self._settings.pace.longest_pause
            self._status.now(WAITING, start.why, until)
            self._stopping.pause_until(until)
        if start.how != life.AS_IT_IS and self._record.facts.restoring:
            self._status.now(RESTORING, f"from {start.how}")
            self._evidence.clear_half()
        return Attempt(start.how, self._arguments(start.how, path), snapshot)

    def _decided(self) -> tuple[life.Start, Snapshot | None, Path | None]:
        """Decide what to start from. Raises Stopped and OSError."""
        restoring = self._record.facts.restoring
        found = life.Found(
            state=restoring is None and database(self._settings.nodeos_data).exists(),
            blocks=has_blocks(self._settings.nodeos_data)
            or (restoring is not None and self._evidence.has_blocks(restoring.evidence)),
            snapshot=False,
            replay_failed=restoring is not None and restoring.replay_failed,
            genesis=self._settings.genesis.exists(),
            begun=False,
        )
        if not found.state:
            offers = self._finding.offers()
            found = found._replace(begun=bool(offers or self._finding.own()))
            # Only now, since a producer that has its blocks needs none, and one that has not may not use it.
            if life.start(self._settings.role, found._replace(snapshot=True)).how == life.SNAPSHOT:
                newest = self._finding.newest_good(offers)
                if newest:
                    return life.Start(life.SNAPSHOT), *newest
        return life.start(self._settings.role, found), None, None

    def _arguments(self, how: str, snapshot: Path | None) -> list[str]:
        """Return what nodeos is told to begin from. Raises Occupied and OSError.

        The genesis is named only where there is nothing else: old versions refuse it beside a database, and all of
        them beside a snapshot.
        """
        if how == life.SNAPSHOT:
            self._record.restoring()
            self._log.say(f"starting from the snapshot {snapshot}")
            return [f"--snapshot={snapshot}"]
        if how == life.REPLAY:
            self._restoring.put_blocks_back()
            self._record.restoring(replaying=True)
            if not self._record.lasting:  # should this be cut off, the note tells where the whole blocks are
                raise OSError("no replay of the blocks is begun without a note of it")
            self._log.say("starting with a replay of all blocks")
            return ["--hard-replay-blockchain"]
        if how == life.GENESIS:
            if has_blocks(self._settings.nodeos_data):
                self._restoring.set_blocks_aside()
            self._log.say("starting from the genesis")
            return [f"--genesis-json={self._settings.genesis}"]
        return []
