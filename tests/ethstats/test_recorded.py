"""The recorded sessions of geth 1.8.27 and 1.10.26, sent once more."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from collector.ethstats.messages import READ, decode, envelope
from tests.ethstats.reporting import chain, ethstats, reporter, serving
from tests.helpers import run

RECORDED = sorted((Path(__file__).parent / "recorded").iterdir())


def messages(path: Path, who: str) -> list[Any]:
    lines = map(json.loads, path.read_text().splitlines())
    return [line["msg"] for line in lines if line["dir"] == who]


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.stem)
def test_a_session_is_taken_whole(path: Path) -> None:
    sent = messages(path, "node")
    blocks = {message["emit"][1]["block"]["hash"] for message in sent if message["emit"][0] == "block"}
    last = [message["emit"][1]["block"] for message in sent if message["emit"][0] == "block"][-1]

    async def test() -> None:
        async with serving(chain(ethstats=ethstats(secret="s3cret"))) as served, reporter(served, "sealer-1") as node:
            received = []
            for message in sent:
                await node.send(message)
                if message["emit"][0] in ("hello", "node-ping"):
                    received.append(json.loads(await node.text()))
            await node.synced()
            # What the server says is what it was seen to say, but for the history that it never asks for.
            expected = [message for message in messages(path, "server") if message["emit"][0] != "history"]
            assert [answer["emit"][0] for answer in received] == [answer["emit"][0] for answer in expected]
            assert received[0] == {"emit": ["ready"]}
            values = served.values("sealer-1")
            assert values["connected"] == 1
            assert values["head_block_number"] == last["number"]
            assert values["head_block_timestamp_seconds"] == last["timestamp"]
            assert values["latency_seconds"] == 0
            assert values["arrivals_total"] == len(blocks) - 1  # the first was there before
            of_chain = served.values("sealer-1", "chain")
            assert of_chain["head_block_hash"] == last["hash"]
            assert of_chain["head_block_transactions"] == len(last["transactions"])
            assert "syncing" not in of_chain
            (sealer,) = [r for r in served.readings() if r.shape.measurement == "ethstats_sealer"]
            assert sealer.as_dict()["blocks_total"] == sealer.as_dict()["in_turn_blocks_total"] == len(blocks)
            assert dict(sealer.shape.tags)["sealer"] == last["miner"]
            assert not served.node("sealer-1").unreadable

    run(test())


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.stem)
def test_every_message_is_read_without_a_flaw(path: Path) -> None:
    read = 0
    for message in messages(path, "node"):
        kind, body = envelope(json.dumps(message))
        if kind in READ:
            decoded = decode(kind, body)
            assert not decoded.flawed
            assert decoded.id == "sealer-1"
            read += 1
    assert read > 40
