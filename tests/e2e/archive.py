"""An archive of files, as `docker import` and `docker build` read it, written on the fly: nothing is copied first."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path
from types import TracebackType
from typing import IO, Self


class Archive:
    """Files for an image, written to a stream within a `with` block. Owned by root unless said otherwise."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._tar = tarfile.open(fileobj=stream, mode="w|")  # noqa: SIM115 - it is closed by __exit__

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self._tar.close()  # else the reader is to see that it's cut

    def copy(self, source: Path, path: str, mode: int = 0o755) -> None:
        """Add a file of this machine."""
        entry = self._entry(path, mode)
        with source.open("rb") as content:
            entry.size = source.stat().st_size
            self._tar.addfile(entry, content)

    def text(self, path: str, content: str, mode: int = 0o644) -> None:
        """Add a file with this text."""
        entry = self._entry(path, mode)
        entry.size = len(content.encode())
        self._tar.addfile(entry, io.BytesIO(content.encode()))

    def folder(self, path: str, mode: int = 0o755, owner: int = 0) -> None:
        """Add an empty folder."""
        entry = self._entry(path, mode)
        entry.type, entry.uid, entry.gid = tarfile.DIRTYPE, owner, owner
        self._tar.addfile(entry)

    def link(self, path: str, target: str) -> None:
        """Add a symbolic link."""
        entry = self._entry(path, 0o777)
        entry.type, entry.linkname = tarfile.SYMTYPE, target
        self._tar.addfile(entry)

    @staticmethod
    def _entry(path: str, mode: int) -> tarfile.TarInfo:
        entry = tarfile.TarInfo(path.lstrip("/"))
        entry.mode = mode
        return entry
