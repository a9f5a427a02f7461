"""Exporters are told which servers are watched, before anything comes of them; of one that is gone nothing comes."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Sequence
from dataclasses import replace

import pytest

from collector.about import About
from collector.agent import Agent, Chain
from collector.client import Client
from collector.readings import Field, Reading, Shape
from collector.remarks import Remarks
from collector.sources import Problems
from collector.targets import Target
from tests.faults.watching import Kept
from tests.helpers import run

A, B, C = (Target("lab", "made-up", name, "http://127.0.0.1:1", interval=0.1, timeout=0.08) for name in "abc")


class Changing:
    """Servers that a test changes."""

    def __init__(self, *targets: Target) -> None:
        self.now = list(targets)

    async def targets(self) -> list[Target]:
        """Return them."""
        return list(self.now)


class Source:
    """Gathers one number, after a while if `gate` is one, and even when it is cancelled if it is `stubborn`."""

    advice: dict[str, str] = {}  # noqa: RUF012 - never changed

    def __init__(self, gate: asyncio.Event | None = None, *, stubborn: bool = False) -> None:
        self._gate = gate
        self._stubborn = stubborn
        self.ended = 0

    def __call__(self, target: Target, client: Client, remarks: Remarks, problems: Problems) -> Source:  # noqa: ARG002
        """Be the factory, and the source that it makes."""
        self._target = target
        self._problems = problems
        return self

    async def gather(self) -> list[Reading]:
        """Do it."""
        try:
            if self._gate:
                await self._gate.wait()
        except asyncio.CancelledError:
            if not self._stubborn:
                raise
            self._problems("bad_answer", "it was cancelled, and does not mind")
        self.ended += 1
        return [Reading(Shape("chain", self._target.tags, [Field("peers")]), [3], time.time_ns())]

    async def close(self) -> None:
        """Have nothing to close."""


class Following(Kept):
    """Notes in one list which servers it was told of, and of which it was given readings."""

    def __init__(self) -> None:
        super().__init__()
        self.order: list[object] = []

    def follow(self, targets: Sequence[Target]) -> None:
        """Note them."""
        self.order.append([target.name for target in targets])

    def take(self, readings: Sequence[Reading], interval: float) -> None:
        """Note their nodes."""
        super().take(readings, interval)
        for reading in readings:
            node = dict(reading.shape.tags).get("node")
            if node and node not in self.order:
                self.order.append(node)

    def in_order(self) -> list[object]:
        """Return all of it, with new nodes between two changes as a set."""
        found: list[object] = []
        for known in self.order:
            if not isinstance(known, str):
                found.append(known)
            elif found and isinstance(found[-1], set):
                found[-1].add(known)
            else:
                found.append({known})
        return found

    def told(self) -> list[object]:
        """Return what it was told alone."""
        return [known for known in self.order if isinstance(known, list)]


def counted(about: About) -> set[str]:
    """Return the nodes that chainwatch's own metrics name."""
    return {
        sample.labels["node"]
        for metric in about.registry.collect()
        for sample in metric.samples
        if "node" in sample.labels
    }


def test_exporters_are_told_at_every_change_and_before_the_first_readings() -> None:
    async def scenario() -> None:
        servers, exporter, about = Changing(A, B), Following(), About()
        agent = Agent(lambda _: Source(), [exporter], about)
        await agent.watch([Chain("lab", 0.1, servers)], 3600.0)
        await asyncio.sleep(0.35)
        assert exporter.in_order() == [["a", "b"], {"a", "b"}]
        servers.now = [B, C]
        await asyncio.sleep(0.35)
        assert exporter.in_order() == [["a", "b"], {"a", "b"}, ["b", "c"], {"c"}]
        late = Following()
        agent.exporters = [exporter, late]
        assert late.order == [["b", "c"]]
        servers.now = []
        await asyncio.sleep(0.25)
        assert exporter.told() == [["a", "b"], ["b", "c"], []]
        assert late.told() == [["b", "c"], []]
        assert counted(about) == set()
        await agent.stop(1.0)
        assert len(exporter.told()) == 3

    run(scenario())


