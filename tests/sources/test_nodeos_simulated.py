"""The source for nodeos against simulated nodes: every version, and every fault that a node can be made to have."""

from __future__ import annotations

import asyncio
import logging
import math

import pytest

from collector.client import Client
from collector.failures import KINDS, Failure
from collector.readings import Kind, Reading
from collector.remarks import Remarks
from collector.sources.nodeos import Nodeos
from collector.targets import Target
from compose.simulated import FAULTS, NodeosNode, NodeosOptions, SimulatedCluster
from tests.helpers import run

DEADLINE = 10.0
SHORT_DEADLINE = 0.3
"""Seconds that the agent gives a gather here, and where none can end in time."""

SOUND = "sound"
FAILS = {  # by fault: the kind of failure, or SOUND where the node answers all the same
    "down": "refused",
    "hang": "timeout",
    "slow": "timeout",
    "half": "cut_off",
    "some": SOUND,  # until one is named
    "huge": "too_large",
    "html": "not_json",
    "garbage": "not_json",
    "wrong_types": "bad_answer",
    "number_for_tree": "bad_answer",
    "deep": "",  # as the decoder has it
    "nan": "bad_answer",
    "odd_names": SOUND,
    "bad_host": "bad_host",
    "unauthorized": "unauthorized",
    "too_many": "busy",
    "busy": "busy",
    "error_500": "http",
    "stall": SOUND,
    "lag": SOUND,
    "fork": SOUND,
    "split": SOUND,
    "no_peers": SOUND,
    "paused": SOUND,
    "skip": SOUND,
    "double": SOUND,
    "mute": SOUND,
    "clock": SOUND,
    "restart": SOUND,
}


def test_every_fault_has_an_expectation() -> None:
    assert FAILS.keys() == {name for name, fault in FAULTS.items() if "nodeos" in fault.kinds}


class Gathering:
    """A source at work on a simulated node."""

    def __init__(self, node: object, deadline: float = DEADLINE) -> None:
        assert isinstance(node, NodeosNode)
        self.node = node
        self.deadline = deadline
        self.problems: list[tuple[str, str]] = []
        self.client = Client(node.url, advice=Nodeos.advice)
        self.source = Nodeos(
            Target("demo", "nodeos", node.name, node.url, metrics_url=node.metrics_url, timeout=deadline),
            self.client,
            Remarks(logging.getLogger("chainwatch"), node.name),
            lambda kind, message: self.problems.append((kind, message)),
        )

    async def gather(self) -> list[Reading]:
        """Gather once, as the agent does."""
        async with asyncio.timeout(self.deadline):
            readings = await self.source.gather()
        keys = [reading.shape.key for reading in readings]
        assert len(keys) == len(set(keys))
        for reading in readings:
            for field, value in zip(reading.shape.fields, reading.values, strict=True):
                assert isinstance(value, str) if field.kind is Kind.TEXT else math.isfinite(float(value))
        return readings

    async def kind(self) -> str:
        """Gather once, and return the kind of the failure, or SOUND."""
        try:
            await self.gather()
        except TimeoutError:
            return "timeout"
        except Failure as failure:
            return failure.kind
        return SOUND


def _of(readings: list[Reading], measurement: str) -> dict[str, object]:
    return dict(next(reading for reading in readings if reading.shape.measurement == measurement).as_dict())


@pytest.mark.parametrize("version", NodeosNode.versions)
def test_every_version_is_gathered_without_a_complaint(version: str) -> None:
    async def test() -> None:
        more = [
            NodeosOptions(name="bp", chain="own", role="producer", version=version),
            NodeosOptions(name="api", chain="own", version=version),
        ]
        async with SimulatedCluster(sealers=0, clients=0, newer=0, producers=0, workers=0, more=more) as cluster:
            at_work = Gathering(cluster.nodes["api"])
            for _ in range(2):
                chain = _of(await at_work.gather(), "chain")
            assert at_work.problems == []
            assert chain["peers"] == 1
            assert chain["producers"] == 1
            assert chain["producer_paused"] == 0
            assert at_work.node.snapshots == at_work.node.pauses == 0
            assert at_work.node.connections <= 2
            await at_work.client.close()

    run(test())


@pytest.mark.parametrize("fault", FAILS)
def test_a_fault_is_named_and_passes(fault: str) -> None:
    """Whether the fault is there from the start or comes later; once it is gone, all is as before."""

    async def test() -> None:
        async with SimulatedCluster(sealers=0, clients=0, newer=0) as cluster:
            at_work = Gathering(cluster.nodes["worker-1"])
            before = _of(await at_work.gather(), "chain").keys()
            fresh = Gathering(cluster.nodes["worker-1"])
            await at_work.node.fault(fault)
            if FAILS[fault] == "timeout":
                at_work.deadline = fresh.deadline = SHORT_DEADLINE
            kinds = {await at_work.kind(), await fresh.kind()}
            assert kinds <= {*KINDS, SOUND} - {"internal"}
            assert FAILS[fault] in ("", *kinds)
            assert len(kinds) == 1
            await at_work.node.heal()
            at_work.deadline = DEADLINE
            assert _of(await at_work.gather(), "chain").keys() == before
            await at_work.client.close()
            await fresh.client.close()

    run(test())


def test_what_a_fault_changes_is_told() -> None:
    async def test() -> None:
        async with SimulatedCluster(sealers=0, clients=0, newer=0) as cluster:
            producer, worker = (Gathering(cluster.nodes[name]) for name in ("producer-1", "worker-2"))
            await producer.node.fault("paused")
            await worker.node.fault("no_peers")
            assert _of(await producer.gather(), "chain")["producer_paused"] == 1
            assert _of(await worker.gather(), "chain")["peers"] == 0
            await worker.node.heal()
            assert _of(await worker.gather(), "chain")["peers"] != 0
            await producer.client.close()
            await worker.client.close()

    run(test())


def test_an_upgrade_is_noticed() -> None:
    async def test() -> None:
        async with SimulatedCluster(sealers=0, clients=0, newer=0) as cluster:
            at_work = Gathering(cluster.nodes["worker-1"])
            await at_work.gather()
            counts = at_work.node.requests.counts
            await at_work.gather()
            assert counts["GET /v1/node/get_supported_apis"] == 1
            await at_work.node.fault("restart", version="spring-1.2")
            info = next(reading for reading in await at_work.gather() if reading.shape.measurement == "chain_node")
            assert dict(info.shape.tags)["version"].startswith("v1.2")
            assert counts["GET /v1/node/get_supported_apis"] == 2
            await at_work.client.close()

    run(test())
