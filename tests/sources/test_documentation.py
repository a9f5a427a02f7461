"""docs/sources.md: its example works, and it names all that the sources ask."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from collector.client import Client
from collector.failures import Failure
from collector.observations import Block, Comparable, Network, Observation
from collector.sources.ethereum import methods
from collector.sources.nodeos.endpoints import BLOCKS, INFO, PARTS
from collector.targets import Target
from tests.answering import Answer, Answering, json
from tests.helpers import run

PAGE = (Path(__file__).parents[2] / "docs" / "sources.md").read_text()

STATUS = {
    "result": {
        "sync_info": {"latest_block_height": "1000", "catching_up": False},
        "validator_info": {"voting_power": "10"},
    }
}


def test_the_example_is_a_source() -> None:
    """It gathers what it says it does, goes on without a part that fails, and names what is no answer."""
    found = re.search(r"```python\n(.*?)```", PAGE, re.DOTALL)
    assert found
    example: dict[str, Any] = {}
    exec(compile(found[1], "docs/sources.md", "exec"), example)
    problems: list[str] = []

    async def test() -> None:
        answers = {"/status": json(STATUS), "/net_info": json({"result": {"n_peers": "7"}})}
        async with Answering({**answers}) as server:
            target = Target("lab", "cometbft", "validator-1", server.url)
            client = Client(server.url, advice=example["CometBFT"].advice)
            source = example["CometBFT"](target, client, None, lambda kind, _: problems.append(kind))
            chain, own = await source.gather()
            assert chain.shape.measurement == "chain"
            assert chain.as_dict() == {"head_block_number": 1_000, "syncing": 0, "peers": 7}
            assert own.as_dict() == {"validator_voting_power": 10}
            server.answers["/net_info"] = Answer(status=500)
            chain, _ = await source.gather()
            assert "peers" not in chain.as_dict()
            assert problems == ["http"]
            await source.close()
            await client.close()

    run(test())


BLOCK = {
    "block_id": {"hash": "AB" * 32},
    "block": {
        "header": {
            "chain_id": "lab-1",
            "height": "1000",
            "time": "2026-11-21T07:07:06.512345678Z",
            "last_block_id": {"hash": "CD" * 32},
            "proposer_address": "EF" * 20,
        }
    },
}


def test_the_example_of_a_source_that_can_be_compared_is_one() -> None:
    """It tells its head and the blocks that it is asked for, and nothing where the gather failed."""
    example: dict[str, Any] = {}
    for found in re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL):
        exec(compile(found, "docs/sources.md", "exec"), example)

    async def test() -> None:
        block = json({"result": BLOCK})
        async with Answering({"/status": json(STATUS), "/block": block, "/block?height=7": block}) as server:
            target = Target("lab", "cometbft", "validator-1", server.url)
            client = Client(server.url, wall=lambda: 5.0)
            source = example["ComparableCometBFT"](target, client, None, lambda *_: None)
            comparable: object = source
            assert isinstance(comparable, Comparable)
            await source.gather()
            head = Block(1_000, "AB" * 32, 1_795_244_826.0, parent="CD" * 32, maker="EF" * 20)
            assert source.observation == Observation(at=5.0, head=head, network=Network(chain_id="lab-1"))
            assert await source.blocks([7]) == [head]
            server.answers["/block"] = json({"result": None})
            with pytest.raises(Failure):
                await source.gather()
            assert source.observation is None
            await client.close()

    run(test())


def test_everything_that_is_asked_is_on_the_page() -> None:
    asked = [f"`{call.method}`" for call in methods.READERS]
    asked += [f"`{call.method}`" for call, _ in methods.IDENTITY.values()]
    asked += [f"`{methods.DEBUG_METRICS.method}`"]
    asked += [f"`{call.method}`" for call in methods.FACTS]
    for endpoint in (INFO, *PARTS, *BLOCKS):
        asked += [f"| `{endpoint.path}` |", *([f"`{endpoint.plugin}`"] if endpoint.plugin else [])]
    assert [name for name in asked if name not in PAGE] == []
