"""`state/shared_memory.bin`: its header with the dirty flag, and the lock on it, as chainbase has them.

The content behind the header is our own. The file has the full size of the database, sparse: it costs a few KiB.
"""

from __future__ import annotations

import fcntl
import json
import os
import struct
from pathlib import Path
from typing import Any

from .ending import DIRTY, EndError

NAME = "shared_memory.bin"
HEADER = struct.Struct("<8sB")
MAGIC = b"EOSIODB0"
CONTENT = 1024
"""Where the content begins, behind the header."""

LENGTH = struct.Struct("<I")
ROOM = 64 * 1024
"""Bytes that are written when the file is made, so that closing it does not need more of the disk."""

DIRTY_NAME = "13 N5boost10wrapexceptISt12system_errorEE: Database dirty flag set"
BAD_DATABASE = "3060000 database_exception: Database exception"


class Database:
    """An open database: dirty and locked until it is closed with what it is to hold."""

    def __init__(self, directory: Path, size: int) -> None:
        """Open the database, or make one of `size` bytes; `content` is None where it is new."""
        directory.mkdir(parents=True, exist_ok=True)
        path = directory / NAME
        self.content = content(directory)
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            # As boost's file_lock: for the whole file, given up when the process ends, however it ends.
            fcntl.lockf(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(self._file)
            raise EndError("could not gain write access to the shared memory file", name=BAD_DATABASE) from None
        if self.content is None:
            os.pwrite(self._file, bytes(ROOM), 0)
            os.ftruncate(self._file, max(size, ROOM))
        os.pwrite(self._file, HEADER.pack(MAGIC, 1), 0)

    def close(self, document: dict[str, Any]) -> None:
        """Write what it holds, and last of all take the dirty flag away."""
        text = json.dumps(document).encode()
        os.pwrite(self._file, LENGTH.pack(len(text)) + text, CONTENT)
        os.pwrite(self._file, HEADER.pack(MAGIC, 0), 0)
        os.close(self._file)


def content(directory: Path) -> dict[str, Any] | None:
    """Return what a database holds that was closed; None where there is none.

    A dirty one ends the process with 2: also where another process is at work on it, which is not told apart.
    """
    try:
        with (directory / NAME).open("rb") as file:
            raw = file.read(ROOM)
    except FileNotFoundError:
        return None
    if len(raw) < CONTENT + LENGTH.size or raw[: len(MAGIC)] != MAGIC:
        raise EndError(f'"{directory / NAME}" is not a state database', name=BAD_DATABASE)
    if raw[len(MAGIC)]:
        raise EndError("Database dirty flag set", DIRTY, DIRTY_NAME)
    (length,) = LENGTH.unpack_from(raw, CONTENT)
    try:
        document = json.loads(raw[CONTENT + LENGTH.size :][:length])
    except ValueError:
        document = None
    if not isinstance(document, dict):
        raise EndError(f'"{directory / NAME}" is not a state database', name=BAD_DATABASE)
    return document
