"""nodeos's final configuration: what was deployed, the secret lines, and what only this node knows at its start."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from compose.nodeos import disk
from compose.nodeos.settings import split_port

LARGEST = 1024 * 1024
HTTP_PORT = 8888


class ConfigError(Exception):
    """The configuration cannot be put together. The message names the file, and no content."""


class Config:
    """`config.ini` in a folder of its own in memory, readable for nobody else."""

    def __init__(self, deployed: Path, secret: Path | None, folder: Path) -> None:
        self._deployed = deployed / "config.ini"
        self._secret = secret
        self.folder = folder
        """nodeos's --config-dir."""

    def secrets(self) -> list[str]:
        """Return the texts that nobody is to see: values of the secret lines, and the key within each.

        Raises ConfigError.
        """
        found = []
        for _, value in entries(self._text(self._secret)) if self._secret else ():
            kind, separator, key = value.partition("=KEY:")
            found += [value, key] if separator else [value]
            del kind  # PUB=KEY:PRIV; the public key is everybody's
        return found

    def write(self, lines: Iterable[str]) -> None:
        """Put the file together, with these lines at its end. Raises ConfigError."""
        parts = [self._text(self._deployed), self._text(self._secret) if self._secret else "", *lines]
        content = "\n".join([*parts, ""]).encode()
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            path = self.folder / "config.ini"
            path.unlink(missing_ok=True)
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
            with os.fdopen(handle, "wb") as file:
                file.write(content)
        except OSError as error:
            raise ConfigError(f"{self.folder}: cannot be written: {error.strerror}") from None

    def http_port(self) -> int:
        """Return the port at which nodeos will answer us on loopback. Raises ConfigError."""
        found = entries(self._text(self._deployed))
        addresses: Sequence[str] = [value for key, value in found if key == "http-server-address"]
        port = split_port(addresses[-1], HTTP_PORT)[1] if addresses else HTTP_PORT
        return port if port > 0 else HTTP_PORT

    @staticmethod
    def _text(path: Path) -> str:
        try:
            return disk.read_bounded(path, LARGEST).decode()
        except OSError as error:
            raise ConfigError(f"{path}: cannot be read: {error.strerror or error}") from None
        except UnicodeDecodeError:
            raise ConfigError(f"{path}: is no text") from None


def entries(text: str) -> list[tuple[str, str]]:
    """Return the keys and values of a config.ini, in their order; keys come more than once."""
    lines = (line.split("#", 1)[0].partition("=") for line in text.splitlines())
    return [(key.strip(), value.strip()) for key, equals, value in lines if equals]
