"""A file as the place where Traefik finds its configuration."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from exporters.files import FOR_EVERYBODY, content_of, replace


class File:
    """The file that Traefik's file provider watches. It stays when chainwatch goes."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __str__(self) -> str:
        return str(self._path)

    async def open(self) -> None:
        """Do nothing."""

    async def close(self) -> None:
        """Do nothing: Traefik goes on with what the file says."""

    def left(self, alike: Callable[[bytes], bool]) -> bool:
        """Tell whether the file is there from an earlier run."""
        return (content := self.content()) is not None and alike(content)

    def content(self) -> bytes | None:
        """Return what the file says, None if there is none that can be read."""
        return content_of(self._path)

    def replace(self, content: bytes) -> None:
        """Let the file say something else. Raises OSError."""
        replace(self._path, content, FOR_EVERYBODY)  # Traefik runs as somebody else
