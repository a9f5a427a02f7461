"""Collectors that scale while they watch: between them they ask each server once per interval."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from contextlib import AsyncExitStack

import pytest

from collector.configuration import Shard
from tests.discovery.nameserver import NameServer, name_server
from tests.faults.replicas import Service, service
from tests.faults.test_scaling import INTERVAL, Watched, nodes
from tests.helpers import run

WORKERS = range(1, 13)


class Collectors:
    """Collectors that share the workers out between themselves, each with a page of its own."""

    def __init__(self, names: NameServer, workers: Service, own: Service, stack: AsyncExitStack) -> None:
        self._names = names
        self._workers = workers
        self._own = own
        self._stack = stack
        self.running: dict[int, tuple[Watched, AsyncExitStack]] = {}

    async def scale(self, *slots: int) -> None:
        """Let these run, as DNS shows at once."""
        await self._own.scale(*slots)
        for slot in set(self.running) - set(slots):
            await self.running.pop(slot)[1].aclose()
        for slot in slots:
            if slot not in self.running:
                stack = await self._stack.enter_async_context(AsyncExitStack())
                shard = Shard(slot=slot, of=self._own.dns)
                watched = await stack.enter_async_context(Watched(self._names, self._workers, shard))
                self.running[slot] = (watched, stack)

    async def shares(self) -> list[set[str]]:
        """Return the nodes on each page; every page counts them as its servers."""
        found = []
        for watched, _ in self.running.values():
            page = await watched.scrape()
            found.append(set(nodes(page)))
            assert page.value("chainwatch_servers") == len(found[-1])
        return found


async def until_tick(ticks: int, after: float) -> None:
    """Wait until so many ticks have gone by, and so many seconds more."""
    now = time.time()
    await asyncio.sleep((now // INTERVAL + ticks) * INTERVAL + after - now)


@pytest.mark.slow
def test_three_collectors_ask_each_server_once_per_interval_while_they_scale() -> None:
    async def scenario() -> None:
        async with (
            name_server() as names,
            service(names, "worker", *WORKERS) as workers,
            service(names, "collector") as own,
            AsyncExitStack() as stack,
        ):
            collectors = Collectors(names, workers, own, stack)
            changes = []
            for slots in ((1,), (1, 2, 3), (2, 3)):
                await until_tick(1, INTERVAL / 2)
                changes.append(time.time())
                await collectors.scale(*slots)
                await until_tick(2, INTERVAL / 2)
                for _ in range(4):
                    shares = await collectors.shares()
                    assert all(shares)
                    assert Counter(node for share in shares for node in share) == dict.fromkeys(
                        (f"worker-{slot}" for slot in WORKERS), 1
                    )
                    await until_tick(1, INTERVAL / 2)
            ended = time.time()
            asked = {slot: Counter(_tick(one.at) for one in workers.asked if one.slot == slot) for slot in WORKERS}
            for slot in WORKERS:
                for change, end in zip(changes, [*changes[1:], ended], strict=True):
                    times = [asked[slot][tick] for tick in range(_tick(change) + 1, _tick(end) + 1)]
                    first, *others = times
                    assert set(others) == {1}, (slot, times)
                    assert first in (0, 1, 2), (slot, times)
            assert [watched.said for watched, _ in collectors.running.values()] == [[], []]

    run(scenario())


def _tick(at: float) -> int:
    return int(at / INTERVAL + 0.1)
