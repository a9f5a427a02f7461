"""How the tests of the simulated cluster ask its nodes, and compare what they answer with what was recorded."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

from compose.simulated import AnyNode

SAMPLES = Path(__file__).parent / "samples"
START = 1_800_000_000.0


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self, now: float = START) -> None:
        self.now = now

    def __call__(self) -> float:
        """Return the seconds since 1970."""
        return self.now


@asynccontextmanager
async def asking(patience: float = 5.0) -> AsyncIterator[aiohttp.ClientSession]:
    """Yield a client that keeps no connection for later and gives up after `patience` seconds."""
    connector = aiohttp.TCPConnector(force_close=True)
    async with aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout(total=patience)) as session:
        yield session


async def call(session: aiohttp.ClientSession, node: AnyNode, method: str, *parameters: object) -> Any:  # noqa: ANN401 - JSON can be anything
    """Return the whole answer to a JSON-RPC call."""
    asked = {"jsonrpc": "2.0", "id": 1, "method": method, "params": list(parameters)}
    async with session.post(node.url, json=asked) as response:
        assert response.status == 200
        return json.loads(await response.read())


async def result(session: aiohttp.ClientSession, node: AnyNode, method: str, *parameters: object) -> Any:  # noqa: ANN401 - as above
    """Return the result of a JSON-RPC call that succeeds."""
    return (await call(session, node, method, *parameters))["result"]


async def get(session: aiohttp.ClientSession, url: str) -> tuple[int, bytes]:
    """Return the status and the body."""
    async with session.get(url) as response:
        return response.status, await response.read()


async def info(session: aiohttp.ClientSession, node: AnyNode) -> Any:  # noqa: ANN401 - as above
    """Return what `get_info` says."""
    status, body = await get(session, node.url + "/v1/chain/get_info")
    assert status == 200, body
    return json.loads(body)


def shape(value: object) -> object:
    """Return what a document is made of: names and types, with the lengths of hashes and the like.

    Names that are data themselves (addresses, block numbers) count as one.
    """
    if isinstance(value, dict):
        return {_name(key): shape(inner) for key, inner in value.items()}
    if isinstance(value, list):
        kinds = sorted(map(shape, value), key=repr)
        return [kind for i, kind in enumerate(kinds) if kind not in kinds[:i]]
    if isinstance(value, bool) or value is None:
        return type(value).__name__
    if isinstance(value, (int, float)):
        return "number"
    assert isinstance(value, str)
    if re.fullmatch(r"(0x)?[0-9a-f]{40,}", value):
        return f"{len(value)} hexadecimal digits"
    return re.sub(r"[0-9a-zA-Z_\-]+", "a", value)


def _name(key: str) -> str:
    if re.fullmatch(r"0x[0-9a-f]{40}", key):
        return "address"
    return "number" if key.isdigit() else key
