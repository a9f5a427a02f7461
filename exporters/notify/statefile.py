"""What is to outlive a restart: which alerts fire, and what each channel knows of them."""

from __future__ import annotations

import logging
import os
from contextlib import suppress
from pathlib import Path

import msgspec

from collector.remarks import excerpt
from exporters.files import FOR_US_ALONE, LARGEST, content_of, replace
from exporters.notify.notice import Facts, Identity
from exporters.notify.outbox import Record

_FORMAT = "chainwatch notify"
_VERSION = 1

_log = logging.getLogger("chainwatch.notify")


class KnownAlert(msgspec.Struct):
    """An alert that fires."""

    identity: Identity
    fired: float
    facts: Facts


class KnownRecord(msgspec.Struct):
    """What a channel knows of an alert: see `outbox.Record`."""

    identity: Identity
    record: Record


class KnownChannel(msgspec.Struct):
    """What a channel knows, and how many alerts it is still to be told were left out."""

    records: list[KnownRecord] = []
    left_out: int = 0


class State(msgspec.Struct):
    """All of it; channels by their names."""

    format: str = _FORMAT
    version: int = _VERSION
    firing: list[KnownAlert] = []
    channels: dict[str, KnownChannel] = {}


class StateFile:
    """The file `notify.json` in a directory, which is made where it is missing. For its owner alone to read."""

    def __init__(self, directory: Path) -> None:
        self._path = directory / "notify.json"

    def __str__(self) -> str:
        return str(self._path)

    def read(self) -> State:
        """Return what it holds. One that can't be made sense of is set aside, and said so. In a thread."""
        content = content_of(self._path)
        if content is None:
            if os.path.lexists(self._path):
                _log.warning("%s: cannot be read: what fired before is not known; whose is it?", self._path)
            return State()
        try:
            state = _decoded(content)
        except (msgspec.DecodeError, ValueError) as error:
            aside = self._path.with_suffix(".json.unreadable")
            with suppress(OSError):
                self._path.replace(aside)
            message = "%s: cannot be made sense of (%s): set aside as %s; what fired before is not known"
            _log.warning(message, self._path, excerpt(str(error)), aside.name)
            return State()
        return state

    def write(self, content: bytes) -> None:
        """Let it hold something else. In a thread. Raises OSError."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        replace(self._path, content, FOR_US_ALONE)


def encoded(state: State) -> bytes:
    """Return what a file holds."""
    return msgspec.json.format(msgspec.json.encode(state), indent=1)


def _decoded(content: bytes) -> State:
    if len(content) >= LARGEST:
        raise ValueError("it is too large")
    kind = msgspec.json.decode(content, type=State)
    if (kind.format, kind.version) != (_FORMAT, _VERSION):
        raise ValueError(f"it is of another format or version, {kind.version}")
    return kind
