"""What `chainwatch load` counts beside what the simulated worker, in a process of its own, says that it did."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest

from compose.simulated import SimulatedCluster
from tests.compose.load.making import run
from tests.compose.load.test_command import ROOT, load

ONLY_WORKER = ["--sealers", "0", "--clients", "0", "--newer", "0", "--producers", "1", "--workers", "1"]
LATE = 3.0
"""Seconds that no answer takes by itself, however busy the machine."""
TROUBLE = {"drop": 40, "reset": 30, "delay": 20, "busy": 50, "seconds": LATE + 0.5}


@asynccontextmanager
async def simulated() -> AsyncIterator[tuple[str, str]]:
    """Run the simulated worker; yield its URL, and where the control interface has it."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "compose.simulated", *ONLY_WORKER, stdout=asyncio.subprocess.PIPE, cwd=ROOT
    )
    try:
        assert process.stdout is not None
        ready = json.loads(await process.stdout.readline())
        yield next(node["url"] for node in ready["nodes"] if node["name"] == "worker-1"), ready["control"]
    finally:
        process.terminate()
        await process.wait()


async def described(control: str) -> dict[str, Any]:
    """Return what the control interface says of the worker."""
    async with aiohttp.request("GET", control) as answer:
        nodes = (await answer.json())["nodes"]
    node: dict[str, Any] = next(node for node in nodes if node["name"] == "worker-1")
    return node


@pytest.mark.parametrize(
    ("requests", "workers"),
    [(20_000, 50), pytest.param(100_000, 500, marks=pytest.mark.slow)],
)
def test_both_count_the_same(requests: int, workers: int) -> None:
    trouble = {**TROUBLE, "every": requests // 200}
    struck = sum(TROUBLE[kind] for kind in ("drop", "reset", "busy"))

    async def test() -> None:
        async with simulated() as (url, control):
            async with aiohttp.request("POST", f"{control}nodes/worker-1/faults/some", json=trouble) as answer:
                assert answer.status == 200
            asked = ["--workers", str(workers), "--requests", str(requests), "--late", str(LATE), "--timeout", "30"]
            told = (await load(url, *asked, "--json")).told
            node = await described(control)
            served = node["served"]
            assert told["requests"] == told["made"] == node["requests"] == requests
            assert told["failed_by"] == {"closed": 40, "reset": 30, "status_503": 50}
            assert served["answered"] == {"200": told["ok"], "503": 50}
            assert (served["dropped"], served["reset"], served["cut"]) == (40, 30, 0)
            assert told["ok"] == requests - struck
            assert told["late"] == served["delayed"] == 20

    run(test(), timeout=90)


def test_geth_counts_the_same() -> None:
    async def test() -> None:
        async with SimulatedCluster(sealers=1, clients=0, newer=0, producers=0, workers=0) as cluster:
            node = cluster.nodes["sealer-1"]
            await node.fault("some", every=5, drop=30, reset=20, busy=10)
            told = (await load(node.url, "--requests", "500", "--call", "net_peerCount", "--json")).told
            assert told["failed_by"] == {"closed": 30, "reset": 20, "status_503": 10}
            assert node.served.answered == {200: told["ok"], 503: 10}
            assert node.requests.total == told["made"] == 500

    run(test())
