"""Taking snapshots on request: each is answered once its block is irreversible, never while the head stands still."""

from __future__ import annotations

import asyncio
import contextlib
import json
from pathlib import Path

from . import snapshots
from .blocks import Block
from .chain import Chain
from .saying import error
from .snapshots import Snapshot
from .web import Answer, refusal

FORM = 6
"""The version of the snapshot's form that nodeos names."""

FAILURE = (3240000, "snapshot_exception", "Snapshot exception")


class Shooting:
    """Snapshots that wait for their block, with all those who wait for them."""

    def __init__(self, chain: Chain, directory: Path) -> None:
        self._chain = chain
        self._directory = directory
        self._pending: dict[Block, list[asyncio.Future[Answer]]] = {}
        chain.heard.append(lambda _: self._finish())

    def shoot(self) -> Answer | asyncio.Future[Answer]:
        """Take a snapshot of the head; the answer comes when that is irreversible."""
        head = self._chain.head
        if (self._directory / snapshots.name(head)).exists():
            message = f"snapshot named {snapshots.name(head)} already exists"
            what = (3170004, "snapshot_exists_exception", "Snapshot already exists")
            return _failure(what, message)
        if head not in self._pending:
            incomplete = self._directory / f".incomplete-{snapshots.name(head)}"
            try:
                self._directory.mkdir(parents=True, exist_ok=True)
                snapshots.write(incomplete, Snapshot(self._chain.id, self._chain.genesis.document, head))
                incomplete.rename(self._waiting(head))
            except OSError as why:
                error("producer_plugin.cpp:1590", "create_snapshot", f"snapshot failed: {why.strerror}")
                with contextlib.suppress(OSError):
                    incomplete.unlink()
                return _failure(FAILURE, f"snapshot failed: {why.strerror}")
        future = asyncio.get_running_loop().create_future()
        self._pending.setdefault(head, []).append(future)
        return future

    def _waiting(self, block: Block) -> Path:
        return self._directory / f".pending-{snapshots.name(block)}"

    def _finish(self) -> None:
        root = self._chain.root
        for block in [block for block in self._pending if block.number <= root.number]:
            answer = self._finished(block)
            for future in self._pending.pop(block):
                if not future.done():
                    future.set_result(answer)

    def _finished(self, block: Block) -> Answer:
        waiting, path = self._waiting(block), self._directory / snapshots.name(block)
        if self._chain.block(block.number) != block:
            waiting.unlink(missing_ok=True)
            message = f"Snapshotted block was forked out of the chain.  ID: {block.id}"
            return _failure((3170012, "snapshot_finalization_exception", "Snapshot Finalization Exception"), message)
        try:
            waiting.rename(path)
        except OSError as why:
            return _failure(FAILURE, f"Unable to promote pending snapshot: {why.strerror}")
        document = {
            "head_block_id": block.id,
            "head_block_num": block.number,
            "head_block_time": block.time,
            "version": FORM,
            "snapshot_name": str(path),
        }
        return Answer(json.dumps(document, separators=(",", ":")).encode(), 201)


def _failure(what: tuple[int, str, str], message: str) -> Answer:
    where = ("producer_plugin.cpp", 1590, "create_snapshot")
    return refusal(500, "Internal Service Error", what, message, *where)
