"""A directory of files that are secret: written whole or not at all, and for its owner alone."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from compose.identities.errors import Unusable, failed

FOLDER_MODE = 0o700
FILE_MODE = 0o600

LONGEST_FILE = 16 * 1024 * 1024
"""Bytes beyond which a file is none of these; a genesis with many accounts is the largest."""

PART = ".part"
"""A file that is being written, in the folder of the file that it becomes. geth overlooks names that begin so."""

_PATIENCE = 120.0
"""Seconds to wait for somebody else who works on the directory: a hundred accounts take half a minute."""


def write_whole(path: Path, content: bytes, mode: int, owner: tuple[int, int] | None) -> None:
    """Write a file so that at every moment there is the old one or the whole new one, power cuts included.

    `owner` is the user's and the group's number, None for whoever runs this. Raises Unusable.
    """
    part = path.with_name(PART)
    try:
        part.unlink(missing_ok=True)  # of a run that was cut off
        handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            if owner:
                os.fchown(handle, *owner)
            os.fchmod(handle, mode)
            os.fsync(handle)
        part.replace(path)
        _sync(path.parent)
    except OSError as error:
        raise failed(path, "cannot be written", error) from error


class Store:
    """The directory. Paths are relative to it: `sealer-1/nodekey`."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    @contextmanager
    def locked(self, patience: float = _PATIENCE) -> Iterator[None]:
        """Make the directory if need be, and be the only one that writes to it. Raises Unusable.

        The lock is on the directory itself, and gone with the process that holds it.
        """
        self._make_folder(self.directory, parents=True)
        try:
            handle = os.open(self.directory, os.O_RDONLY | os.O_DIRECTORY)
        except OSError as error:
            raise failed(self.directory, "cannot be read", error) from error
        try:
            self._lock(handle, time.monotonic() + patience)
            yield
        finally:
            os.close(handle)

    def text(self, path: str) -> str | None:
        """Return what a file holds, None if there is none. Raises Unusable."""
        try:
            with (self.directory / path).open("rb") as file:
                content = file.read(LONGEST_FILE + 1)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise failed(self.directory / path, "cannot be read", error) from error
        if len(content) > LONGEST_FILE:
            raise Unusable(f"{self.directory / path}: is far too large for what it should be")
        try:
            return content.decode()
        except UnicodeDecodeError:
            raise Unusable(f"{self.directory / path}: is no text") from None

    def line(self, path: str) -> str | None:
        """Return the text of a file that holds one line, None if there is none or it is empty. Raises Unusable."""
        return (self.text(path) or "").strip("\r\n") or None

    def names(self, path: str) -> list[str]:
        """Return the names in a folder in order, less hidden ones and editors' copies. Raises Unusable."""
        try:
            found = sorted(entry.name for entry in (self.directory / path).iterdir())
        except FileNotFoundError:
            return []
        except OSError as error:
            raise failed(self.directory / path, "cannot be read", error) from error
        return [name for name in found if not name.startswith(".") and not name.endswith("~")]

    def write(self, path: str, text: str) -> None:
        """Write a file, and the folders that lead to it. Raises Unusable."""
        target = self.directory / path
        for folder in reversed(target.relative_to(self.directory).parents):
            self._make_folder(self.directory / folder)
        write_whole(target, text.encode(), FILE_MODE, self._owner())

    def _make_folder(self, folder: Path, *, parents: bool = False) -> None:
        try:
            if not folder.is_dir():
                folder.mkdir(mode=FOLDER_MODE, parents=parents)
                _sync(folder.parent)
            there = folder.stat()
            # Docker makes what it is to mount and doesn't find, as root's own.
            if (owner := self._owner()) and (there.st_uid, there.st_gid) != owner:
                os.chown(folder, *owner)
            if there.st_mode & 0o777 != FOLDER_MODE:
                folder.chmod(FOLDER_MODE)
        except OSError as error:
            raise failed(folder, "cannot be made a folder of one's own", error) from error

    def _owner(self) -> tuple[int, int] | None:
        """Return to whom files are given: root, in a container, works for the one whose directory it is."""
        if os.geteuid() != 0:
            return None
        found = self.directory.stat()
        return found.st_uid, found.st_gid

    def _lock(self, handle: int, deadline: float) -> None:
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise Unusable(f"{self.directory}: somebody else is at work there; try again later") from None
                time.sleep(0.05)
            except OSError as error:
                raise failed(self.directory, "cannot be locked", error) from error
            else:
                return


def _sync(folder: Path) -> None:
    """Make sure that a change of names lasts."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