def test_the_end_is_no_change() -> None:
    async def scenario() -> None:
        exporter, about = Following(), About()
        agent = Agent(lambda _: Source(), [exporter], about)
        await agent.watch([Chain("lab", 3600.0, Changing(A))], 3600.0)
        await agent.watch([Chain("lab", 3600.0, Changing(A))], 3600.0)
        await agent.stop(1.0)
        assert exporter.told() == [["a"]]
        assert counted(about) == set()

    run(scenario())


def test_an_exporter_hears_of_no_servers_before_they_are_known() -> None:
    agent = Agent(lambda _: Source(), [], About())
    agent.exporters = [exporter := Following()]
    assert exporter.order == []


def test_gathering_once_tells_as_well() -> None:
    async def scenario() -> None:
        exporter = Following()
        assert await Agent(lambda _: Source(), [exporter], About()).once([Chain("lab", 1.0, Changing(A, B))])
        assert exporter.in_order() == [["a", "b"], {"a", "b"}]

    run(scenario())


def test_an_exporter_that_can_not_be_told_keeps_it_from_nobody(caplog: pytest.LogCaptureFixture) -> None:
    class Broken(Kept):
        name = "broken"

        def follow(self, targets: Sequence[Target]) -> None:
            raise RuntimeError(f"out of order: {len(targets)}")

    async def scenario() -> None:
        exporter = Following()
        agent = Agent(lambda _: Source(), [Broken(), exporter], About())
        await agent.watch([Chain("lab", 3600.0, Changing(A))], 3600.0)
        await agent.stop(1.0)
        assert exporter.told() == [["a"]]

    with caplog.at_level(logging.WARNING, "chainwatch"):
        run(scenario())
    assert caplog.messages == ["outputs: broken: a defect: RuntimeError('out of order: 1')"]


@pytest.mark.parametrize("stubborn", [False, True])
def test_a_gather_under_way_delivers_and_counts_nothing_once_its_server_is_gone(stubborn: bool) -> None:
    async def scenario() -> None:
        gate = asyncio.Event()
        source, exporter, about = Source(gate, stubborn=stubborn), Following(), About()
        servers = Changing(replace(A, interval=0.1, timeout=5.0))
        agent = Agent(lambda _: source, [exporter], about)
        await agent.watch([Chain("lab", 0.1, servers)], 3600.0)
        await asyncio.sleep(0.15)
        servers.now = []
        await asyncio.sleep(0.25)
        gate.set()
        await asyncio.sleep(0.25)
        assert source.ended == int(stubborn)
        assert exporter.order == [["a"], []]
        assert counted(about) == set()
        await agent.stop(1.0)

    run(scenario())


def test_what_chainwatch_counted_of_a_server_that_went_meanwhile_is_not_delivered() -> None:
    async def scenario() -> None:
        servers, exporter = Changing(A, B), Following()

        class Slow(About):
            def readings(self) -> list[Reading]:
                readings = super().readings()
                asyncio.run_coroutine_threadsafe(self.change(), loop).result()
                return readings

            async def change(self) -> None:
                servers.now = [B]
                await asyncio.sleep(0.15)

        loop = asyncio.get_running_loop()
        agent = Agent(lambda _: Source(), [exporter], Slow())
        await agent.watch([Chain("lab", 0.1, servers)], 0.2)
        await asyncio.sleep(0.8)
        gone = exporter.order.index(["b"])
        after = {dict(r.shape.tags).get("node") for r in exporter.readings if r.shape.measurement == "chainwatch"}
        assert "b" in after
        assert "a" not in exporter.order[gone:]
        assert "a" not in after
        await agent.stop(1.0)

    run(scenario())
