"""The folder of whole snapshots. Beside each lies what is known of it, `NAME.json`: what has none is not whole."""

from __future__ import annotations

import hashlib
import json
import re
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from compose.nodeos import disk
from compose.nodeos.saying import Log

MAGIC = (0x30510550).to_bytes(4, "little")
"""The first bytes of a binary snapshot of nodeos."""
LARGEST_NOTE = 16 * 1024

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,120}\.bin")
_BY_NODEOS = re.compile(r"snapshot-([0-9a-f]{64})\.bin")
_HASH = re.compile(r"[0-9a-f]{64}")
_TIME = re.compile(r"[0-9T:.Z-]{0,32}")
_CHUNK = 1024 * 1024


class Snapshot(NamedTuple):
    """What is known of one. The head's time is nodeos's, UTC without a zone, or "" where it isn't known."""

    name: str
    size: int
    sha256: str
    chain_id: str
    head_block_num: int
    head_block_id: str
    head_block_time: str
    made: float
    """Seconds since 1970."""


def understood(document: Any) -> Snapshot | None:  # noqa: ANN401 - JSON is anything, and may come from anyone
    """Return the snapshot that a document describes, None if it describes none."""
    if not isinstance(document, dict):
        return None
    texts = {"name": _NAME, "sha256": _HASH, "head_block_time": _TIME}
    for key, form in texts.items():
        if not isinstance(document.get(key), str) or not form.fullmatch(document[key]):
            return None
    for key in ("chain_id", "head_block_id"):
        if not isinstance(document.get(key), str) or not (document[key] == "" or _HASH.fullmatch(document[key])):
            return None
    for key in ("size", "head_block_num", "made"):
        value = document.get(key)
        if not isinstance(value, (int, float) if key == "made" else int) or not 0 <= value < 2**50:
            return None
    return Snapshot(**{key: document[key] for key in Snapshot._fields})


class Kept:
    """The folder. Safe to use from several threads."""

    def __init__(self, folder: Path, count: int, log: Log) -> None:
        self.folder = folder
        self._count = count
        self._log = log
        self._lock = threading.Lock()
        self._sent: Counter[str] = Counter()
        self._strange: set[str] = set()

    def open(self, chain_id: str) -> None:
        """Make the folder if need be, and clean it of what was cut off. Raises OSError."""
        self.folder.mkdir(mode=0o755, parents=True, exist_ok=True)
        for path in self.folder.iterdir():
            if path.name.endswith(".part") or (path.suffix == ".json" and not path.with_suffix("").exists()):
                disk.remove(path)
        for path in self.folder.glob("*.bin"):
            if self._noted(path) is None:
                self.adopt(path, chain_id)
        self.prune()

    def all(self) -> list[Snapshot]:
        """Return those that are there, newest first. Raises OSError."""
        found = [snapshot for path in self.folder.glob("*.bin") if (snapshot := self._noted(path))]
        return sorted(found, key=lambda snapshot: (snapshot.head_block_num, snapshot.made), reverse=True)

    def path(self, name: str) -> Path | None:
        """Return where one lies, None if there is none of this name."""
        if not _NAME.fullmatch(name):
            return None
        path = self.folder / name
        return path if self._noted(path) else None

    def part(self, snapshot: Snapshot) -> Path:
        """Return where one is written until it is whole."""
        return self.folder / f".{snapshot.name}.part"

    def add(self, written: Path, snapshot: Snapshot) -> Path:
        """Take a file in that is whole and on the disk. Raises OSError."""
        path = self.folder / snapshot.name
        disk.write_whole(_note(path), json.dumps(snapshot._asdict()).encode())
        disk.move(written, path)
        return path

    def adopt(self, file: Path, chain_id: str, **known: Any) -> Snapshot | None:  # noqa: ANN401 - fields of Snapshot
        """Take in a file that nodeos, or a person, has written; None, told once, if it is no snapshot.

        What isn't known of it is taken from its name, which nodeos makes of the head's id, whose first half is its
        number. Raises OSError.
        """
        named = _BY_NODEOS.fullmatch(file.name)
        if not _NAME.fullmatch(file.name) or not is_snapshot(file):
            if file.name not in self._strange:
                self._strange.add(file.name)
                self._log.say(f"{file} is no snapshot of nodeos: it is left alone")
            return None
        head_id = named[1] if named else ""
        there = file.stat()
        usual: dict[str, Any] = {
            "name": file.name,
            "size": there.st_size,
            "sha256": digest(file),
            "chain_id": chain_id,
            "head_block_num": int(head_id[:8], 16) if head_id else 0,
            "head_block_id": head_id,
            "head_block_time": "",
            "made": round(min(there.st_mtime, time.time()), 3),
        }
        snapshot = understood({**usual, **known}) or Snapshot(**usual)
        self.add(file, snapshot)
        return snapshot

    def prune(self, count: int | None = None) -> None:
        """Remove the oldest beyond the count, but none that is being sent. Raises OSError."""
        for snapshot in self.all()[count or self._count :]:
            with self._lock:
                if not self._sent[snapshot.name]:
                    self.remove(snapshot)

    def remove(self, snapshot: Snapshot) -> None:
        """Remove one. Raises OSError."""
        path = self.folder / snapshot.name
        disk.remove(path)
        disk.remove(_note(path))

    @contextmanager
    def sending(self, name: str) -> Iterator[None]:
        """Keep one while it is being sent."""
        with self._lock:
            self._sent[name] += 1
        try:
            yield
        finally:
            with self._lock:
                self._sent[name] -= 1
                self._sent += Counter()  # which leaves out those at 0
            self.prune()

    def intact(self, snapshot: Snapshot) -> bool:
        """Tell whether one still is what it was when it came."""
        path = self.folder / snapshot.name
        try:
            return is_snapshot(path) and digest(path) == snapshot.sha256
        except OSError:
            return False

    def _noted(self, path: Path) -> Snapshot | None:
        """Return what is known of a file, None unless it is whole."""
        try:
            snapshot = understood(json.loads(disk.read_bounded(_note(path), LARGEST_NOTE)))
            whole = snapshot is not None and snapshot.name == path.name and snapshot.size == path.stat().st_size
        except (OSError, ValueError, RecursionError):
            return None
        return snapshot if whole else None


def _note(path: Path) -> Path:
    return path.with_name(f"{path.name}.json")


def is_snapshot(file: Path) -> bool:
    """Tell whether a file begins as a snapshot does. Raises OSError."""
    with file.open("rb") as opened:
        return opened.read(len(MAGIC)) == MAGIC


def digest(file: Path) -> str:
    """Return a file's SHA-256. Raises OSError."""
    summed = hashlib.sha256()
    with file.open("rb") as opened:
        while chunk := opened.read(_CHUNK):
            summed.update(chunk)
    return summed.hexdigest()
