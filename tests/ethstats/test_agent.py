"""What nodes push is delivered at the ticks of their chain, whatever becomes of one of them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import partial

import pytest

from collector.about import About
from collector.agent import Agent, Chain
from collector.readings import Field, Reading, Shape
from collector.targets import Target
from collector.ticks import Bell
from tests.ethstats.reporting import until
from tests.helpers import run

SHAPE = Shape("ethstats", {"chain": "lab"}, [Field("connected")])


class Kept:
    """An exporter that keeps what it is given."""

    name = "kept"

    def __init__(self) -> None:
        self.taken: list[tuple[Shape, float]] = []

    async def start(self) -> None:
        """Do nothing."""

    async def close(self, within: float) -> None:
        """Do nothing."""

    def follow(self, targets: Sequence[Target]) -> None:
        """Do nothing."""

    def take(self, readings: Sequence[Reading], interval: float) -> None:
        """Keep what was pushed."""
        self.taken += [(reading.shape, interval) for reading in readings if reading.shape is SHAPE]


class Nothing:
    """A chain without servers."""

    async def targets(self) -> list[Target]:
        """Find none."""
        return []


def test_a_defect_costs_one_tick(caplog: pytest.LogCaptureFixture) -> None:
    ticks = 0

    def pushed(targets: Sequence[Target]) -> list[Reading]:
        nonlocal ticks
        assert targets == []
        ticks += 1
        if ticks == 2:
            raise ValueError("secret")
        return [Reading(SHAPE, [1], 0)]

    async def test() -> None:
        kept, bell = Kept(), Bell()
        agent = Agent(pytest.fail, [kept], About(), pushed_ticks=lambda _: bell.listener())
        await agent.watch([Chain("lab", 60.0, Nothing(), pushed), Chain("other", 60.0, Nothing())], 60.0)
        await asyncio.sleep(0.01)
        for tick in range(1, 4):
            await bell.ring()
            await until(partial(lambda tick: ticks == tick, tick))
            await asyncio.sleep(0.01)
        assert kept.taken == [(SHAPE, 60.0)] * 2
        await agent.watch([Chain("lab", 60.0, Nothing(), pushed)], 60.0)  # a reload
        await asyncio.sleep(0.01)
        await bell.ring()
        await until(lambda: len(kept.taken) == 3)
        await agent.stop(1.0)
        await bell.ring()
        await asyncio.sleep(0.01)
        assert ticks == 4

    run(test())
    assert [record.getMessage() for record in caplog.records] == [
        "outputs: lab: ethstats: a defect: ValueError('secret')"
    ]
