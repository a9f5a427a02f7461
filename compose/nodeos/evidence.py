"""What was found of a broken database, kept for whoever wants to know: the newest one only."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timezone
from pathlib import Path

from compose.nodeos import disk
from compose.nodeos.locks import database_held
from compose.nodeos.saying import Log

STATE, BLOCKS = "state", "blocks"
_DOOMED = ".cleared"


class Evidence:
    """The folder `evidence/`, which holds one folder at most. Every step can be cut off and done again."""

    def __init__(self, data: Path, nodeos_data: Path, log: Log) -> None:
        self._folder = data / "evidence"
        self._doomed = data / _DOOMED
        self._nodeos = nodeos_data
        self._log = log

    def keep(self, lines: Sequence[str], reason: str) -> str:
        """Move the database out of nodeos's way, with what nodeos said; return the folder's name.

        Where there is no room for it beside the one that is to come, only what nodeos said is kept. Raises Occupied if
        a nodeos has the database open, and OSError.
        """
        with database_held(self._nodeos):
            place = self._only(now_as_name())
            try:
                (place / "log.txt").write_text("\n".join(lines) + "\n", errors="replace")
                (place / "reason.txt").write_text(reason + "\n", errors="replace")
            except OSError as error:  # a full disk must not keep the node from coming back
                self._log.say(f"what nodeos said cannot be kept in {place}: {error.strerror}")
            state = self._nodeos / STATE
            takes, free = disk.used(state), disk.free(place)
            if free < takes + disk.RESERVE:
                self._log.say(
                    f"the database takes {takes >> 20} MiB and {free >> 20} MiB are free: it is not kept as evidence"
                )
                self._clear()
            elif state.is_dir():
                disk.move(state, place / STATE)
        return place.name

    def clear_half(self) -> None:
        """Remove a database that a restore left half. Raises Occupied and OSError."""
        with database_held(self._nodeos):
            self._clear()

    def set_blocks_aside(self, name: str) -> None:
        """Move the blocks out of nodeos's way. Raises Occupied and OSError."""
        with database_held(self._nodeos):
            aside = self._only(name) / BLOCKS
            if aside.exists():
                disk.remove(self._nodeos / BLOCKS)  # what an attempt since then has left
            else:
                disk.move(self._nodeos / BLOCKS, aside)

    def put_blocks_back(self, name: str) -> None:
        """Undo `set_blocks_aside`. Raises Occupied and OSError."""
        with database_held(self._nodeos):
            aside = self._folder / name / BLOCKS
            if aside.is_dir():
                disk.remove(self._nodeos / BLOCKS)
                disk.move(aside, self._nodeos / BLOCKS)

    def has_blocks(self, name: str) -> bool:
        """Tell whether blocks were set aside there."""
        return has_blocks(self._folder / name)

    def tidy(self, *, replaying: bool) -> None:
        """Remove what was cut off. Raises Occupied and OSError.

        For `--hard-replay-blockchain` nodeos moves its blocks to `blocks-TIME` and writes them anew. If it didn't come
        to the end of that, the whole ones are those that it moved; else the newest of these copies is kept.
        """
        disk.remove(self._doomed)
        copies = sorted(self._nodeos.glob(f"{BLOCKS}-2*"))
        if not replaying:
            for old in copies[:-1]:
                self._log.say(f"removing {old.name}, a copy of the blocks from before an earlier replay")
                disk.remove(old)
            return
        blocks = self._nodeos / BLOCKS
        whole = max([blocks, *copies], key=_log_size)
        if whole != blocks:
            with database_held(self._nodeos):
                self._log.say(f"a replay was cut off: {whole.name} has all the blocks, and takes the place of {BLOCKS}")
                disk.remove(blocks)
                disk.move(whole, blocks)
        for other in copies:
            disk.remove(other)

    def _clear(self) -> None:
        state = self._nodeos / STATE
        if state.is_dir():
            disk.remove(self._doomed)
            disk.move(state, self._doomed)
            disk.remove(self._doomed)

    def _only(self, name: str) -> Path:
        """Return the folder of this name, the only one left."""
        self._folder.mkdir(mode=0o700, exist_ok=True)
        for other in self._folder.iterdir():
            if other.name != name:
                disk.remove(other)
        place = self._folder / name
        place.mkdir(exist_ok=True)
        return place


def now_as_name() -> str:
    """Return the time in UTC as a folder's name."""
    return datetime.now(timezone.utc).strftime("%Y-%m-%dT%H-%M-%S.%fZ")


def has_blocks(nodeos_data: Path) -> bool:
    """Tell whether there is a block log with anything in it."""
    return _log_size(nodeos_data / BLOCKS) > 0


def _log_size(blocks: Path) -> int:
    try:
        return (blocks / "blocks.log").stat().st_size
    except OSError:
        return 0
