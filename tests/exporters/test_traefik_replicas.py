"""Servers behind DNS names: each address has its turn, those that come join once they are known to keep up."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import yaml
from aiohttp import ClientSession

from collector.about import About
from collector.readings import Field, Kind, Reading, Shape
from collector.targets import Target
from exporters.traefik import Address, Settings, Traefik
from exporters.traefik.page import Page
from exporters.traefik.replicas import Following
from tests.exporters.test_traefik import INTERVAL
from tests.helpers import run

TEXT = """
http:
  services:
    api: {loadBalancer: {servers: [{url: "http://tasks.worker:8888", weight: 2}]}}
    other: {loadBalancer: {servers: [{url: "http://worker-1:1"}, {url: "http://there:1"}]}}
"""
FIELDS = [Field("head_block_number", Kind.GAUGE), Field("head_block_timestamp_seconds", Kind.GAUGE)]


def target(name: str, address: str, chain: str = "lab", dns: str = "tasks.worker") -> Target:
    """Return a server that was found behind a name."""
    host = f"[{address}]" if ":" in address else address
    return Target(chain=chain, kind="nodeos", name=name, url=f"http://{host}:8888", dns=dns)


def workers(*addresses: int) -> list[Target]:
    """Return worker-1 and so on at addresses that end so."""
    return [target(f"worker-{index}", f"10.0.0.{last}") for index, last in enumerate(addresses, 1)]


class Polled:
    """An exporter with a page, and who polls it."""

    def __init__(self, exporter: Traefik, session: ClientSession, about: About) -> None:
        self.exporter = exporter
        self.about = about
        self._session = session
        assert isinstance(exporter.outlet, Page)
        self.url = f"http://127.0.0.1:{exporter.outlet.port}/traefik"

    async def poll(self) -> tuple[int, str]:
        """Return what Traefik would have."""
        async with self._session.get(self.url) as answer:
            return answer.status, await answer.text()

    async def lists(self) -> dict[str, list[str]]:
        """Return the hosts of each service; nothing while there is nothing to say."""
        status, text = await self.poll()
        if status != 200:
            assert status == 503
            return {}
        services = yaml.safe_load(text)["http"]["services"]
        return {
            name: [server["url"].split("/")[2].rpartition(":")[0] for server in service["loadBalancer"]["servers"]]
            for name, service in services.items()
        }

    async def becomes(self, *api: str, within: float = 3.0) -> None:
        """Wait until the service of the replicas has these hosts."""
        async with asyncio.timeout(within):
            while (await self.lists()).get("api") != list(api):  # noqa: ASYNC110 - of what it waits for there is no event
                await asyncio.sleep(0.01)

    def take(self, chain: str = "lab", **heads: tuple[int, float] | int) -> None:
        """Hand over heads, and their times; underscores stand for hyphens."""
        for name, head in heads.items():
            number, time = head if isinstance(head, tuple) else (head, head / 2)
            tags = {"chain": chain, "node": name.replace("_", "-")}
            self.exporter.take([Reading(Shape("chain", tags, FIELDS), [number, time], 1)], INTERVAL)

    @property
    def in_rotation(self) -> dict[str, float]:
        """What is said of each node in the metrics."""
        return {
            sample.labels["node"]: sample.value
            for metric in self.about.registry.collect()
            for sample in metric.samples
            if sample.name == "chainwatch_node_in_rotation"
        }


@asynccontextmanager
async def polled(text: str = TEXT, older: float = 5.0) -> AsyncIterator[Polled]:
    """Run an exporter with a page."""
    about = await asyncio.to_thread(About)
    exporter = Traefik(Settings(text, Address("127.0.0.1", 0), behind=10, older=older), about)
    await exporter.start()
    try:
        async with ClientSession() as session:
            yield Polled(exporter, session, about)
    finally:
        await exporter.close(1.0)


def test_the_page_says_nothing_until_all_are_known_or_time_is_up() -> None:
    async def check() -> None:
        async with polled() as balancer:
            assert (await balancer.poll())[0] == 503
            balancer.exporter.follow(workers(1, 2))
            await asyncio.sleep(0.2)
            assert (await balancer.poll())[0] == 503
            balancer.take(worker_1=100, worker_2=100)
            await asyncio.sleep(0.2)
            assert (await balancer.poll())[0] == 503, "there is the server `there`, of which nobody has heard"
            await asyncio.sleep(3 * INTERVAL)
            balancer.take(worker_1=101, worker_2=101)
            await balancer.becomes("10.0.0.1", "10.0.0.2")
            assert (await balancer.lists())["other"] == ["worker-1", "there"]
        text = TEXT.replace(', {url: "http://there:1"}', "").replace("worker-1", "producer")
        async with polled(text) as balancer:
            balancer.exporter.follow(workers(1, 2))
            balancer.take(producer=100, worker_1=100, worker_2=80)
            await balancer.becomes("10.0.0.1", within=2 * INTERVAL)

    run(check())


def test_what_the_page_is_like() -> None:
    async def check() -> None:
        async with polled(TEXT.replace(', {url: "http://there:1"}', "")) as balancer:
            balancer.exporter.follow([*workers(1), target("six", "fd00::6", dns="Tasks.Worker.")])
            balancer.take(worker_1=100, six=100)
            await asyncio.sleep(4 * INTERVAL)
            balancer.take(worker_1=100, six=100)
            await balancer.becomes("[fd00::6]", "10.0.0.1")
            async with ClientSession() as session:
                async with session.get(balancer.url) as answer:
                    assert answer.content_type == "application/yaml"
                    assert answer.headers["Cache-Control"] == "no-store"
                    servers = yaml.safe_load(await answer.text())["http"]["services"]["api"]["loadBalancer"]["servers"]
                async with session.get(balancer.url + "x") as answer:
                    assert answer.status == 404
                async with session.post(balancer.url) as answer:
                    assert answer.status == 405
            assert {server["url"] for server in servers} == {"http://10.0.0.1:8888", "http://[fd00::6]:8888"}
            assert {server["weight"] for server in servers} == {2}

    run(check())


@asynccontextmanager
async def three() -> AsyncIterator[Polled]:
    """Run an exporter that knows three workers, all of them well."""
    async with polled(TEXT.replace("worker-1", "producer").replace("there", "producer")) as balancer:
        balancer.exporter.follow(workers(1, 2, 3))
        balancer.take(producer=100, worker_1=100, worker_2=100, worker_3=100)
        await balancer.becomes("10.0.0.1", "10.0.0.2", "10.0.0.3")
        yield balancer


def test_a_worker_that_is_stuck_leaves_by_the_age_of_its_head_and_returns(caplog: pytest.LogCaptureFixture) -> None:
    async def check() -> None:
        async with three() as balancer:
            balancer.take(producer=(106, 56), worker_1=(106, 56), worker_2=(104, 51.1), worker_3=(104, 51))
            await balancer.becomes("10.0.0.1", "10.0.0.2")
            balancer.take(producer=108, worker_1=108, worker_2=108, worker_3=108)
            await balancer.becomes("10.0.0.1", "10.0.0.2", "10.0.0.3")

    run(check())
    assert "lab/worker-3: 2 blocks behind 106, its head is 5.0 s older than the others'" in caplog.text


def test_replicas_that_are_gone_leave_and_those_that_come_join_once_they_were_heard_of() -> None:
    async def check() -> None:
        async with three() as balancer:
            balancer.exporter.follow(workers(1, 2))
            await balancer.becomes("10.0.0.1", "10.0.0.2")
            balancer.exporter.follow(workers(1, 2, 9))
            balancer.take(worker_1=101, worker_2=101)
            await asyncio.sleep(0.3)
            assert (await balancer.lists())["api"] == ["10.0.0.1", "10.0.0.2"], "nobody knows how far it is"
            balancer.take(worker_3=50)
            await asyncio.sleep(0.3)
            assert (await balancer.lists())["api"] == ["10.0.0.1", "10.0.0.2"], "it catches up"
            balancer.take(worker_1=102, worker_2=102, worker_3=102)
            await balancer.becomes("10.0.0.1", "10.0.0.2", "10.0.0.9")

    run(check())


def test_who_comes_back_at_another_address_is_another() -> None:
    """What its predecessor had reached is not its own."""

    async def check() -> None:
        async with three() as balancer:
            balancer.exporter.follow(workers(1, 2, 9))
            await balancer.becomes("10.0.0.1", "10.0.0.2")
            balancer.take(worker_3=100)
            await balancer.becomes("10.0.0.1", "10.0.0.2", "10.0.0.9")

    run(check())


def test_of_who_is_gone_no_metric_speaks_any_more() -> None:
    async def check() -> None:
        async with three() as balancer:
            more = [target(name, "10.0.0.8", dns="") for name in ("producer", "seed")]
            balancer.exporter.follow([*workers(1, 2, 3), *more])
            balancer.take(worker_3=80, worker_1=101, worker_2=101, producer=101)
            await balancer.becomes("10.0.0.1", "10.0.0.2")
            assert balancer.in_rotation == {"producer": 1, "worker-1": 1, "worker-2": 1, "worker-3": 0}
            for node in ("producer", "worker-3"):  # as the agent does for servers that are gone, before it tells
                balancer.about.forget("lab", node)
            balancer.exporter.follow(workers(1, 2))
            for number in range(3):
                balancer.take(worker_1=102 + number, worker_2=102 + number)
                await asyncio.sleep(0.15)
                assert balancer.in_rotation == {"worker-1": 1, "worker-2": 1}

    run(check())


def test_a_look_that_finds_nobody_lets_nobody_back_in() -> None:
    async def check() -> None:
        async with three() as balancer:
            balancer.exporter.follow([target("producer", "10.0.0.8", dns=""), *workers(1, 2, 3)])
            balancer.take(producer=101, worker_1=101, worker_2=101, worker_3=80)
            await balancer.becomes("10.0.0.1", "10.0.0.2")
            balancer.exporter.follow([target("producer", "10.0.0.8", dns="")])
            balancer.take(producer=102)
            await asyncio.sleep(0.3)
            assert (await balancer.lists())["api"] == ["10.0.0.1", "10.0.0.2"]

    run(check())


def test_a_node_behind_a_name_is_the_one_of_servers_with_its_own_name_too() -> None:
    """Where replicas are called by their addresses, and each of these stands in the configuration."""
    text = """
