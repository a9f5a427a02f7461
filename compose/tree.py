"""The files that a deployment writes into a directory: which they are, how they differ, and how they get there.

A manifest in the directory names what was written, so that nothing else is ever touched, and what is no longer needed
can go. Files are replaced as a whole, and the manifest knows of them before they are there: whatever ends a run half
way, the next one finishes its work.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from enum import Enum
from pathlib import Path, PurePosixPath

import orjson

from collector.about import VERSION
from collector.configuration.mistakes import unreadable

MANIFEST = ".chainwatch.json"

_LARGEST_MANIFEST = 1 << 20
_MODE, _MODE_OF_SCRIPTS, _MODE_OF_SECRETS, _MODE_OF_DIRECTORIES = 0o644, 0o755, 0o600, 0o755
_UNFINISHED = ".unfinished"


class Refused(Exception):  # noqa: N818 - named for what is told
    """A deployment that is not made: why, one line for each reason."""

    def __init__(self, *reasons: str) -> None:
        self.reasons = reasons
        super().__init__("\n".join(reasons))


class Kind(Enum):
    """What becomes of a file."""

    NEW = "new"
    CHANGED = "changed"
    REMOVED = "removed"
    LEFT = "not needed any more; left, as it was edited by hand"


@dataclass(frozen=True)
class Change:
    """A file that is not what it should be."""

    path: str
    kind: Kind
    before: str
    after: str
    edited: bool = False
    """It is not as an earlier run wrote it."""

    def __str__(self) -> str:
        kept = (
            f"; what was edited by hand is in {self.path}.edited" if self.edited and self.kind is Kind.CHANGED else ""
        )
        return f"{self.path}: {self.kind.value}{kept}"


class Tree:
    """A directory, and what an earlier run wrote into it. Raises Refused where it is none, or somebody else's."""

    def __init__(self, directory: Path, *, secret: Collection[str] = (), force: bool = False) -> None:
        """Look at the directory. `secret` names the files that are for its owner alone."""
        self.directory = directory
        self._secret = frozenset(secret)
        self._written: dict[str, list[str]] = {}  # the digests that each file may have
        if directory.exists() and not directory.is_dir():
            raise Refused(f"{directory}: is no directory; name one, or a path where none is yet")
        manifest = directory / MANIFEST
        found = _anything_in(directory) if directory.exists() else None  # before the manifest: a run may begin just now
        if manifest.exists():
            self._written = _read_manifest(manifest)
        elif found and not force:
            raise Refused(
                f"{directory}: has files that `chainwatch deploy` did not write, such as {found}; "
                "name another directory, or add --force to write beside them"
            )

    @property
    def written(self) -> frozenset[str]:
        """What an earlier run wrote, or was about to."""
        return frozenset(self._written)

    def changes(self, files: Mapping[str, str]) -> list[Change]:
        """Return how these files, by relative path, differ from those that are there."""
        found: list[Change] = []
        for path, text in sorted(files.items()):
            self._check_way(path)
            before = self._content(path)
            if before is None:
                found.append(Change(path, Kind.NEW, "", text))
            elif before != text.encode() or self._mode(path) != self._mode_for(path):
                edited = _digest(before) not in self._written.get(path, ())
                found.append(
                    Change(
                        path, Kind.CHANGED, before.decode(errors="replace"), text, edited and before != text.encode()
                    )
                )
        for path in sorted(self._written.keys() - files.keys()):
            self._check_way(path)
            before = self._content(path)
            if before is not None:
                edited = _digest(before) not in self._written[path]
                kind = Kind.LEFT if edited else Kind.REMOVED
                found.append(Change(path, kind, before.decode(errors="replace"), "", edited))
        return found

    def make(self) -> None:
        """Make the directory, if it isn't there."""
        with _told(self.directory), suppress(FileExistsError):  # another run may be at it
            self.directory.mkdir(parents=True)
            self.directory.chmod(_MODE_OF_DIRECTORIES)

    def announce(self, files: Mapping[str, str]) -> None:
        """Note in the manifest what will be in the directory."""
        for path, text in files.items():
            digests = self._written.setdefault(path, [])
            if (digest := _digest(text.encode())) not in digests:
                digests.append(digest)
        with _told(self.directory):
            self._write_manifest()

    def write(self, files: Mapping[str, str], changes: list[Change]) -> None:
        """Make all changes; what is removed goes last. Raises Refused where the system does."""
        with _told(self.directory):
            for change in changes:
                if change.kind in (Kind.NEW, Kind.CHANGED):
                    self._replace(change)
            for change in changes:
                if change.kind is Kind.REMOVED:
                    self._remove(change.path)
            self._written = {path: [_digest(text.encode())] for path, text in files.items()}
            self._write_manifest()

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep others from writing. Raises Refused if somebody is at it; the lock ends with the process."""
        descriptor = os.open(self.directory, os.O_RDONLY | os.O_DIRECTORY)
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                raise Refused(f"{self.directory}: is being deployed to; try again when that is over") from None
            yield
        finally:
            os.close(descriptor)

    def _content(self, path: str) -> bytes | None:
        try:
            return (self.directory / path).read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise Refused(f"{self.directory / path}: {unreadable(error)}") from None

    def _mode(self, path: str) -> int:
        return (self.directory / path).stat().st_mode & 0o777

    def _mode_for(self, path: str) -> int:
        if path in self._secret:
            return _MODE_OF_SECRETS
        return _MODE_OF_SCRIPTS if path.endswith(".sh") else _MODE

    def _check_way(self, path: str) -> None:
        """Refuse to be led elsewhere by a link, or to write where something else stands."""
        place = self.directory / path
        for parent in list(place.relative_to(self.directory).parents)[:-1]:
            way = self.directory / parent
            if way.is_symlink() or (way.exists() and not way.is_dir()):
                raise Refused(f"{way}: is no directory of its own, and {path} belongs into it; move it away")
        if place.is_symlink() or (place.exists() and not place.is_file()):
            raise Refused(f"{place}: is no file of its own, and one is to be written there; move it away")

    def _replace(self, change: Change) -> None:
        place = self.directory / change.path
        for parent in reversed(list(place.relative_to(self.directory).parents)[:-1]):
            way = self.directory / parent
            if not way.exists():
                way.mkdir()
                way.chmod(_MODE_OF_DIRECTORIES)
        if change.edited:
            if change.path in self._secret:
                place.chmod(_MODE_OF_SECRETS)  # an editor may have written it for all to read
            place.replace(place.with_name(f"{place.name}.edited"))
        _write(place, change.after.encode(), self._mode_for(change.path))

    def _remove(self, path: str) -> None:
        place = self.directory / path
        place.unlink(missing_ok=True)
        for parent in list(place.relative_to(self.directory).parents)[:-1]:
            with suppress(OSError):  # something else is in it
                (self.directory / parent).rmdir()

    def _write_manifest(self) -> None:
        content = {"written_by": f"chainwatch {VERSION}", "files": dict(sorted(self._written.items()))}
        _write(self.directory / MANIFEST, (json.dumps(content, indent=1) + "\n").encode(), _MODE)


@contextmanager
def _told(directory: Path) -> Iterator[None]:
    """Tell of what the system does not allow by the place where it does not."""
    try:
        yield
    except OSError as error:
        where, why = error.filename or directory, error.strerror or type(error).__name__
        raise Refused(f"{where}: cannot be written: {why}; run it again when it can, and the rest is done") from error


def _anything_in(directory: Path) -> str | None:
    """Return the name of a file that is not ours; another run may have begun to write into the directory just now."""
    names = sorted(entry.name for entry in directory.iterdir())
    return next((name for name in names if name != MANIFEST and not name.endswith(_UNFINISHED)), None)


def _read_manifest(manifest: Path) -> dict[str, list[str]]:
    try:
        with manifest.open("rb") as file:
            files = orjson.loads(file.read(_LARGEST_MANIFEST))["files"]
        found = {_relative(path): [str(digest) for digest in digests] for path, digests in files.items()}
    except (ValueError, TypeError, KeyError, AttributeError):
        raise Refused(
            f"{manifest}: is not what `chainwatch deploy` wrote; name another directory, or remove it and add --force"
        ) from None
    return found


def _relative(path: str) -> str:
    """Return a path of the manifest if it stays in its directory; ValueError otherwise."""
    parts = PurePosixPath(path)
    if parts.is_absolute() or not parts.parts or ".." in parts.parts or "\0" in path:
        raise ValueError(path)
    return path


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _write(place: Path, content: bytes, mode: int) -> None:
    """Put a file into its place as a whole: whoever reads it finds the old one or the new one."""
    unfinished = place.with_name(f".{place.name}{_UNFINISHED}")
    with suppress(FileNotFoundError):
        unfinished.unlink()
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fchmod(descriptor, mode)
            os.fsync(descriptor)
        unfinished.replace(place)
    except BaseException:
        with suppress(OSError):
            unfinished.unlink()
        raise
