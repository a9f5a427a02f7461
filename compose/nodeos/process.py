"""nodeos as a process: started, waited for, asked to end. Whatever else becomes our child, as PID 1's do, is reaped."""

from __future__ import annotations

import errno
import fcntl
import os
import re
import signal
import threading
import time
from collections.abc import Sequence
from typing import NamedTuple

from compose.nodeos.saying import Log, Tail

DIRTY = 2
"""nodeos's exit code for a dirty database, and also where another one has it open."""
REFUSED = 254
"""nodeos's exit code for a wrong option, a bad snapshot, and most of what it cannot begin with."""
NO_PROGRAM = 127
KILLED = 128 + signal.SIGKILL
TERMINATED = 128 + signal.SIGTERM

_PIPE_BYTES = 1024 * 1024
_F_SETPIPE_SZ = 1031
_ERROR = re.compile(r"error\s")
_LONGEST_REASON = 400
_STAMP = re.compile(r"^(?:error|warn|info|debug)\s+\S+\s+\S+\s+\S+\s+\S+\s+\]\s*")


class Exit(NamedTuple):
    """How nodeos ended."""

    code: int
    """The exit code as a shell has it: 128 and more for a signal."""
    lines: tuple[str, ...]
    """The last ones of its log."""
    ran: float

    @property
    def complaint(self) -> str:
        """The log from the last error on, "" where there is none: what comes before is everyday."""
        for number in range(len(self.lines) - 1, -1, -1):
            if _ERROR.match(self.lines[number]):
                return "\n".join(self.lines[number:])
        return ""

    @property
    def unusable(self) -> bool:
        """Whether nodeos won't have its database, which then has to be made anew: not closed, or not fit for it."""
        return self.code == DIRTY or (self.code == REFUSED and "replay required" in self.complaint.lower())

    @property
    def reason(self) -> str:
        """What nodeos said of it, in short."""
        errors = [line for line in self.lines if _ERROR.match(line)]
        told = " | ".join(_STAMP.sub("", line) for line in (errors or self.lines)[-3:])
        what = _signal_name(self.code - 128) or f"exit code {self.code}"
        return f"{what}: {told}"[:_LONGEST_REASON] if told else what


def _signal_name(number: int) -> str:
    try:
        return f"signal {signal.Signals(number).name}"
    except ValueError:
        return ""


class Nodeos:
    """nodeos, of which one runs at a time."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self._lock = threading.Lock()
        self._pid = 0
        self._wanted = True
        self.over = threading.Event()
        """Set once the one that was started last is over; each has its own."""
        self.over.set()
        self._began = 0.0
        self._tail = Tail(log)
        self._reader = threading.Thread()

    def start(self, argv: Sequence[str]) -> bool:
        """Start it, unless we were asked to stop meanwhile; tell whether it runs. Raises OSError."""
        reading, writing = os.pipe()
        try:
            _widen(reading)
            with self._lock:
                if not self._wanted:
                    os.close(reading)
                    return False
                actions = [
                    (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
                    (os.POSIX_SPAWN_DUP2, writing, 1),
                    (os.POSIX_SPAWN_DUP2, writing, 2),
                ]
                # A process group of its own: a terminal's Ctrl-C reaches us, and we pass it on, once.
                self._pid = os.posix_spawnp(
                    argv[0],
                    list(argv),
                    os.environ,
                    file_actions=actions,
                    setpgroup=0,
                    setsigmask=(),
                    setsigdef=(signal.SIGPIPE, signal.SIGXFSZ),
                )
                self.over = threading.Event()
        except OSError:
            os.close(reading)
            raise
        finally:
            os.close(writing)
        self._began = time.monotonic()
        self._tail = Tail(self._log)
        self._reader = threading.Thread(target=self._read, args=(self._tail, reading), name="nodeos-log", daemon=True)
        self._reader.start()
        return True

    def wait(self) -> Exit:
        """Wait until nodeos is over, and reap all others that end meanwhile."""
        while True:
            found = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOWAIT)
            assert found is not None  # it is None only where WNOHANG is given
            with self._lock:
                _, status = os.waitpid(found.si_pid, 0)
                if found.si_pid != self._pid:
                    continue
                self._pid = 0
                self.over.set()
            break
        ran = time.monotonic() - self._began
        self._reader.join(timeout=1.0)  # a process that it left behind may hold the pipe
        code = os.waitstatus_to_exitcode(status)
        return Exit(128 - code if code < 0 else code, tuple(self._tail.lines()), ran)

    def terminate(self) -> bool:
        """Ask it to end, and start none any more; tell whether one runs."""
        with self._lock:
            self._wanted = False
            if self._pid:
                os.kill(self._pid, signal.SIGTERM)
            return bool(self._pid)

    def kill(self) -> None:
        """End it at once, which leaves its database dirty."""
        with self._lock:
            if self._pid:
                os.kill(self._pid, signal.SIGKILL)

    @staticmethod
    def _read(tail: Tail, pipe: int) -> None:
        try:
            tail.read(pipe)
        finally:
            os.close(pipe)


def reap() -> None:
    """Reap whatever has ended, at a time when no nodeos runs."""
    while True:
        try:
            found, _ = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if not found:
            return


def _widen(pipe: int) -> None:
    try:
        fcntl.fcntl(pipe, _F_SETPIPE_SZ, _PIPE_BYTES)
    except OSError as error:
        if error.errno not in {errno.EPERM, errno.EBUSY, errno.EINVAL}:
            raise