http:
  services:
    api: {loadBalancer: {servers: [{url: "http://10.0.0.1:8888"}, {url: "http://10.0.0.2:8888"}]}}
    other: {loadBalancer: {servers: [{url: "http://worker-1:1"}, {url: "http://10.0.0.1:8888"}]}}
"""

    async def check() -> None:
        async with polled(text) as balancer:
            replicas = [target(f"10.0.0.{last}:8888", f"10.0.0.{last}") for last in (1, 2, 3)]
            replicas.append(target("worker-1", "10.0.0.4", dns="others"))
            balancer.exporter.follow(replicas)
            for node, number in zip(replicas, (100, 80, 100, 80), strict=True):
                balancer.take("lab", **{node.name: number})
            await balancer.becomes("10.0.0.1")
            assert (await balancer.lists())["other"] == ["10.0.0.1"]
            assert balancer.in_rotation == {"10.0.0.1:8888": 1, "10.0.0.2:8888": 0, "worker-1": 0}

    run(check())


def test_when_all_are_gone_the_last_stay() -> None:
    async def check() -> None:
        async with three() as balancer:
            balancer.exporter.follow([])
            balancer.take(producer=101)
            await asyncio.sleep(0.3)
            assert (await balancer.lists())["api"] == ["10.0.0.1", "10.0.0.2", "10.0.0.3"]
            balancer.exporter.follow(workers(7, 8))
            await balancer.becomes("10.0.0.7", "10.0.0.8")  # all are new: all there is

    run(check())


def test_who_falls_silent_stays_since_its_health_is_for_traefik_to_see() -> None:
    async def check() -> None:
        async with three() as balancer:
            for number in range(5):
                balancer.take(producer=101 + number, worker_1=101 + number, worker_2=101 + number)
                await asyncio.sleep(INTERVAL)
            assert (await balancer.lists())["api"] == ["10.0.0.1", "10.0.0.2", "10.0.0.3"]

    run(check())


def test_names_alike_in_two_chains_have_nothing_to_do_with_each_other() -> None:
    async def check() -> None:
        async with three() as balancer:
            balancer.take("another", worker_1=10, a=100, b=100)
            balancer.take(producer=101, worker_1=101, worker_2=101, worker_3=101)
            await asyncio.sleep(0.4)
            assert (await balancer.lists())["api"] == ["10.0.0.1", "10.0.0.2", "10.0.0.3"]

    run(check())


def test_an_address_that_is_taken_is_told() -> None:
    async def check() -> None:
        async with polled() as balancer:
            assert isinstance(balancer.exporter.outlet, Page)
            there = Address("127.0.0.1", balancer.exporter.outlet.port)
            second = Traefik(Settings(TEXT, there), await asyncio.to_thread(About))
            with pytest.raises(OSError, match=r"outputs\.traefik\.listen: cannot listen on 127\.0\.0\.1:"):
                await second.start()

    run(check())


def test_what_is_followed() -> None:
    following, new = Following().then([*workers(1, 2), target("x", "10.0.0.1", dns="other"), target("y", "z", dns="")])
    assert following.nodes == new == {("lab", "worker-1"), ("lab", "worker-2"), ("lab", "x")}
    later, new = following.then([*workers(1, 3), *workers(1, 3)])
    assert new == {("lab", "worker-2")}
    assert [replica.address for replica in later.replicas["tasks.worker"]] == ["10.0.0.1", "10.0.0.3"]
    assert [replica.address for replica in later.replicas["other"]] == ["10.0.0.1"]
    assert later.then(workers(1, 3)) == (later, frozenset())
