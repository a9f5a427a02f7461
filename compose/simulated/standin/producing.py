"""Producing blocks: one in each slot of half a second, by whoever is the producer and has its key."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from . import blocks
from .chain import Chain
from .ending import EndError
from .genesis import public_key
from .options import DEFAULT_PROVIDER, Options
from .saying import error, info

LOOK = 0.5
"""Seconds between looks at what keeps it from producing."""


class Producing:
    """Makes blocks while it may. `paused` is what `/v1/producer/pause` sets."""

    def __init__(
        self, options: Options, chain: Chain, *, stalled: Callable[[], bool], failed: Callable[[OSError], None]
    ) -> None:
        self.paused = options.flag("pause-on-startup")
        self.made = 0
        self._chain = chain
        self._stalled = stalled
        self._failed = failed
        self._may = self._allowed(options)

    async def run(self) -> None:
        """Make blocks, as long as they can be written; return at once where this node makes none."""
        while self._may:
            now = time.time()
            if self.paused or self._stalled():
                await asyncio.sleep(LOOK)
                continue
            slot = max(blocks.slot_at(now), self._chain.head.slot + 1)
            wait = blocks.due(slot) - now
            if wait > 0:
                await asyncio.sleep(min(wait, LOOK))
                continue
            self._make(slot)

    def _make(self, slot: int) -> None:
        chain = self._chain
        block = blocks.following(chain.id, chain.head, slot)
        try:
            chain.append(block)
        except OSError as why:
            self._failed(why)
            self._may = False
            return
        self.made += 1
        info(
            "producer_plugin.cpp:2629",
            "produce_block",
            f"Produced block {block.id[8:24]}... #{block.number} @ {block.time} signed by {block.producer} "
            f"[trxs: 0, lib: {chain.root.number}, confirmed: 0]",
        )

    def _allowed(self, options: Options) -> bool:
        if blocks.PRODUCER not in options.texts("producer-name"):
            return False
        keys = {_provided(text) for text in options.texts("signature-provider") or [DEFAULT_PROVIDER]}
        key = self._chain.genesis.key
        if public_key(key) not in keys:
            message = f"Not producing block because I don't have the private key for {key}"
            error("producer_plugin.cpp:1358", "plugin_startup", message)
            return False
        if not options.flag("enable-stale-production"):
            info("producer_plugin.cpp:1358", "plugin_startup", "Not producing: the chain is stale")
            return False
        info("producer_plugin.cpp:1358", "plugin_startup", "Launching block production for 1 producers.")
        return True


def _provided(text: str) -> bytes:
    """Return the public key of a provider; a malformed one is told, without its secret, and ignored."""
    key, separator, provider = text.partition("=")
    try:
        if separator and provider.startswith(("KEY:", "KEOSD:")) and provider.partition(":")[2]:
            return public_key(key)
    except EndError:
        pass
    error("producer_plugin.cpp:932", "plugin_initialize", "Malformed signature provider, ignoring!")
    return b""
