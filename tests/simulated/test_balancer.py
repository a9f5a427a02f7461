"""A simulated load balancer: it answers as the nodes behind it, in turn or the first, and may be stale."""

from __future__ import annotations

import pytest

from compose.simulated import BalancerOptions, FaultError, SimulatedCluster
from tests.helpers import run
from tests.simulated.asking import Clock, asking, get, info, result

BALANCERS = [
    BalancerOptions(name="geth-lb", behind=("client-1", "client-2")),
    BalancerOptions(name="nodeos-lb", behind=("worker-1", "worker-2", "worker-3")),
    BalancerOptions(name="first-lb", behind=("worker-1", "worker-2"), in_turn=False),
]


def test_the_nodes_behind_it_answer_in_turn() -> None:
    async def scenario() -> None:
        async with SimulatedCluster(more=BALANCERS, clock=Clock()) as cluster, asking() as session:
            geths, first = cluster.balancers["geth-lb"], cluster.balancers["first-lb"]
            assert (geths.kind, geths.chain, geths.role) == ("ethereum", "ethereum-demo", "balancer")
            names = []
            for _ in range(4):
                async with session.post(geths.url, json=CALL) as response:
                    names.append((await response.json())["result"].split("/")[1])
            assert names in (["client-1", "client-2"] * 2, ["client-2", "client-1"] * 2)
            for _ in range(4):
                assert (await get(session, first.url + "/v1/chain/get_info"))[0] == 200
            assert cluster.nodes["worker-1"].requests.total == 4
            assert cluster.nodes["worker-2"].requests.total == 0
            assert first.describe()["served"]["answered"] == {"200": 4}
            assert cluster.describe()[-1] == first.describe()

    run(scenario())


CALL = {"jsonrpc": "2.0", "id": 1, "method": "web3_clientVersion", "params": []}


def test_a_node_that_is_down_is_passed_over_and_without_any_it_is_503() -> None:
    async def scenario() -> None:
        async with SimulatedCluster(more=BALANCERS, clock=Clock()) as cluster, asking() as session:
            url = cluster.balancers["nodeos-lb"].url + "/v1/chain/get_info"
            await cluster.nodes["worker-1"].fault("down")
            assert {(await get(session, url))[0] for _ in range(4)} == {200}
            await cluster.nodes["worker-2"].fault("error_500")
            assert {(await get(session, url))[0] for _ in range(4)} == {200, 500}
            await cluster.nodes["worker-2"].fault("down")
            await cluster.nodes["worker-3"].fault("down")
            assert await get(session, url) == (503, b"no server is available\n")

    run(scenario())


def test_it_is_stale_until_it_is_healed() -> None:
    async def scenario() -> None:
        clock = Clock()
        async with SimulatedCluster(more=BALANCERS, clock=clock) as cluster, asking() as session:
            geths, nodeoses = cluster.balancers["geth-lb"], cluster.balancers["nodeos-lb"]

            async def heads() -> tuple[str, int]:
                async with session.post(geths.url, json={**CALL, "method": "eth_blockNumber"}) as response:
                    number = (await response.json())["result"]
                async with session.get(nodeoses.url + "/v1/chain/get_info") as response:
                    return number, (await response.json())["head_block_num"]

            before = await heads()
            await geths.fault("stale")
            await nodeoses.fault("stale")
            clock.now += 60
            assert await heads() == before
            behind = await result(session, cluster.nodes["client-1"], "eth_blockNumber")
            assert int(behind, 16) == int(before[0], 16) + 20, "what is behind it goes on"
            assert (await info(session, cluster.nodes["worker-1"]))["head_block_num"] == before[1] + 120
            await geths.heal()
            await nodeoses.heal("stale")
            assert await heads() == (behind, before[1] + 120)
            await geths.fault("down")
            with pytest.raises(OSError, match="Connect call failed"):
                await get(session, geths.url)
            await geths.heal()
            assert (await heads())[0] == behind

    run(scenario())


def test_what_cannot_be_is_refused() -> None:
    async def scenario() -> None:
        async with SimulatedCluster(more=BALANCERS, clock=Clock()) as cluster:
            for name, parameters in (("lag", {}), ("stale", {"blocks": 3})):
                with pytest.raises(FaultError, match="a balancer has these faults, without parameters: down, stale"):
                    await cluster.balancers["geth-lb"].fault(name, **parameters)

    run(scenario())
    for options, says in (
        (BalancerOptions(name="x", behind=("nobody",)), "x: no node nobody"),
        (BalancerOptions(name="client-1", behind=("client-2",)), "client-1: another node has its name"),
        (BalancerOptions(name="x", behind=()), "at least one"),
        (BalancerOptions(name="x", behind=("client-1", "worker-1")), "nodes of one chain"),
    ):
        with pytest.raises(ValueError, match=says):
            SimulatedCluster(more=[options])
