"""Who lives in a data directory. Nothing there is ever cleared unless the answer is: we alone.

Two locks are looked at. Ours, on the volume, is held for life and handed on to nodeos, so that it outlasts us should we
be killed and nodeos live on. nodeos's own is the one that its database (chainbase) takes on `state/shared_memory.bin`:
it tells of a nodeos that somebody started without us. A second nodeos on a live data directory ends with the same
exit code as one that finds its database dirty: only the locks tell which it was.
"""

from __future__ import annotations

import errno
import fcntl
import os
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_FLOCK = struct.Struct("hhqqi4x")
"""`struct flock` of 64-bit Linux: type, whence, start, length, process."""


class Occupied(Exception):  # noqa: N818 - it is a finding
    """Somebody else lives there. The message says who, as far as that can be told."""


class VolumeLock:
    """The lock on the volume: one entrypoint at a time, with its nodeos."""

    def __init__(self, data: Path) -> None:
        self._path = data / ".lock"
        self._handle = -1

    @property
    def held(self) -> bool:
        """Whether it is ours."""
        return self._handle >= 0

    def take(self) -> None:
        """Take it, until the process and the nodeos that it starts are over. Raises Occupied and OSError."""
        handle = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(handle)
            raise Occupied(
                f"another entrypoint, or a nodeos that one left behind, lives in {self._path.parent}"
            ) from None
        except OSError:
            os.close(handle)
            raise
        os.set_inheritable(handle, True)
        self._handle = handle


def database(nodeos_data: Path) -> Path:
    """Return the file on which nodeos holds its lock."""
    return nodeos_data / "state" / "shared_memory.bin"


def check_database(nodeos_data: Path) -> None:
    """Make sure, without touching anything, that no nodeos has the database open. Raises Occupied and OSError."""
    path = database(nodeos_data)
    try:
        handle = os.open(path, os.O_RDWR)
    except FileNotFoundError:
        return
    try:
        answer = fcntl.fcntl(handle, fcntl.F_GETLK, _FLOCK.pack(fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0))
    finally:
        os.close(handle)
    kind, _, _, _, process = _FLOCK.unpack(answer)
    if kind != fcntl.F_UNLCK:
        who = f"process {process}" if process > 0 else "a process of another container"
        raise Occupied(f"a nodeos that is not ours ({who}) has {path} open")


@contextmanager
def database_held(nodeos_data: Path) -> Iterator[None]:
    """Hold nodeos's own lock, if there is a database, so that none can open it. Raises Occupied and OSError."""
    path = database(nodeos_data)
    try:
        handle = os.open(path, os.O_RDWR)
    except FileNotFoundError:
        yield
        return
    try:
        try:
            fcntl.lockf(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno in {errno.EACCES, errno.EAGAIN}:
                raise Occupied(f"a nodeos that is not ours has {path} open") from None
            raise
        yield
    finally:
        os.close(handle)
