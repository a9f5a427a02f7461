"""Addresses behind DNS names, with a real name server that answers, lies or keeps silent."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

from collector.configuration import Agent, Chain, DnsServer, StaticServer
from collector.discovery import Discovery
from tests.discovery.nameserver import GARBAGE, REFUSED, SERVFAIL, SILENCE, NameServer, name_server
from tests.helpers import run

NAME = "tasks.nodeos.test"


class Watched:
    """Discovery of one chain, and what it said."""

    def __init__(self, names: NameServer, *servers: DnsServer | StaticServer, within: float = 5.0) -> None:
        self.said: list[str] = []
        chain = Chain(name="lab", kind="nodeos", servers=servers or (DnsServer(dns=NAME, port=8888),))
        self.discovery = Discovery(Agent(), chain, self.said.append, within=within, nameservers=[names.address])

    async def nodes(self) -> list[str]:
        """Return the names of the nodes at present."""
        return [target.name for target in await self.discovery.targets()]


def test_every_address_is_a_node_of_its_own() -> None:
    async def scenario() -> None:
        async with name_server() as names:
            names.records[NAME] = ["10.0.0.10", "10.0.0.9", "fd00::1", "10.0.0.9"]
            watched = Watched(names, DnsServer(dns=NAME, port=8888, role="worker", path="/v1", labels={"dc": "east"}))
            targets = await watched.discovery.targets()
            assert [target.name for target in targets] == ["10.0.0.9:8888", "10.0.0.10:8888", "[fd00::1]:8888"]
            assert [target.url for target in targets] == [
                "http://10.0.0.9:8888/v1",
                "http://10.0.0.10:8888/v1",
                "http://[fd00::1]:8888/v1",
            ]
            assert {(target.role, target.tls_name, target.labels) for target in targets} == {
                ("worker", "", (("dc", "east"),))
            }
            assert not watched.said

    run(scenario())


def test_names_and_metrics_urls_take_the_address() -> None:
    async def scenario() -> None:
        async with name_server() as names:
            names.records[NAME] = ["10.0.0.9", "fd00::1"]
            watched = Watched(
                names,
                DnsServer(dns=NAME, port=8545, name="n-{address}", metrics_url="http://{address}:6060/debug/metrics"),
            )
            four, six = await watched.discovery.targets()
            assert (four.name, four.metrics_url) == ("n-10.0.0.9", "http://10.0.0.9:6060/debug/metrics")
            assert (six.name, six.metrics_url) == ("n-fd00::1", "http://[fd00::1]:6060/debug/metrics")

    run(scenario())


@pytest.mark.parametrize("name", [NAME, NAME + "."])
def test_certificates_are_checked_against_the_name(name: str) -> None:
    async def scenario() -> None:
        async with name_server() as names:
            names.records[NAME] = ["10.0.0.9"]
            (found,) = await Watched(names, DnsServer(dns=name, port=443, scheme="https")).discovery.targets()
            assert (found.url, found.tls_name) == ("https://10.0.0.9:443", NAME)

    run(scenario())


def test_nodes_come_and_go_whatever_the_records_ttl_is() -> None:
    async def scenario() -> None:
        async with name_server() as names:
            watched = Watched(names)
            names.ttl = 86_400
            for addresses in (["10.0.0.1"], ["10.0.0.1", "10.0.0.2"], ["10.0.0.2"], []):
                names.records[NAME] = addresses
                assert await watched.nodes() == [f"{address}:8888" for address in addresses]
            del names.records[NAME]
            assert await watched.nodes() == []
            assert not watched.said

    run(scenario())


@pytest.mark.parametrize("failure", [SERVFAIL, REFUSED, SILENCE, GARBAGE])
def test_a_failure_of_dns_keeps_the_addresses_and_is_told_each_time(failure: int) -> None:
    async def scenario() -> None:
        async with name_server() as names:
            names.records[NAME] = ["10.0.0.1", "fd00::1"]
            watched = Watched(names, within=0.3)
            before = await watched.nodes()
            names.failing[NAME] = failure
            assert await watched.nodes() == before == ["10.0.0.1:8888", "[fd00::1]:8888"]
            assert await watched.nodes() == before
            assert len(watched.said) == 2
            assert watched.said[0].startswith(f"{NAME}: no answer from DNS (")
            assert "2 addresses are kept" in watched.said[0]
            del names.failing[NAME]
            names.records[NAME] = ["10.0.0.2"]
            assert await watched.nodes() == ["10.0.0.2:8888"]
            assert len(watched.said) == 2

    run(scenario())


def test_a_family_that_fails_keeps_its_addresses_while_the_other_changes() -> None:
    async def scenario() -> None:
        async with name_server() as names:
            names.records[NAME] = ["10.0.0.1", "fd00::1"]
            watched = Watched(names)
            await watched.nodes()
            names.records[NAME] = ["10.0.0.2"]
            names.failing[NAME, 6] = SERVFAIL
            assert await watched.nodes() == ["10.0.0.2:8888", "[fd00::1]:8888"]
            assert len(watched.said) == 1

    run(scenario())


def test_a_name_server_that_knows_nothing_of_ipv6_is_no_failure() -> None:
    async def scenario() -> None:
        async with name_server() as names:
            names.records[NAME] = ["10.0.0.1"]
            names.failing[NAME, 6] = SERVFAIL
            watched = Watched(names)
            assert await watched.nodes() == ["10.0.0.1:8888"]
            assert not watched.said

    run(scenario())


def test_a_first_look_that_fails_is_told() -> None:
    async def scenario() -> None:
        async with name_server() as names:
            names.failing[NAME] = SERVFAIL
            watched = Watched(names)
            assert await watched.nodes() == []
            assert len(watched.said) == 1

    run(scenario())


def test_silence_costs_the_time_it_was_given_and_static_servers_nothing() -> None:
    async def scenario() -> None:
        async with name_server() as names:
            servers = [DnsServer(dns=f"n{number}.test", port=1) for number in range(20)]
            names.failing = {server.dns: SILENCE for server in servers}
            watched = Watched(names, *servers, StaticServer(url="http://10.0.0.1:8888"), within=0.4)
            beats = 0

            async def beat() -> None:
                nonlocal beats
                while True:
                    await asyncio.sleep(0.01)
                    beats += 1

            beating = asyncio.create_task(beat())
            begun = time.monotonic()
            assert await watched.nodes() == ["10.0.0.1:8888"]
            assert time.monotonic() - begun < 2
            assert beats > 10, "the event loop stood still"
            assert len(watched.said) == 20
            beating.cancel()

    run(scenario())


def test_a_name_server_that_is_not_there_is_a_failure() -> None:
    async def scenario() -> None:
        async with name_server() as names:
            watched = Watched(names)
        assert await watched.nodes() == []
        assert len(watched.said) == 1

    run(scenario())


def test_two_names_for_one_node_leave_the_second_out_and_say_so_once() -> None:
    async def scenario() -> None:
        async with name_server() as names:
            names.records = {NAME: ["10.0.0.1"], "other.test": ["10.0.0.1", "10.0.0.2"]}
            watched = Watched(names, DnsServer(dns=NAME, port=8888), DnsServer(dns="other.test", port=8888))
            assert await watched.nodes() == ["10.0.0.1:8888", "10.0.0.2:8888"]
            assert await watched.nodes() == ["10.0.0.1:8888", "10.0.0.2:8888"]
            assert len(watched.said) == 1
            assert "lab/10.0.0.1:8888" in watched.said[0]

    run(scenario())


def test_a_name_with_absurdly_many_addresses_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario() -> None:
        async with name_server() as names:
            names.records[NAME] = [f"10.0.0.{number}" for number in range(1, 9)]
            watched = Watched(names)
            assert await watched.nodes() == ["10.0.0.1:8888", "10.0.0.2:8888", "10.0.0.3:8888"]
            assert watched.said == [f"{NAME}: more than 3 addresses; the rest are left out"]

    monkeypatch.setattr("collector.discovery.addresses.MOST_ADDRESSES", 3)
    run(scenario())


def test_one_name_in_two_entries_is_asked_once() -> None:
    async def scenario() -> None:
        async with name_server() as names:
            names.records[NAME] = ["10.0.0.1"]
            watched = Watched(names, DnsServer(dns=NAME, port=1), DnsServer(dns=NAME, port=2))
            assert await watched.nodes() == ["10.0.0.1:1", "10.0.0.1:2"]
            assert sorted(names.asked) == [(NAME, 4), (NAME, 6)]

    run(scenario())


def test_equal_configurations_make_equal_targets() -> None:
    async def scenario() -> None:
        async with name_server() as names:
            names.records[NAME] = ["10.0.0.1", "10.0.0.2"]
            assert await Watched(names).discovery.targets() == await Watched(names).discovery.targets()

    run(scenario())


def test_looking_up_for_long_keeps_no_threads_and_no_files_open() -> None:
    def open_now() -> tuple[int, int]:
        return len(list(Path("/proc/self/task").iterdir())), len(list(Path("/proc/self/fd").iterdir()))

    async def scenario() -> None:
        async with name_server() as names:
            names.records[NAME] = ["10.0.0.1"]
            watched = Watched(names)
            await watched.nodes()
            before = open_now()
            for _ in range(40):
                await watched.nodes()
            for _ in range(100):  # resolvers are put away by a thread of their own
                if all(now <= then + 2 for now, then in zip(open_now(), before, strict=True)):
                    break
                await asyncio.sleep(0.01)
            else:
                pytest.fail(f"{before} threads and files before, {open_now()} now")

    run(scenario())
