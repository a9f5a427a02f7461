"""Snapshots: `snapshots/snapshot-ID.bin`.

The first eight bytes are nodeos's own, its magic and version. What follows is not: a checksum, a document that holds
the chain id, the genesis, and the head block with its number, id and time, and zeros up to the size of a real one.
"""

from __future__ import annotations

import hashlib
import json
import struct
from pathlib import Path
from typing import Any, NamedTuple

from .blocks import Block
from .ending import EndError

MAGIC = 0x30510550
VERSION = 1
HEAD = struct.Struct("<II32sI")
SIZE = 2_105_072
"""Bytes of a snapshot of a young chain, as recorded."""

NOTE = "content of chainwatch's stand-in for nodeos, not of nodeos"
BAD_SNAPSHOT = "3240000 snapshot_exception: Snapshot exception"


class Snapshot(NamedTuple):
    """A chain at one block."""

    chain_id: str
    genesis: dict[str, Any]
    head: Block


def name(block: Block) -> str:
    """Return the name that nodeos gives a snapshot."""
    return f"snapshot-{block.id}.bin"


def write(path: Path, snapshot: Snapshot) -> None:
    """Write a snapshot."""
    head = snapshot.head
    document = {
        "note": NOTE,
        "chain_id": snapshot.chain_id,
        "genesis": snapshot.genesis,
        "head_block_num": head.number,
        "head_block_id": head.id,
        "head_block_time": head.time,
        "head_block_slot": head.slot,
        "head_block_producer": head.producer,
    }
    text = json.dumps(document).encode()
    content = text + bytes(max(SIZE - HEAD.size - len(text), 0))
    path.write_bytes(HEAD.pack(MAGIC, VERSION, hashlib.sha256(content).digest(), len(text)) + content)


def read(path: Path) -> Snapshot:
    """Read a snapshot; one that is cut short or changed in a single byte is refused."""
    if not path.exists():
        raise EndError(f"Cannot load snapshot, {path} does not exist")
    try:
        raw = path.read_bytes()
        magic, version, checksum, length = HEAD.unpack_from(raw)
    except (OSError, struct.error):
        message = "Binary snapshot validation threw IO exception (Snapshot exception)"
        raise EndError(message, name=BAD_SNAPSHOT) from None
    if magic != MAGIC:
        raise EndError("Binary snapshot has unexpected magic number!", name=BAD_SNAPSHOT)
    if version != VERSION:
        raise EndError(f"Binary snapshot is an unsupported version.  Expected 1, Got {version}", name=BAD_SNAPSHOT)
    content = raw[HEAD.size :]
    if hashlib.sha256(content).digest() != checksum:
        message = "Binary snapshot validation threw IO exception (Snapshot exception)"
        raise EndError(message, name=BAD_SNAPSHOT)
    found = json.loads(content[:length])
    number, slot, identity = found["head_block_num"], found["head_block_slot"], found["head_block_id"]
    return Snapshot(found["chain_id"], found["genesis"], Block(number, slot, found["head_block_producer"], identity))
