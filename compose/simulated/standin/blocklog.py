"""`blocks/blocks.log` and `blocks.index`: the irreversible blocks, in a form of our own with nodeos's first words.

The log begins with nodeos's version 3 and the number of its first block; then come the chain id, the genesis where
the log begins with it, and the blocks, each followed by its own position. The index holds the positions.
"""

from __future__ import annotations

import json
import os
import struct
from pathlib import Path
from typing import Any, NamedTuple

from .blocks import Block
from .ending import EndError

VERSION = 3
HEAD = struct.Struct("<II32sI")
RECORD = struct.Struct("<II12s32sQ")
POSITION = struct.Struct("<Q")
LARGEST_GENESIS = 1 << 20
BAD_LOG = "3190002 block_log_exception: Block log exception"


class About(NamedTuple):
    """What the log's beginning says. `first` is the number of its first block, which may be yet to come."""

    first: int
    chain_id: str
    genesis: dict[str, Any] | None
    size: int


def about(directory: Path) -> About | None:
    """Read the beginning of a log; None where there is no log."""
    try:
        with (directory / "blocks.log").open("rb") as file:
            return _about(file.read(HEAD.size + LARGEST_GENESIS))
    except FileNotFoundError:
        return None


def _about(raw: bytes) -> About:
    try:
        version, first, chain_id, length = HEAD.unpack_from(raw)
        text = raw[HEAD.size : HEAD.size + length]
        if version == VERSION and first > 0 and len(text) == length:
            return About(first, chain_id.hex(), json.loads(text) if text else None, HEAD.size + length)
    except (struct.error, ValueError):
        pass
    raise EndError("Block log was not setup properly, or is corrupt", name=BAD_LOG)


class BlockLog:
    """An open log. `last` is its last block, None while it has none."""

    def __init__(self, directory: Path) -> None:
        described = about(directory)
        if described is None:
            raise EndError(f"there is no block log in {directory}", name=BAD_LOG)
        self.about = described
        self._log = os.open(directory / "blocks.log", os.O_RDWR | os.O_CLOEXEC)
        self._index = os.open(directory / "blocks.index", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        self._count, torn = divmod(os.fstat(self._log).st_size - described.size, RECORD.size)
        self.last: Block | None = None
        if torn or (self._count and not self._whole(self._count - 1)):
            self.close()
            message = "Block log is corrupt at its end; use --hard-replay-blockchain to recover what is whole"
            raise EndError(message, name=BAD_LOG)
        if self._count:
            self.last = self._at(self._count - 1)
        if os.fstat(self._index).st_size != self._count * POSITION.size:
            self._write_index()

    @staticmethod
    def reset(directory: Path, chain_id: str, first: int, genesis: dict[str, Any] | None) -> BlockLog:
        """Begin a new log in the place of what may be there."""
        directory.mkdir(parents=True, exist_ok=True)
        text = json.dumps(genesis).encode() if genesis else b""
        (directory / "blocks.index").unlink(missing_ok=True)
        (directory / "blocks.log").write_bytes(HEAD.pack(VERSION, first, bytes.fromhex(chain_id), len(text)) + text)
        return BlockLog(directory)

    @staticmethod
    def repair(directory: Path) -> int:
        """Cut off what is not whole at the end of a log; return how many bytes that was."""
        described = about(directory)
        if described is None:
            return 0
        path = directory / "blocks.log"
        raw = path.read_bytes()
        end = described.size
        number = described.first
        while end + RECORD.size <= len(raw):
            found = RECORD.unpack_from(raw, end)
            if (found[0], found[4]) != (number, end):
                break
            number += 1
            end += RECORD.size
        if end < len(raw):
            os.truncate(path, end)
        return len(raw) - end

    @property
    def first(self) -> int:
        """The number of the first block, be it there or yet to come."""
        return self.about.first

    @property
    def end(self) -> int:
        """The number of the last block; one less than the first where there is none."""
        return self.first + self._count - 1

    def append(self, block: Block) -> None:
        """Add the next block; where the disk is full nothing is added and OSError is raised."""
        if block.number != self.end + 1:
            raise ValueError(f"block {block.number} does not follow {self.end}")
        position = self._position(self._count)
        record = RECORD.pack(block.number, block.slot, block.producer.encode(), bytes.fromhex(block.id), position)
        self._write(self._log, record, position)
        self._write(self._index, POSITION.pack(position), self._count * POSITION.size)
        self._count += 1
        self.last = block

    def read(self, number: int) -> Block | None:
        """Return a block; None where the log does not have it."""
        place = number - self.first
        return self._at(place) if 0 <= place < self._count else None

    def close(self) -> None:
        """Close both files."""
        os.close(self._log)
        os.close(self._index)

    def _position(self, place: int) -> int:
        return self.about.size + place * RECORD.size

    def _whole(self, place: int) -> bool:
        number, *_, position = RECORD.unpack(os.pread(self._log, RECORD.size, self._position(place)))
        return (number, position) == (self.first + place, self._position(place))

    def _at(self, place: int) -> Block:
        raw = os.pread(self._log, RECORD.size, self._position(place))
        number, slot, producer, identity, _ = RECORD.unpack(raw)
        return Block(number, slot, producer.rstrip(b"\0").decode(), identity.hex())

    def _write_index(self) -> None:
        os.ftruncate(self._index, 0)
        positions = b"".join(POSITION.pack(self._position(place)) for place in range(self._count))
        os.pwrite(self._index, positions, 0)

    @staticmethod
    def _write(file: int, data: bytes, position: int) -> None:
        """Write all or nothing."""
        try:
            written = os.pwrite(file, data, position)
            if written < len(data):
                os.pwrite(file, data[written:], position + written)  # this one says why not
        except OSError:
            os.ftruncate(file, position)
            raise
