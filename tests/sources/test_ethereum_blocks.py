"""Blocks of geth: who sealed them is found out once, in a thread, and remembered in bounds."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Mapping
from typing import Any

import orjson
import pytest

from collector.sources.ethereum import seals
from collector.sources.ethereum.blocks import Blocks, read
from tests.helpers import run
from tests.sources.test_seals import RECORDED, head


async def sealed(blocks: Blocks, header: dict[str, Any]) -> str:
    """Return who sealed a block of which a node tells."""
    answer = memoryview(orjson.dumps(header))
    found = blocks.known(answer) or await blocks.sealed(answer, read(header), header)
    assert blocks.known(answer) in (found, None)
    return found.maker


def test_a_block_that_many_nodes_tell_of_is_recovered_once_and_in_a_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    threads = []
    sealer = seals.sealer

    def counted(header: Mapping[str, Any]) -> str:
        threads.append(threading.current_thread())
        return sealer(header)

    monkeypatch.setattr(seals, "sealer", counted)

    async def scenario() -> None:
        blocks = Blocks()
        found = await asyncio.gather(*(sealed(blocks, head("geth-1.8.27")) for _ in range(50)))
        assert set(found) == {RECORDED["geth-1.8.27"]}
        assert await sealed(blocks, head("geth-1.8.27")) == RECORDED["geth-1.8.27"]

    run(scenario())
    assert len(threads) == 1
    assert threads[0] is not threading.main_thread()


def test_a_lie_about_a_block_changes_nothing_for_those_who_tell_the_truth() -> None:
    async def scenario() -> None:
        truth = head("geth-1.10.26")
        blocks = Blocks()
        for lie in ({"stateRoot": "0x" + 64 * "1"}, {"baseFeePerGas": None}, {"nonce": "0x"}, {"gasUsed": "0x1"}):
            assert await sealed(blocks, truth | lie) != RECORDED["geth-1.10.26"]
        assert await sealed(blocks, truth) == RECORDED["geth-1.10.26"]

    run(scenario())


def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seals, "sealer", lambda _: "0x1")

    async def scenario() -> None:
        blocks = Blocks(most=10)
        for number in range(1, 100):
            assert await sealed(blocks, head("geth-1.8.27") | {"number": hex(number)}) == "0x1"
        assert len(blocks._kept) == 10

    run(scenario())
