"""The life of a node: one step after the other, until nodeos is over or we are to stop."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from compose.nodeos import life
from compose.nodeos.asking import NoAnswer, Node
from compose.nodeos.beginning import Attempt, Beginning
from compose.nodeos.config import Config, ConfigError
from compose.nodeos.locks import Occupied, VolumeLock, check_database
from compose.nodeos.parts import Parts
from compose.nodeos.peers.tending import Peers
from compose.nodeos.process import NO_PROGRAM, TERMINATED, Exit, Nodeos
from compose.nodeos.restoring import Restoring
from compose.nodeos.snapshots.taken import Taking
from compose.nodeos.status import BACKING_OFF, OCCUPIED, RUNNING, STOPPING
from compose.nodeos.stopping import Stopped

PROGRAM = "nodeos"
FAILED = 1

_LONGEST_ID = 64


class Supervisor:
    """One node, from the start of the container to its end."""

    def __init__(self, parts: Parts, config: Config) -> None:
        self._settings, self._log, self._record, self._kept, self._status, self._evidence, self._stopping = parts
        self._config = config
        self._pace = self._settings.pace
        self._node = Node(config.http_port(), self._pace.ask)
        self._peers = Peers(self._settings, self._node, self._status, self._log)
        self._taking = Taking(self._settings, self._node, self._kept, self._status, self._log)
        self._restoring = Restoring(parts)
        self._beginning = Beginning(parts, self._restoring)
        self._volume = VolumeLock(self._settings.data)
        self._nodeos = Nodeos(self._log)
        self._began = 0.0
        self._up = False
        self._remembers = False
        self._finished = threading.Event()

    def stop(self) -> bool:
        """End nodeos, giving it the time to close its database; tell whether `run` will return.

        Called by the thread that waits for signals. Where something else is in progress, a transfer say, that may go on
        for longer than anybody waits; all that is done to the volume can be cut off at any moment.
        """
        began = time.monotonic()
        if self._remembers:
            self._record.well()  # whoever asks has changed something, or will
        self._status.now(STOPPING, "asked to stop")
        self._stopping.asked.set()
        if not self._nodeos.terminate():
            return self._finished.wait(self._pace.hurry)
        within = self._settings.stop_within
        self._log.say(f"asked to stop: nodeos has {within:g} s to close its database")
        if not self._nodeos.over.wait(within):
            self._log.say(f"nodeos has not closed its database within {within:g} s, and is killed: it is dirty now")
            self._nodeos.kill()
            self._nodeos.over.wait()
        self._log.say(f"nodeos ended {time.monotonic() - began:.1f} s after it was asked to")
        self._finished.wait()
        return True

    def run(self) -> int:
        """Live; return the exit code."""
        try:
            return self._live()
        except Stopped:
            return 0
        except OSError as error:
            self._log.say(f"cannot go on: {error}")
            return FAILED
        finally:
            self._finished.set()

    def _live(self) -> int:
        self._settings.data.mkdir(parents=True, exist_ok=True)
        self._until_alone(self._volume.take)
        self._record.load()
        self._remembers = True
        self._back_off()
        while True:
            code = self._tried()
            if code is None:
                continue
            if self._record.lasting or self._stopping.asked.is_set():
                return code
            # The next life would know nothing of this end, and its pauses would never grow: it is lived here.
            self._back_off()

    def _tried(self) -> int | None:
        """Run nodeos once; return the exit code that its end leads to, None where it is for us to start it anew.

        Raises Stopped.
        """
        try:
            self._until_alone(lambda: check_database(self._settings.nodeos_data))
            self._tidy()
            attempt = self._beginning.prepared()
            return self._judged(self._run_once(attempt), attempt)
        except Stopped:
            raise
        except Occupied as occupied:
            self._log.say(f"{occupied}: nothing was touched")
            return None
        except (OSError, ConfigError) as error:
            reason = str(error)
        except Exception as error:  # noqa: BLE001 - whatever it was: what is not noted is met again without a pause
            reason = f"{type(error).__name__}: {error}"
        self._log.say(f"cannot go on: {reason}")
        self._record.ended(str(FAILED), reason, time.time(), crash=True)
        return FAILED

    def _until_alone(self, check: Callable[[], None]) -> None:
        """Wait until nobody else lives in the data directory. Raises Stopped and OSError."""
        tries = 0
        while occupied := self._occupied(check):
            tries += 1
            if tries == 1:
                self._log.say(f"{occupied}: nothing is touched, and looked at again until it is gone")
            until = time.time() + life.pause(tries, self._pace)
            self._status.now(OCCUPIED, occupied, until)
            self._stopping.pause_until(until)

    @staticmethod
    def _occupied(check: Callable[[], None]) -> str:
        """Return who else lives there, "" for nobody. Raises OSError."""
        try:
            check()
        except Occupied as occupied:
            return str(occupied)
        return ""

    def _back_off(self) -> None:
        """Pause after crashes in a row, longer after each. Raises Stopped."""
        facts = self._record.facts
        pause = life.pause(facts.crashes, self._pace)
        if pause:
            reason = f"{facts.crashes} crashes in a row; the last one: {facts.last_exit.get('reason', '')}"
            self._log.say(f"starting nodeos in {pause:.3g} s, after {reason}")
            until = time.time() + pause
            self._status.now(BACKING_OFF, reason, until)
            self._stopping.pause_until(until)

    def _tidy(self) -> None:
        """Clean the volume while nodeos doesn't run. Raises OSError."""
        self._settings.nodeos_data.mkdir(mode=0o700, parents=True, exist_ok=True)
        restoring = self._record.facts.restoring
        self._evidence.tidy(replaying=restoring is not None and restoring.replaying)
        self._kept.open(self._beginning.chain_id)
        if self._settings.role == "snapshots":
            self._taking.tidy(self._beginning.chain_id)

    def _run_once(self, attempt: Attempt) -> Exit:
        """Run nodeos to its end. Raises Stopped and ConfigError."""
        peers = [f"p2p-peer-address = {peer}" for peer in self._peers.at_start()]
        self._config.write([*peers, f"agent-name = {self._settings.node}"])
        folders = [f"--data-dir={self._settings.nodeos_data}", f"--config-dir={self._config.folder}"]
        self._status.started_from = attempt.snapshot.name if attempt.snapshot else attempt.how
        self._record.started()
        self._began = time.time()
        self._up = False
        try:
            started = self._nodeos.start([PROGRAM, *folders, *attempt.arguments])
        except OSError as error:
            return Exit(NO_PROGRAM, (f"{PROGRAM} cannot be started: {error.strerror}",), 0.0)
        if not started:
            self._record.ended("0", "asked to stop before it began", self._began, crash=False)
            raise Stopped
        self._status.now(RUNNING, "nodeos has not answered yet")
        self._beside(self._tend, self._nodeos.over)
        return self._nodeos.wait()

    def _beside(self, task: Callable[[threading.Event], None], over: threading.Event) -> None:
        """Begin a task in a thread of its own, without which nodeos goes on should it fail as nobody thought of."""

        def told() -> None:
            try:
                task(over)
            except Exception as error:  # noqa: BLE001 - it is told, and the node matters more
                self._log.say(f"{task.__qualname__} ended: {type(error).__name__}: {error}")

        try:
            threading.Thread(target=told, daemon=True).start()
        except RuntimeError as error:  # no thread is to be had
            self._log.say(f"{task.__qualname__} cannot begin: {error}")

    def _tend(self, over: threading.Event) -> None:
        """Note that nodeos has come up, and later that it has run for so long that it is settled."""
        began = time.monotonic()
        while not over.wait(self._pace.first_answer_every):
            try:
                told = self._node.info().get("chain_id")
            except NoAnswer:
                continue
            break
        else:
            return
        self._up = True
        self._record.answered(told if isinstance(told, str) and len(told) <= _LONGEST_ID else "")
        self._status.now(RUNNING)
        self._log.say(f"nodeos answers, {time.monotonic() - began:.1f} s after its start")
        self._beside(self._peers.tend, over)
        if self._settings.role == "snapshots":
            self._beside(self._taking.tend, over)
        if not over.wait(max(0.0, began + self._pace.settled - time.monotonic())):
            self._record.well()

    def _judged(self, end: Exit, attempt: Attempt) -> int | None:
        """Return the exit code that an end of nodeos leads to; None where it is for us to start it anew.

        Raises Stopped, Occupied and OSError.
        """
        asked = self._stopping.asked.is_set()
        restorable = end.unusable and attempt.how == life.AS_IT_IS
        reason = f"{end.reason} (a snapshot was being written)" if self._status.snapshot_in_progress else end.reason
        self._record.ended(str(end.code), reason, self._began, crash=not asked and not restorable)
        if asked:
            return 0 if end.code == TERMINATED else end.code  # it may not yet have been listening for the signal
        self._log.say(f"nodeos ended, and nobody asked it to: {reason}")
        if end.unusable:
            check_database(self._settings.nodeos_data)
        if restorable:
            self._restoring.begin(end)
            return None
        tried = attempt.how in {life.SNAPSHOT, life.REPLAY} and not self._up
        if tried and self._restoring.given_up(end, attempt.snapshot):
            return None
        return end.code or FAILED
