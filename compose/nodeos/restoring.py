"""What is done when nodeos won't have its database, or dies of what it is restored from."""

from __future__ import annotations

import time

from compose.nodeos import life
from compose.nodeos.evidence import has_blocks, now_as_name
from compose.nodeos.parts import Parts
from compose.nodeos.process import Exit
from compose.nodeos.record import RESTORES_PER_WINDOW
from compose.nodeos.record import Restoring as Noted
from compose.nodeos.snapshots.kept import Snapshot
from compose.nodeos.status import BACKING_OFF, RESTORING


class Restoring:
    """Clears the way for a restore. All of it only where nobody else lives: what else raises Occupied."""

    def __init__(self, parts: Parts) -> None:
        self._settings, self._log, self._record, self._kept, self._status, self._evidence, self._stopping = parts

    def begin(self, end: Exit) -> None:
        """Put the database out of the way, later if that was done too often lately.

        Raises Stopped, Occupied and OSError. What is noted is noted after the deed: a database that could not be put
        away is not half.
        """
        until = self._record.restore_allowed_at(self._settings.pace.restore_window)
        if until > time.time():
            reason = (
                f"the database was restored {RESTORES_PER_WINDOW} times lately, and is unusable again: {end.reason}"
            )
            self._log.say(reason)
            self._status.now(BACKING_OFF, reason, until)
            self._stopping.pause_until(until)
        self._status.now(RESTORING, end.reason)
        name = self._evidence.keep(end.lines, end.reason)
        self._record.restore_begins(name)
        self._log.say(f"the database is unusable ({end.reason}); what there is of it is in evidence/{name}")

    def given_up(self, end: Exit, snapshot: Snapshot | None) -> bool:
        """Tell whether nodeos ended for the snapshot, or else the replay, that it was started with.

        That is not tried again: the next start is from something else. Raises Occupied and OSError.
        """
        if not life.blamed(end, self._record.died_of(snapshot.sha256 if snapshot else life.REPLAY)):
            return False
        if snapshot is None:
            self._log.say("the blocks can't be replayed")
            self._record.restoring(replay_failed=True)
        elif self._settings.role != "producer" and has_blocks(self._settings.nodeos_data):
            # Perhaps it is only that the blocks don't reach to the snapshot.
            self._evidence.clear_half()
            self.set_blocks_aside()
        else:
            self._log.say(f"{snapshot.name} is bad: nodeos won't start from it")
            self._record.bad(snapshot.sha256)
            if self._settings.role != "producer":  # whose blocks may be what is bad: a person will look
                self._kept.remove(snapshot)
        return True

    def set_blocks_aside(self) -> None:
        """Move the blocks out of nodeos's way. Raises Occupied and OSError."""
        name = self._noted().evidence or now_as_name()
        self._log.say(f"the blocks are set aside, in evidence/{name}")
        self._record.restoring(evidence=name)
        self._evidence.set_blocks_aside(name)

    def put_blocks_back(self) -> None:
        """Undo `set_blocks_aside`, if it was done. Raises Occupied and OSError."""
        if name := self._noted().evidence:
            self._evidence.put_blocks_back(name)

    def _noted(self) -> Noted:
        return self._record.facts.restoring or Noted()
