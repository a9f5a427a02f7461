"""The cluster as a whole: who is in it, that it opens and ends cleanly, that many nodes are cheap."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time
from collections import Counter
from pathlib import Path

import aiohttp
import pytest

from compose.simulated import GethOptions, NodeosOptions, SimulatedCluster
from compose.simulated.control import Control
from tests.helpers import run
from tests.simulated.asking import Clock, asking, call, info, result


def open_files() -> set[str]:
    """Return what this process has open, each by a name of its own."""
    found = set()
    for path in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):  # the directory itself
            found.add(str(path.readlink()))
    return found


def test_the_default_is_both_chains_in_small() -> None:
    cluster = SimulatedCluster()
    assert Counter((node.kind, node.role, node.version) for node in cluster.nodes.values()) == {
        ("ethereum", "sealer", "1.8.27"): 3,
        ("ethereum", "client", "1.8.27"): 2,
        ("ethereum", "client", "1.10.26"): 2,
        ("nodeos", "producer", "4.0"): 1,
        ("nodeos", "worker", "4.0"): 3,
    }
    assert {node.chain for node in cluster.nodes.values()} == {"ethereum-demo", "nodeos-demo"}


def test_nodes_of_a_chain_agree_and_chains_differ() -> None:
    async def scenario() -> None:
        more: list[GethOptions | NodeosOptions] = [
            GethOptions(name="far-sealer", role="sealer", chain="far"),
            GethOptions(name="far-client", chain="far"),
            NodeosOptions(name="far-producer", role="producer", chain="far-nodeos"),
        ]
        async with SimulatedCluster(more=more, clock=Clock(), ethereum_chain="lab") as cluster, asking() as session:
            heads: dict[str, set[str]] = {}
            for node in cluster.nodes.values():
                if node.kind == "ethereum":
                    block = await result(session, node, "eth_getBlockByNumber", "latest", False)
                    heads.setdefault(node.chain, set()).add(block["hash"])
                else:
                    heads.setdefault(node.chain, set()).add((await info(session, node))["head_block_id"])
            assert set(heads) == {"lab", "far", "nodeos-demo", "far-nodeos"}
            assert all(len(hashes) == 1 for hashes in heads.values())
            assert len(set.union(*heads.values())) == 4
            assert await result(session, cluster.nodes["far-client"], "net_peerCount") == "0x1"

    run(scenario())


def test_it_leaves_neither_tasks_nor_sockets() -> None:
    async def scenario() -> None:
        before = open_files()
        for _ in range(2):
            async with SimulatedCluster(control=True) as cluster, aiohttp.ClientSession() as session:
                await cluster.nodes["sealer-1"].fault("down")
                await call(session, cluster.nodes["sealer-2"], "eth_blockNumber")
                assert len(open_files() - before) > 10
            await asyncio.sleep(0.05)
            assert not open_files() - before
        assert asyncio.all_tasks() == {asyncio.current_task()}
        await cluster.nodes["sealer-2"].fault("down")
        await cluster.nodes["sealer-2"].fault("restart")
        assert not open_files() - before, "faults after the end open nothing"

    asyncio.run(scenario())


def test_a_cluster_that_cannot_open_leaves_nothing() -> None:
    async def scenario() -> None:
        before = open_files()
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            with pytest.raises(OSError, match="address already in use"):
                async with SimulatedCluster(control=True, control_port=taken.getsockname()[1]):
                    raise AssertionError("it opened")
        assert not open_files() - before

    asyncio.run(scenario())


def test_everything_is_on_loopback() -> None:
    async def scenario() -> None:
        async with SimulatedCluster(control=True) as cluster:
            urls = [node.url for node in cluster.nodes.values()] + [cluster.control_url]
            urls += [node.metrics_url for node in cluster.nodes.values() if node.metrics_url]
            assert len(set(urls)) == len(urls) == 11 + 1 + 6
            assert all(url.startswith("http://127.0.0.1:") for url in urls)

    run(scenario())


def test_two_hundred_nodes_are_cheap() -> None:
    async def scenario() -> None:
        begun = time.process_time()
        async with SimulatedCluster(sealers=5, clients=200, newer=10, producers=21, workers=50) as cluster:
            assert len(cluster.nodes) == 286
            assert time.process_time() - begun < 3
            async with asking() as session:
                assert await result(session, cluster.nodes["client-200"], "eth_blockNumber") == "0x100"
                assert (await info(session, cluster.nodes["worker-50"]))["head_block_num"] > 900

    run(scenario())


def test_counts_may_be_zero() -> None:
    async def scenario() -> None:
        async with SimulatedCluster(sealers=0, producers=0) as cluster, asking() as session:
            assert await result(session, cluster.nodes["client-1"], "eth_blockNumber") == "0x0"
            assert await result(session, cluster.nodes["newer-1"], "clique_getSigners") == []
            assert (await result(session, cluster.nodes["newer-1"], "clique_status"))["numBlocks"] == 0
            assert (await info(session, cluster.nodes["worker-1"]))["head_block_num"] == 1
        async with SimulatedCluster(sealers=0, clients=0, newer=0, producers=0, workers=0) as empty:
            assert not empty.nodes

    run(scenario())


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"sealers": -1}, "a count is below 0"),
        ({"nodeos_period": 0}, "a period is not above 0"),
        ({"more": [GethOptions(name="sealer-1")]}, "two nodes are named sealer-1"),
        ({"more": [GethOptions(name="x", version="1.9")]}, "x: no version '1.9'; there are 1.8.27, 1.10.26"),
        ({"more": [NodeosOptions(name="x", role="producer", version="9")]}, "x: no version '9'"),
        ({"more": [NodeosOptions(name="x", plugins=frozenset({"chain"}))]}, "x: no plugin chain; there are chain_api"),
    ],
)
def test_what_cannot_be_is_refused(options: dict[str, object], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        SimulatedCluster(**options)  # type: ignore[arg-type]


def test_blocks_come_by_the_real_clock_too() -> None:
    async def scenario() -> None:
        async with SimulatedCluster(ethereum_period=0.05, nodeos_period=0.05) as cluster, asking() as session:
            geth, nodeos = cluster.nodes["client-1"], cluster.nodes["worker-1"]
            before = (
                int(await result(session, geth, "eth_blockNumber"), 16),
                (await info(session, nodeos))["head_block_num"],
            )
            await asyncio.sleep(0.3)
            after = (
                int(await result(session, geth, "eth_blockNumber"), 16),
                (await info(session, nodeos))["head_block_num"],
            )
            assert after[0] > before[0]
            assert after[1] > before[1]

    run(scenario())


def test_a_port_is_kept_while_a_node_is_down() -> None:
    async def scenario() -> None:
        async with SimulatedCluster() as cluster, asking() as session:
            node = cluster.nodes["sealer-1"]
            port = int(node.url.rpartition(":")[2])
            for _ in range(3):
                await node.fault("down")
                await node.fault("down")
                with socket.socket() as thief, pytest.raises(OSError, match="in use"):
                    thief.bind(("127.0.0.1", port))
                await node.heal()
                await node.heal()
                assert await result(session, node, "net_version") == "18"
                assert node.url.endswith(f":{port}")

    run(scenario())


def test_control_without_nodes_answers() -> None:
    async def scenario() -> None:
        control = Control({})
        await control.open()
        try:
            async with asking() as session, session.get(control.url) as response:
                assert (await response.json())["nodes"] == []
        finally:
            await control.end()

    run(scenario())
