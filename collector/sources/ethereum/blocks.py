"""Blocks, with who made them: read from JSON-RPC's answers, and the last ones remembered.

Under Clique the header has to be asked for its sealer (`seals`), which takes five milliseconds of pure Python: it is
done in a thread, one at a time, and once for a block, whichever node tells of it. Blocks are found again by all that
was told of them, so that a node that makes something up under the hash of a true block spoils nothing for the others.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from hashlib import blake2b
from typing import Any

from collector.observations import Block
from collector.sources.ethereum import seals
from collector.sources.ethereum.methods import address, block_hash, entries, quantity
from collector.sources.observing import whole

MOST_KEPT = 8_192
"""Blocks that are remembered, by all nodes of the process together: of 128 chains the last 64."""


def read(document: Any) -> Block:  # noqa: ANN401 - JSON can be anything
    """Return a block as it is told of: on a chain of Clique's without its maker. Raises as a reader of `methods`."""
    number = whole(quantity(document["number"]))
    turn = seals.in_turn(document) if number else None
    return Block(
        number=number,
        hash=block_hash(document["hash"]),
        timestamp=float(whole(quantity(document["timestamp"]))),
        parent=block_hash(document["parentHash"]),
        maker=address(document["miner"]) if turn is None and number and document.get("miner") else "",
        in_turn=turn,
        difficulty=_if_told(document.get("difficulty")),
        transactions=len(entries(document["transactions"])),
        gas_used=_if_told(document.get("gasUsed")),
        gas_limit=_if_told(document.get("gasLimit")),
    )


def _if_told(value: object) -> int | None:
    return None if value is None else int(quantity(value))


class Blocks:
    """Finds out who sealed blocks, and remembers the last ones whole."""

    def __init__(self, most: int = MOST_KEPT) -> None:
        self._most = most
        self._kept: dict[bytes, Block] = {}  # written by the worker alone
        self._worker: ThreadPoolExecutor | None = None

    def known(self, answer: memoryview) -> Block | None:
        """Return the block of which an answer tells, if the same was told before and its sealer found out."""
        return self._kept.get(_key(answer))

    async def sealed(
        self, answer: memoryview, block: Block, header: dict[str, Any], deadline: float | None = None
    ) -> Block:
        """Return the block that was read from an answer, with its sealer; without, if it takes beyond the deadline.

        The deadline is one on the loop's clock; what is found out after it is known at the next time.
        """
        self._worker = self._worker or ThreadPoolExecutor(1, "sealers")
        sealing = asyncio.get_running_loop().run_in_executor(self._worker, self._seal, _key(answer), block, header)
        try:
            async with asyncio.timeout_at(deadline):
                return await sealing
        except TimeoutError:
            return block

    def _seal(self, key: bytes, block: Block, header: dict[str, Any]) -> Block:
        # When a block is new many nodes tell of it at once; by the time that the second one's turn comes it is known.
        found = self._kept.get(key)
        if found is None:
            found = self._kept[key] = replace(block, maker=seals.sealer(header))
            if len(self._kept) > self._most:
                del self._kept[next(iter(self._kept))]
        return found


def _key(answer: memoryview) -> bytes:
    return blake2b(answer, digest_size=16).digest()
