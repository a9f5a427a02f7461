"""A network that falls apart: each side goes on by itself, and joined again all take the better branch."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import hypothesis
import pytest
from hypothesis import strategies as st

from compose.simulated import AnyNode, FaultError, GethNode, NodeosNode, SimulatedCluster
from tests.helpers import run
from tests.simulated.asking import Clock, asking, call, info, result

ETHEREUM, NODEOS = "ethereum-demo", "nodeos-demo"


@asynccontextmanager
async def two_chains(**options: Any) -> AsyncIterator[tuple[SimulatedCluster, Clock]]:  # noqa: ANN401 - of every type
    clock = Clock()
    counts = {"sealers": 3, "clients": 3, "newer": 0, "producers": 4, "workers": 4}
    async with SimulatedCluster(clock=clock, **{**counts, **options}) as cluster:
        yield cluster, clock


def hashes(node: AnyNode) -> list[str]:
    """Return the hash of each block that a node has of its last 400, the oldest first."""
    node.ledger.advance()
    numbers = range(max(node.head.number - 400, 1), node.head.number + 1)
    if isinstance(node, GethNode):
        return [node.clique.hash(number, node.fork) for number in numbers]
    return [node.id_of(number) for number in numbers]


def parting(one: AnyNode, other: AnyNode) -> int:
    """Return how many of the last blocks of the first are not blocks of the second."""
    return len(set(hashes(one)) - set(hashes(other)))


def test_a_side_with_too_few_sealers_halts_and_takes_the_others_branch() -> None:
    async def scenario() -> None:
        async with two_chains() as (cluster, clock), asking() as session:
            nodes = cluster.nodes
            inside, outside = nodes["client-1"], nodes["client-2"]
            before = inside.head.number
            await cluster.split(ETHEREUM, ["sealer-1", "client-1"])
            assert parting(inside, outside) == 0
            clock.now += 60
            outside.ledger.advance()
            inside.ledger.advance()
            assert outside.head.number - before >= 15
            assert inside.head.number - before <= 1, "one sealer of three seals one block at most"
            assert hashes(nodes["sealer-1"]) == hashes(inside)
            assert hashes(nodes["sealer-2"]) == hashes(outside)
            assert await result(session, inside, "net_peerCount") == "0x1"
            assert await result(session, outside, "net_peerCount") == "0x3"
            lost = parting(inside, outside)
            assert lost == inside.head.number - before
            await cluster.join(ETHEREUM)
            assert hashes(inside) == hashes(outside)
            assert await result(session, inside, "net_peerCount") == "0x5"
            assert not any(node.faults for node in nodes.values())
            clock.now += 30
            assert parting(inside, outside) == 0
            assert len({id(node.ledger) for node in nodes.values() if node.chain == ETHEREUM}) == 1

    run(scenario())


def test_headers_of_both_branches_link_up_to_the_common_one() -> None:
    async def scenario() -> None:
        async with two_chains(sealers=4) as (cluster, clock), asking() as session:
            sides = (["sealer-1", "sealer-2", "sealer-3", "client-1"], ["sealer-4", "client-2", "client-3"])
            common = cluster.nodes["client-1"].head.number
            await cluster.split(ETHEREUM, *sides)
            clock.now += 60
            found: list[list[str]] = []
            for name in ("client-1", "client-2"):
                chain: list[str] = []
                node = cluster.nodes[name]
                head = int(await result(session, node, "eth_blockNumber"), 16)
                for number in range(common - 3, head + 1):
                    block = await result(session, node, "eth_getBlockByNumber", hex(number), False)
                    assert not chain or block["parentHash"] == chain[-1]
                    chain.append(block["hash"])
                found.append(chain)
            assert found[0][:4] == found[1][:4]
            assert not set(found[0][4:]) & set(found[1][4:])
            assert len(found[0]) > 10
            assert len(found[1]) in (4, 5), "one of four seals one, or none if it sealed lately"

    run(scenario())


def test_two_halves_of_four_producers_go_on_without_finality() -> None:
    async def scenario() -> None:
        async with two_chains() as (cluster, clock), asking() as session:
            one, other = cluster.nodes["worker-1"], cluster.nodes["worker-2"]
            await cluster.split(
                NODEOS, ["producer-1", "producer-2", "worker-1"], ["producer-3", "producer-4", "worker-2"]
            )
            clock.now += 60
            said = [await info(session, node) for node in (one, other)]
            clock.now += 60
            later = [await info(session, node) for node in (one, other)]
            for before, after in zip(said, later, strict=True):
                assert 48 <= after["head_block_num"] - before["head_block_num"] <= 72, "half of the blocks"
                assert after["last_irreversible_block_num"] == before["last_irreversible_block_num"]
            assert later[0]["head_block_id"] != later[1]["head_block_id"]
            assert {later[0]["head_block_producer"], later[1]["head_block_producer"]} & {"prodaa", "prodab"}
            lost = parting(other, one)
            assert lost > 100
            await cluster.join(NODEOS)
            assert hashes(one) == hashes(other)
            clock.now += 60
            assert (await info(session, one))["last_irreversible_block_num"] > later[0]["last_irreversible_block_num"]

    run(scenario())


def test_what_a_producer_made_on_the_lost_branch_stays_counted() -> None:
    async def scenario() -> None:
        async with two_chains() as (cluster, clock):
            lone = cluster.nodes["producer-4"]
            assert isinstance(lone, NodeosNode)
            await cluster.split(NODEOS, ["producer-4"])
            clock.now += 120
            lone.ledger.advance()
            made = lone.produced
            assert lone.head.producer == 3
            await cluster.join(NODEOS)
            assert lone.produced == made
            assert lone.antelope.active == set(lone.antelope.producers)

    run(scenario())


def test_connections_of_nodeos_across_the_split_are_broken() -> None:
    async def scenario() -> None:
        async with two_chains() as (cluster, _), asking() as session:
            await cluster.split(NODEOS, ["worker-1", "worker-2"])
            async with session.get(cluster.nodes["worker-2"].url + "/v1/net/connections") as response:
                peers = {one["last_handshake"]["agent"] for one in await response.json()}
            assert peers == {"worker-1", ""}

    run(scenario())


def test_a_node_that_stalls_keeps_the_block_it_had() -> None:
    async def scenario() -> None:
        async with two_chains() as (cluster, clock), asking() as session:
            node = cluster.nodes["client-1"]
            await cluster.split(ETHEREUM, ["sealer-1", "client-1"])
            clock.now += 10
            await result(session, node, "eth_blockNumber")
            await node.fault("stall")
            before = await result(session, node, "eth_getBlockByNumber", "latest", False)
            clock.now += 60
            await cluster.join(ETHEREUM)
            clock.now += 60
            assert await result(session, node, "eth_getBlockByNumber", "latest", False) == before
            await node.heal()
            assert hashes(node) == hashes(cluster.nodes["client-2"])

    run(scenario())


def test_what_cannot_be_split_is_refused() -> None:
    async def scenario() -> None:
        async with two_chains() as (cluster, _):
            with pytest.raises(FaultError, match="no chain 'nowhere'; there are ethereum-demo, nodeos-demo"):
                await cluster.split("nowhere", [])
            for sides in ((["nobody"],), (["sealer-1"], ["sealer-1"]), (["worker-1"],)):
                with pytest.raises(FaultError, match="is no node of ethereum-demo, or is named twice"):
                    await cluster.split(ETHEREUM, *sides)
            assert not any(node.faults for node in cluster.nodes.values())

    run(scenario())


SIDES = st.lists(st.sampled_from(["", "1", "2"]), min_size=6, max_size=6)


@hypothesis.given(st.lists(st.tuples(SIDES, st.floats(0, 40)), max_size=8))
@hypothesis.settings(max_examples=25)
def test_however_it_falls_apart_sides_agree_within_and_all_agree_in_the_end(
    steps: list[tuple[list[str], float]],
) -> None:
    clock = Clock()
    cluster = SimulatedCluster(sealers=3, clients=3, newer=0, producers=4, workers=2, clock=clock)
    for kind in ("ethereum", "nodeos"):
        nodes = [node for node in cluster.nodes.values() if node.kind == kind]
        network = nodes[0].network
        final: list[int] = [0] * len(nodes)
        for sides, elapsed in steps:
            groups = [[n.name for n, side in zip(nodes, sides, strict=True) if side == name] for name in ("1", "2")]
            network.split(*groups)
            clock.now += elapsed
            for i, node in enumerate(nodes):
                for other in nodes:
                    if node.side == other.side:
                        assert node.ledger is other.ledger
                    else:
                        assert node.ledger is not other.ledger
                if isinstance(node, NodeosNode):
                    node.ledger.advance()
                    assert node.head.irreversible >= final[i], "what is irreversible is never given up"
                    final[i] = node.head.irreversible
        network.join()
        assert len({tuple(hashes(node)) for node in nodes}) == 1
        before = nodes[0].head.number
        clock.now += 100
        assert len({tuple(hashes(node)) for node in nodes}) == 1
        assert nodes[0].head.number > before


def test_asking_a_split_chain_for_what_only_the_other_side_has_is_no_error() -> None:
    async def scenario() -> None:
        async with two_chains() as (cluster, clock), asking() as session:
            await cluster.split(ETHEREUM, ["client-1"])
            clock.now += 60
            head = await result(session, cluster.nodes["client-2"], "eth_blockNumber")
            assert await result(session, cluster.nodes["client-1"], "eth_getBlockByNumber", head, False) is None
            assert (await call(session, cluster.nodes["client-1"], "clique_getSnapshot", head))["error"]

    run(scenario())
