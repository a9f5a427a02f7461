"""Files that others read at any moment: they see what one said before or what it says now, and nothing between."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

LARGEST = 64 * 2**20
"""Bytes of a file that are looked at: one that is longer is none of ours."""

FOR_EVERYBODY, FOR_US_ALONE = 0o644, 0o600


def content_of(path: Path) -> bytes | None:
    """Return what a file says, None if there is none that can be read."""
    try:
        with open(path, "rb", opener=_unwaiting) as file:
            return file.read(LARGEST)
    except OSError:
        return None


def replace(path: Path, content: bytes, mode: int = FOR_EVERYBODY) -> None:
    """Let a file say something else, at once and for good. Raises OSError; it then says what it said before.

    What is half written lies beside it under a name that nobody reads, `.NAME.new`.
    """
    new = path.with_name(f".{path.name}.new")
    with suppress(FileNotFoundError):
        new.unlink()  # of a process that ended while it wrote
    try:
        descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
        with open(descriptor, "wb") as file:  # noqa: PTH123 - a descriptor
            os.fchmod(descriptor, mode)  # whatever the umask
            file.write(content)
            file.flush()
            os.fsync(descriptor)
        new.replace(path)
    except OSError:
        with suppress(OSError):
            new.unlink()
        raise
    _sync(path.parent)


def _sync(folder: Path) -> None:
    """Let the new name outlive a crash. It is in place without that: some file systems can't do it."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _unwaiting(path: str, flags: int) -> int:
    """Open a file, and wait for nobody should it be a pipe."""
    return os.open(path, flags | os.O_NONBLOCK)
