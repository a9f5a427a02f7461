"""Give other services what is theirs: a copy of a secret for its reader alone, the first version of a file."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from compose.identities.errors import Unusable, failed
from compose.identities.storing import LONGEST_FILE, write_whole

Say = Callable[[str], None]

GIVEN_MODE = 0o400
PLACED_MODE = 0o644


@dataclass(frozen=True)
class Gift:
    """A file, the number of the user that it is for, and where it goes."""

    source: Path
    uid: int
    target: Path


def gift(text: str) -> Gift:
    """Return what `SOURCE:UID:TARGET` says. Raises ValueError."""
    source, uid, target = text.split(":")
    if not source or not target.startswith("/"):
        raise ValueError(text)
    return Gift(Path(source), int(uid), Path(target))


def give(present: Gift, directory: Path, say: Say) -> None:
    """Copy a secret, whose path is relative to the directory, to where its reader alone can read it. Raises Unusable.

    A copy that is as it should be is left alone; one that isn't is replaced as a whole.
    """
    content = _content(directory / present.source)
    try:
        there = present.target.stat()
        equal = (there.st_uid, there.st_mode & 0o777) == (present.uid, GIVEN_MODE)
    except FileNotFoundError:
        equal = False
    except OSError as error:
        raise failed(present.target, "cannot be read", error) from error
    if equal and _content(present.target) == content:
        return
    _make_folder(present.target.parent)
    write_whole(present.target, content, GIVEN_MODE, _owner(present.uid))
    say(f"handed {present.source} to user {present.uid}: {present.target}")


def place(present: Gift, directory: Path, say: Say) -> None:
    """Copy a file, for all to read, to a folder that is made its user's own, unless there is one. Raises Unusable."""
    folder = present.target.parent
    _make_folder(folder)
    try:
        if folder.stat().st_uid != present.uid:
            os.chown(folder, present.uid, -1)
        if present.target.exists():
            return
    except OSError as error:
        raise failed(folder, f"cannot be made user {present.uid}'s", error) from error
    write_whole(present.target, _content(directory / present.source), PLACED_MODE, _owner(present.uid))
    say(f"placed {present.target} for user {present.uid}")


def _content(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            content = file.read(LONGEST_FILE + 1)
    except OSError as error:
        raise failed(path, "cannot be read", error) from error
    if len(content) > LONGEST_FILE:
        raise Unusable(f"{path}: is far too large for what it should be")
    return content


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise failed(folder, "cannot be made", error) from error


def _owner(uid: int) -> tuple[int, int] | None:
    return None if uid == os.geteuid() else (uid, -1)
