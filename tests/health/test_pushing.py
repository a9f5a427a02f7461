"""Chains whose nodes push: simulated geths push to a real listener, and nobody asks them, or somebody does as well."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest

from chainwatch.running import health_settings
from collector.about import About
from collector.configuration import Configuration
from collector.ethstats import Listening, News, block_of
from collector.ethstats.limits import Limits
from collector.health.assessment import Assessment, State
from collector.health.health import Health
from collector.observations import Observation
from collector.targets import Target
from compose.simulated import SimulatedCluster
from tests.command.processes import free_address
from tests.helpers import run

CHAIN = "lab"
GONE_AFTER = 3.0
"""Seconds; a node that pushes tells of a block each second."""


@dataclass
class Pushed:
    """A cluster that pushes, and the health that is told."""

    cluster: SimulatedCluster
    health: Health

    async def until(self, holds: Callable[[Assessment], bool], what: str, within: float = 15.0) -> Assessment:
        """Look four times a second, until what is said of the chain is so."""
        last = None
        for _ in range(int(within / 0.25)):
            [last] = self.health.assess()
            if holds(last):
                return last
            await asyncio.sleep(0.25)
        raise AssertionError(f"{what}: {last}")


@asynccontextmanager
async def pushing(*, clients: int = 2) -> AsyncIterator[Pushed]:
    """Let three sealers and some clients push, as `chainwatch run` has it, but gone after seconds."""
    address = free_address()
    chain = {"name": CHAIN, "kind": "ethereum", "ethstats": {"listen": address, "secret": "s3cret"}}
    configuration = Configuration.model_validate({"chains": [chain]})
    health = Health()

    def told(name: str, news: News) -> None:
        if block := block_of(news.link, news.block):
            health.pushed_block(name, news.node, block, news.at if news.arrived else None)

    listening = Listening(About(), Limits(gone_after=GONE_AFTER), told)
    await listening.apply(configuration)
    health.apply(health_settings(configuration), listening.pushing)
    async with SimulatedCluster(
        clients=clients,
        newer=0,
        producers=0,
        workers=0,
        ethereum_period=1,
        ethstats=f"ws://{{name}}:s3cret@{address}",
    ) as cluster:
        try:
            yield Pushed(cluster, health)
        finally:
            await listening.close()


def signals(now: Assessment) -> set[tuple[str, str]]:
    """Return what is found, with whom."""
    return {(finding.signal, finding.subject) for finding in now.findings}


def node_of(now: Assessment, name: str) -> State | None:
    """Return the state of a node; None if it is not known."""
    return next((node.state for node in now.nodes if node.node == name), None)


@pytest.mark.slow
def test_a_chain_that_nobody_asks() -> None:
    async def test() -> None:
        async with pushing() as at:
            well = await at.until(lambda now: now.delay_p95 is not None and len(now.nodes) == 5, "all push")
            assert signals(well) == set()
            assert all(node.pushes and node.state is State.UP for node in well.nodes)
            assert 0 <= (well.delay_p50 or 0) <= (well.delay_p95 or 0) < 1
            assert well.network_id
            assert well.making is not None
            assert well.making.kind == "clique"

            await at.cluster.nodes["client-1"].fault("lag", blocks=20)
            await at.cluster.nodes["client-2"].fault("clock", seconds=30.0)
            await at.until(lambda now: ("behind", "client-1") in signals(now), "it is behind")
            await at.until(lambda now: ("clock", "client-2") in signals(now), "its clock is off", 30)
            await at.cluster.nodes["client-1"].heal()
            await at.until(lambda now: signals(now) == {("clock", "client-2")}, "the other has caught up")

    run(test(), timeout=60)


@pytest.mark.slow
def test_a_fork_and_a_node_that_is_gone() -> None:
    async def test() -> None:
        async with pushing() as at:
            await at.until(lambda now: len(now.nodes) == 5, "all push")
            await at.cluster.nodes["client-2"].fault("fork", depth=1)
            await at.until(lambda now: ("fork", "") in signals(now), "a fork")

            await at.cluster.nodes["client-1"].fault("down")
            gone = await at.until(lambda now: ("node_down", "client-1") in signals(now), "it is gone")
            assert node_of(gone, "client-1") is State.DOWN
            assert not at.health.forget(CHAIN, "sealer-1"), "it is there"
            assert at.health.forget(CHAIN, "client-1")
            [forgotten] = at.health.assess()
            assert node_of(forgotten, "client-1") is None
            assert "client-1" not in {subject for _, subject in signals(forgotten)}

    run(test(), timeout=60)


@pytest.mark.slow
def test_a_node_that_is_asked_and_pushes_is_one_node() -> None:
    """What it pushes tells when it had blocks; that its RPC fails is told all the same."""

    async def test() -> None:
        async with pushing(clients=0) as at:
            await at.until(lambda now: len(now.nodes) == 3, "all push")
            target = Target(CHAIN, "ethereum", "sealer-1", "http://127.0.0.1:1", role="sealer", interval=1.0)
            at.health.follow([target])
            at.health.gathered(target, Observation(at=at.health.wall(), version="asked"))
            asked = await at.until(lambda now: now.delay_p95 is not None, "blocks arrive")
            assert [node.node for node in asked.nodes] == ["sealer-1", "sealer-2", "sealer-3"]
            [sealer] = [node for node in asked.nodes if node.node == "sealer-1"]
            assert (sealer.pushes, sealer.role, sealer.version) == (True, "sealer", "asked")
            for _ in range(2):
                at.health.failed(target, "timeout")
            await at.until(lambda now: ("node_down", "sealer-1") in signals(now), "it does not answer")
            at.health.follow([])
            alive = await at.until(lambda now: node_of(now, "sealer-1") is State.UP, "it pushes alone")
            assert signals(alive) == set()

    run(test(), timeout=60)
