"""Files that are there whole or not at all, whenever the power goes."""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from pathlib import Path

RESERVE = 64 * 1024 * 1024
"""Bytes that are left free whatever we write."""


def write_whole(path: Path, content: bytes) -> None:
    """Write a file so that at every moment there is the old one or the whole new one. Raises OSError."""
    part = path.with_name(f".{path.name}.part")
    with part.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    move(part, path)


def move(old: Path, new: Path) -> None:
    """Rename, for good. Raises OSError."""
    old.replace(new)
    for folder in {old.parent, new.parent}:
        sync(folder)


def sync(folder: Path) -> None:
    """Make sure that a change of names lasts. Raises OSError."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def read_bounded(path: Path, largest: int) -> bytes:
    """Return what a file holds. Raises OSError, also if it holds more."""
    with path.open("rb") as file:
        content = file.read(largest + 1)
    if len(content) > largest:
        raise OSError(f"{path.name} is larger than {largest} bytes")
    return content


def free(folder: Path) -> int:
    """Return how many bytes are free where a folder lies. Raises OSError."""
    there = os.statvfs(folder)
    return there.f_bavail * there.f_frsize


def used(folder: Path) -> int:
    """Return how many bytes a folder's files really take: a database is mostly holes."""
    total = 0
    for place, _, names in os.walk(folder):
        for name in names:
            with suppress(FileNotFoundError):  # gone meanwhile
                total += os.lstat(Path(place) / name).st_blocks * 512
    return total


def remove(path: Path) -> None:
    """Remove a file or a folder with all that it holds, if it is there. Raises OSError."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
