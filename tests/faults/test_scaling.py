"""A service is scaled while it is watched: the page follows within two intervals, and says nothing of who is gone."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Self

import aiohttp
import pytest

from chainwatch.running import load_source
from collector.about import About
from collector.agent import Agent, Chain
from collector.configuration import Agent as AgentSettings
from collector.configuration import Chain as ChainSettings
from collector.configuration import DnsServer, Shard
from collector.discovery import Discovery
from exporters.prometheus import Prometheus, PrometheusSettings
from tests.discovery.nameserver import SERVFAIL, NameServer, name_server
from tests.faults.replicas import Service, service
from tests.helpers import run
from tests.real.collecting import Page

INTERVAL = 0.5


class Watched:
    """A collector of a service's replicas, or of its share of them, with its page."""

    def __init__(self, names: NameServer, workers: Service, shard: Shard | None = None) -> None:
        self.said: list[str] = []
        self.about = About()
        self.page = Prometheus(PrometheusSettings(port=0), self.about)
        self.agent = Agent(load_source, [self.page], self.about)
        server = DnsServer(dns=workers.dns, port=workers.port, name="worker-{slot}", role="worker")
        chain = ChainSettings(name="lab", kind="nodeos", servers=[server])
        settings = AgentSettings(interval=INTERVAL, timeout=0.4, shard=shard)
        discovery = Discovery(settings, chain, self.said.append, nameservers=[names.address])
        self.chain = Chain("lab", INTERVAL, discovery)

    async def scrape(self) -> Page:
        """Return the page as it is now."""
        async with self._session.get(f"http://127.0.0.1:{self.page.port}/metrics") as response:
            return Page(await response.text())

    async def __aenter__(self) -> Self:
        await asyncio.to_thread(load_source, "nodeos")
        self._session = aiohttp.ClientSession()
        await self.page.start()
        await self.agent.watch([self.chain], INTERVAL)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.agent.stop(1.0)
        await self._session.close()
        await self.page.close(1.0)


def nodes(page: Page) -> dict[str, set[str]]:
    """Return the nodes that a page says anything of, each with the addresses that it names."""
    found: dict[str, set[str]] = {}
    for _, labels in page._values:
        tags = dict(labels)
        if "node" in tags:
            found.setdefault(tags["node"], set()).update({tags["server"]} if "server" in tags else ())
    return found


def wanted(workers: Service) -> dict[str, set[str]]:
    """Return what the page should say of the replicas as they are now."""
    return {f"worker-{slot}": {address} for slot, address in workers.addresses.items()}


@asynccontextmanager
async def scaled() -> AsyncIterator[tuple[NameServer, Service, Watched]]:
    """Watch two replicas until both are on the page."""
    async with name_server() as names, service(names, "worker", 1, 2) as workers, Watched(names, workers) as watched:
        await follows(watched, workers)
        yield names, workers, watched


async def follows(watched: Watched, workers: Service, intervals: float = 4.0, stays: set[str] | None = None) -> float:
    """Scrape until the page is what the replicas are; return after how many intervals. No gap in those that stay."""
    began = time.monotonic()
    while True:
        page = nodes(await watched.scrape())
        assert not stays or stays <= page.keys()
        took = (time.monotonic() - began) / INTERVAL
        if page == wanted(workers):
            return took
        assert took < intervals, (page, wanted(workers))
        await asyncio.sleep(0.05)


async def stays_so(watched: Watched, workers: Service, seconds: float) -> None:
    """Scrape for a while: the page is exactly what the replicas are."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        page = await watched.scrape()
        assert nodes(page) == wanted(workers)
        assert page.values("chain_node_up") == [1] * len(workers.addresses)
        assert page.value("chainwatch_servers") == len(workers.addresses)
        await asyncio.sleep(0.1)


async def settled(watched: Watched, workers: Service, change: Awaitable[None], stays: set[str]) -> None:
    """Make a change, and see the page follow."""
    await change
    # Two intervals, and chainwatch's own metrics follow half an interval on; half a second is for a busy machine. What
    # is not let go of stays for five.
    assert await follows(watched, workers, stays=stays) <= 2.5 + 0.5 / INTERVAL
    await asyncio.sleep(INTERVAL)
    await stays_so(watched, workers, 2 * INTERVAL)


@pytest.mark.slow
def test_a_service_is_scaled_from_2_to_8_to_3() -> None:
    async def scenario() -> None:
        async with scaled() as (_, workers, watched):
            await settled(watched, workers, workers.scale(*range(1, 9)), {"worker-1", "worker-2"})
            await settled(watched, workers, workers.scale(1, 2, 5), {"worker-1", "worker-2", "worker-5"})
            assert not watched.said

    run(scenario())


@pytest.mark.slow
def test_a_replica_that_dies_and_comes_back_elsewhere_is_the_same_node() -> None:
    async def again(workers: Service) -> None:
        await workers.end(2)
        await workers.start(2)

    async def scenario() -> None:
        async with scaled() as (_, workers, watched):
            await settled(watched, workers, again(workers), {"worker-1", "worker-2"})  # between two looks
            await settled(watched, workers, workers.end(2), {"worker-1"})
            await settled(watched, workers, workers.start(2), {"worker-1"})

    run(scenario())


@pytest.mark.slow
def test_two_replicas_that_swap_their_addresses_swap_their_series() -> None:
    async def swap(workers: Service) -> None:
        one, two = workers.addresses[1], workers.addresses[2]
        await workers.scale()
        await workers.start(1, two)
        await workers.start(2, one)

    async def scenario() -> None:
        async with scaled() as (_, workers, watched):
            await settled(watched, workers, swap(workers), {"worker-1", "worker-2"})

    run(scenario())


@pytest.mark.slow
def test_nothing_changes_while_dns_fails() -> None:
    async def scenario() -> None:
        async with scaled() as (names, workers, watched):
            for fails in (_fails(names, workers), _tells_no_slots(names)):
                fails()
                await stays_so(watched, workers, 3 * INTERVAL)
            assert len(watched.said) >= 4

    run(scenario())


def _fails(names: NameServer, workers: Service) -> Callable[[], None]:
    return lambda: names.failing.update({workers.dns: SERVFAIL})


def _tells_no_slots(names: NameServer) -> Callable[[], None]:
    def fail() -> None:
        names.failing.clear()
        names.failing_pointers = SERVFAIL

    return fail
