"""The servers that fall to one of several collectors, which are a number or are those that DNS shows."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from collector.configuration import Agent, Chain, DnsServer, Shard, StaticServer
from collector.discovery import Discovery
from collector.sharding import holder
from tests.discovery.nameserver import SERVFAIL, SILENCE, NameServer, name_server
from tests.helpers import run

NAME = "tasks.collector"
SERVERS = [StaticServer(url=f"http://10.0.0.{number}:8888", name=f"worker-{number}") for number in range(1, 31)]


class Collector:
    """Discovery as one of several collectors has it, and what it said."""

    def __init__(self, names: NameServer, slot: int, of: int | str = NAME, *more: DnsServer) -> None:
        self.said: list[str] = []
        chain = Chain(name="lab", kind="nodeos", servers=[*SERVERS, *more])
        agent = Agent(shard=Shard(slot=slot, of=of))
        self._discovery = Discovery(agent, chain, self.said.append, within=0.6, nameservers=[names.address])

    async def nodes(self) -> list[str]:
        """Return the names of the nodes that it asks."""
        return [target.name for target in await self._discovery.targets()]


def run_collectors(names: NameServer, *slots: int) -> None:
    """Let the collectors of these slots be behind the name."""
    names.records[NAME] = [f"10.1.0.{slot}" for slot in slots]
    names.pointers = {f"10.1.0.{slot}": [f"lab_collector.{slot}.{25 * 'a'}.lab_monitoring"] for slot in slots}


def of(slot: int, slots: Iterable[int]) -> list[str]:
    """Return the names of the servers that fall to a slot."""
    known = list(slots)
    return [str(server.name) for server in SERVERS if holder(f"lab/{server.name}", known) == slot]


def test_one_of_a_number_of_collectors_asks_its_share() -> None:
    async def scenario() -> None:
        async with name_server() as names:
            for slot in (1, 2, 3):
                assert await Collector(names, slot, 3).nodes() == of(slot, (1, 2, 3)) != []
            assert len(await Collector(names, 1, 1).nodes()) == len(SERVERS)
            assert not names.asked

    run(scenario())


def test_one_of_those_that_dns_shows_asks_its_share_of_what_they_are_now() -> None:
    async def scenario() -> None:
        async with name_server() as names:
            second = Collector(names, 2)
            for slots in ((1, 2, 3), (2,), (2, 3), (2, 3, 7), (1, 2)):
                run_collectors(names, *slots)
                assert await second.nodes() == of(2, slots) != []
            assert not second.said

    run(scenario())


def test_one_that_dns_does_not_show_asks_nothing_and_says_so_once() -> None:
    async def scenario() -> None:
        async with name_server() as names:
            third = Collector(names, 3)
            for slots in ((1, 2), (1, 2)):
                run_collectors(names, *slots)
                assert await third.nodes() == []
            assert third.said == [f"{NAME}: slot 3 is not behind it; nothing is gathered until it is"]
            run_collectors(names, 1, 2, 3)
            assert await third.nodes() == of(3, (1, 2, 3))
            run_collectors(names, 1, 2)  # such as one that Docker found ill: the others have its share now
            assert await third.nodes() == []
            assert len(third.said) == 2

    run(scenario())


@pytest.mark.parametrize("failure", [SERVFAIL, SILENCE])
def test_the_last_view_holds_while_dns_fails(failure: int) -> None:
    async def scenario() -> None:
        async with name_server() as names:
            second = Collector(names, 2)
            run_collectors(names, 1, 2, 3)
            before = await second.nodes()
            names.failing[NAME] = failure
            assert await second.nodes() == before
            names.failing_pointers = failure
            assert await second.nodes() == before
            del names.failing[NAME]
            assert await second.nodes() == before
            assert all("no answer from DNS" in said for said in second.said)

    run(scenario())


@pytest.mark.parametrize("silent", ["name", "slots"])
def test_nothing_is_asked_before_dns_has_answered_once(silent: str) -> None:
    async def scenario() -> None:
        async with name_server() as names:
            second = Collector(names, 2)
            run_collectors(names, 1, 2)
            if silent == "name":
                names.failing[NAME] = SERVFAIL
            else:
                names.failing_pointers = SERVFAIL
            assert await second.nodes() == []
            assert await second.nodes() == []
            assert sum("no answer from DNS" in said for said in second.said) == 2
            assert sum("slot 2 is not behind it" in said for said in second.said) == 1
            names.failing.clear()
            names.failing_pointers = None
            assert await second.nodes() == of(2, (1, 2))

    run(scenario())


def test_a_collector_without_a_slot_in_dns_is_told_and_does_not_count() -> None:
    async def scenario() -> None:
        async with name_server() as names:
            first = Collector(names, 1)
            run_collectors(names, 1, 2)
            names.records[NAME].append("10.1.0.9")
            for _ in range(2):
                assert await first.nodes() == of(1, (1, 2))
            assert len(first.said) == 1
            assert "DNS tells no slot of 10.1.0.9" in first.said[0]

    run(scenario())


def test_replicas_are_shared_out_by_their_slots_wherever_they_are() -> None:
    async def scenario() -> None:
        async with name_server() as names:
            run_collectors(names, 1, 2)
            collectors = [
                Collector(names, slot, NAME, DnsServer(dns="tasks.worker", port=8888, name="w-{slot}"))
                for slot in (1, 2)
            ]
            shares = []
            for last in (10, 60):
                names.records["tasks.worker"] = [f"10.2.0.{last + number}" for number in range(20)]
                for number in range(20):
                    names.pointers[f"10.2.0.{last + number}"] = [f"lab_worker.{number + 1}.{25 * 'a'}.lab_chain"]
                shares.append([await collector.nodes() for collector in collectors])
            assert shares[0] == shares[1]
            everything = [*(str(server.name) for server in SERVERS), *(f"w-{number}" for number in range(1, 21))]
            assert sorted([*shares[0][0], *shares[0][1]]) == sorted(everything)

    run(scenario())
