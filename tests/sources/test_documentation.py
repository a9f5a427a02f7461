"""docs/sources.md: its example works, and it names all that the sources ask."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from collector.client import Client
from collector.sources.ethereum import methods
from collector.sources.nodeos.endpoints import INFO, PARTS
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


def test_everything_that_is_asked_is_on_the_page() -> None:
    asked = [f"`{call[0]}`" for call in methods.READERS]
    asked += [f"`{call[0]}`" for call, _ in methods.IDENTITY.values()]
    asked += [f"`{methods.DEBUG_METRICS[0]}`"]
    for endpoint in (INFO, *PARTS):
        asked += [f"| `{endpoint.path}` |", *([f"`{endpoint.plugin}`"] if endpoint.plugin else [])]
    assert [name for name in asked if name not in PAGE] == []
