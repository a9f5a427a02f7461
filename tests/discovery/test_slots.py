"""Which replica is at which address: by the names that a real name server gives to the addresses, or doesn't."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.configuration import Agent, Chain, DnsServer
from collector.discovery import Discovery
from collector.discovery.slots import PATIENCE, slot_in
from tests.discovery.nameserver import GARBAGE, NXDOMAIN, SERVFAIL, SILENCE, NameServer, name_server
from tests.helpers import run

NAME = "tasks.worker"


def task(slot: int, generation: int = 0) -> str:
    """Return the name that Docker Swarm's DNS gives to the address of a task."""
    return f"lab_worker.{slot}.ybvoz7zr1a8bo14erbxuame{generation:02}.lab_chain"


class Workers:
    """Discovery of a chain of replicas, and what it said."""

    def __init__(self, names: NameServer, name: str = "worker-{slot}", within: float = 5.0) -> None:
        self.said: list[str] = []
        self._names = names
        chain = Chain(name="lab", kind="nodeos", servers=[DnsServer(dns=NAME, port=8888, name=name)])
        self._discovery = Discovery(Agent(), chain, self.said.append, within=within, nameservers=[names.address])

    def run(self, **tasks: int | None) -> None:
        """Let tasks run at these last parts of an address, each with its slot, if it has one."""
        addresses = {f"10.0.0.{part.removeprefix('at')}": slot for part, slot in tasks.items()}
        self._names.records[NAME] = list(addresses)
        self._names.pointers = {address: [task(slot)] for address, slot in addresses.items() if slot is not None}

    async def nodes(self) -> dict[str, str]:
        """Return the address of each node at present."""
        return {target.name: target.host for target in await self._discovery.targets()}


@pytest.mark.parametrize(
    ("name", "slot"),
    [
        ("lab_worker.2.ybvoz7zr1a8bo14erbxuame0h.lab_chain", 2),
        ("lab_worker.12.ybvoz7zr1a8bo14erbxuame0h.lab.net_1", 12),
        ("lab_worker-7.2.ybvoz7zr1a8bo14erbxuame0h.lab_chain", 2),
        ("worker.3.ybvoz7zr1a8bo14erbxuame0h", 3),
        ("lab_worker_3.lab_chain", 3),
        ("lab-worker-3.lab_chain", 3),
        ("lab-worker-10", 10),
        ("worker-2.worker.lab.svc.cluster.local", 2),
        ("lab_worker.ybvoz7zr1a8bo14erbxuame0h.ybvoz7zr1a8bo14erbxuame0h.lab_chain", None),
        ("lab-worker-run-1f2e3d4c5b6a.lab_chain", None),
        ("worker", None),
        ("", None),
        ("lab_worker.1234567890.ybvoz7zr1a8bo14erbxuame0h.lab_chain", None),
        ("worker-1234567890", None),
    ],
)
def test_the_slot_of_a_name(name: str, slot: int | None) -> None:
    assert slot_in(name) == slot


@given(st.text(max_size=300) | st.from_regex(r"[a-z_-]*[.-][0-9]*\.[a-z0-9]{20,30}(\.[a-z]*)?", fullmatch=True))
def test_no_name_is_too_odd(name: str) -> None:
    slot = slot_in(name)
    assert slot is None or 0 <= slot < 10**9


def test_a_node_is_called_by_its_slot_and_told_where_it_was_found() -> None:
    async def scenario() -> None:
        async with name_server() as names:
            workers = Workers(names)
            workers.run(at7=2, at9=1)
            names.records[NAME].append("fd00::5")
            names.pointers["fd00::5"] = ["other.test", "lab-worker-3.lab_chain"]
            assert await workers.nodes() == {"worker-2": "10.0.0.7", "worker-1": "10.0.0.9", "worker-3": "fd00::5"}
            assert {target.dns for target in await workers._discovery.targets()} == {NAME}
            assert not workers.said

    run(scenario())


def test_a_task_that_comes_back_elsewhere_keeps_its_name() -> None:
    async def scenario() -> None:
        async with name_server() as names:
            workers = Workers(names)
            workers.run(at1=1, at2=2)
            await workers.nodes()
            workers.run(at1=1)
            assert await workers.nodes() == {"worker-1": "10.0.0.1"}
            workers.run(at1=1, at3=2)
            assert await workers.nodes() == {"worker-1": "10.0.0.1", "worker-2": "10.0.0.3"}
            assert not workers.said

    run(scenario())


def test_an_address_that_another_task_got_between_two_looks_is_that_task() -> None:
    async def scenario() -> None:
        async with name_server() as names:
            workers = Workers(names)
            workers.run(at1=1, at2=2)
            await workers.nodes()
            workers.run(at1=2, at2=1)
            assert await workers.nodes() == {"worker-2": "10.0.0.1", "worker-1": "10.0.0.2"}
            workers.run(at1=5)
            assert await workers.nodes() == {"worker-5": "10.0.0.1"}

    run(scenario())


@pytest.mark.parametrize("failure", [SERVFAIL, SILENCE, GARBAGE, NXDOMAIN])
def test_slots_are_remembered_while_dns_tells_none(failure: int) -> None:
    async def scenario() -> None:
        async with name_server() as names:
            workers = Workers(names, within=0.4)
            workers.run(at1=1, at2=2)
            before = await workers.nodes()
            names.failing_pointers = failure
            for _ in range(3):
                assert await workers.nodes() == before
            if failure == NXDOMAIN:  # an answer: the task has died since its address was told
                assert not workers.said
            else:
                assert len(workers.said) == 2
                assert workers.said[0].startswith(f"{NAME}: no answer from DNS for 10.0.0.1 and 1 more (")
            names.failing_pointers = None
            workers.run(at1=2, at3=1)
            assert await workers.nodes() == {"worker-2": "10.0.0.1", "worker-1": "10.0.0.3"}

    run(scenario())


def test_a_look_waits_only_a_moment_for_the_name_of_a_task_that_has_died_and_says_nothing_of_it() -> None:
    async def scenario() -> None:
        async with name_server() as names:
            workers = Workers(names)
            workers.run(at1=1, at2=2)
            before = await workers.nodes()
            names.failing["2.0.0.10.in-addr.arpa"] = SILENCE
            began = time.monotonic()
            assert await workers.nodes() == before
            assert time.monotonic() - began < 1
            workers.run(at1=1)
            assert await workers.nodes() == {"worker-1": "10.0.0.1"}
            assert not workers.said

    run(scenario())


def test_a_slot_is_forgotten_with_its_address() -> None:
    async def scenario() -> None:
        async with name_server() as names:
            workers = Workers(names)
            workers.run(at1=1)
            await workers.nodes()
            workers.run()
            await workers.nodes()
            workers.run(at1=None)
            assert await workers.nodes() == {"worker-10.0.0.1": "10.0.0.1"}

    run(scenario())


def test_the_address_stands_in_for_a_slot_that_there_is_not_and_that_is_said_once() -> None:
    async def scenario() -> None:
        async with name_server() as names:
            workers = Workers(names)
            workers.run(at1=1, at2=None)
            for _ in range(3):
                assert await workers.nodes() == {"worker-1": "10.0.0.1", "worker-10.0.0.2": "10.0.0.2"}
            assert workers.said == [
                f"{NAME}: DNS tells no slot of 10.0.0.2; in a node's name the address stands in for it"
            ]
            workers.run(at1=1, at2=2)
            assert await workers.nodes() == {"worker-1": "10.0.0.1", "worker-2": "10.0.0.2"}
            workers.run(at1=1, at2=2, at3=None)
            await workers.nodes()
            assert len(workers.said) == 2

    run(scenario())


def test_however_many_addresses_are_odd_there_is_one_line_of_each_kind() -> None:
    async def scenario() -> None:
        async with name_server() as names:
            workers = Workers(names)
            for last in (0, 15):
                odd: dict[str, int | None] = {f"at{number}": None for number in range(1 + last, 6 + last)}
                workers.run(at100=1, at101=1, at102=1, **odd)
                for _ in range(PATIENCE):
                    assert len(await workers.nodes()) == 6
            assert workers.said == [
                f"{NAME}: DNS tells no slot of 10.0.0.1 and 4 more; in a node's name the address stands in for it",
                f"{NAME}: DNS tells no slot of 10.0.0.16 and 4 more; in a node's name the address stands in for it",
                f"{NAME}: 10.0.0.101 has the slot of 10.0.0.100, 1, and is left out, with 1 more",
            ]

    run(scenario())


def test_of_two_tasks_in_one_slot_the_newer_has_it_and_keeps_it() -> None:
    async def scenario() -> None:
        async with name_server() as names:
            workers = Workers(names)
            workers.run(at5=1)
            await workers.nodes()
            for _ in range(3):
                workers.run(at4=1, at5=1)
                assert await workers.nodes() == {"worker-1": "10.0.0.4"}
            workers.run(at4=1)
            assert await workers.nodes() == {"worker-1": "10.0.0.4"}
            workers.run(at4=1, at9=1)
            assert await workers.nodes() == {"worker-1": "10.0.0.9"}
            workers.run(at4=1)  # the newer did not last
            assert await workers.nodes() == {"worker-1": "10.0.0.4"}
            assert not workers.said

    run(scenario())


def test_of_two_in_one_slot_at_the_first_look_one_is_watched_and_for_long_it_is_said_once() -> None:
    async def scenario() -> None:
        async with name_server() as names:
            workers = Workers(names)
            workers.run(at4=1, at5=1)
            for _ in range(PATIENCE):
                assert await workers.nodes() == {"worker-1": "10.0.0.4"}
                assert not workers.said
            for _ in range(3):
                assert await workers.nodes() == {"worker-1": "10.0.0.4"}
            assert workers.said == [f"{NAME}: 10.0.0.5 has the slot of 10.0.0.4, 1, and is left out"]

    run(scenario())


def test_a_replica_with_an_address_of_each_family_is_one_node() -> None:
    async def scenario() -> None:
        async with name_server() as names:
            workers = Workers(names)
            workers.run(at4=1)
            names.records[NAME].append("fd00::4")
            names.pointers["fd00::4"] = [task(1)]
            for _ in range(PATIENCE + 2):
                assert await workers.nodes() == {"worker-1": "10.0.0.4"}
            assert not workers.said

    run(scenario())


def test_addresses_without_slots_in_their_names_are_not_asked_for() -> None:
    async def scenario() -> None:
        async with name_server() as names:
            workers = Workers(names, "worker-{address}")
            workers.run(at4=1)
            assert await workers.nodes() == {"worker-10.0.0.4": "10.0.0.4"}
            assert sorted(names.asked) == [(NAME, 4), (NAME, 6)]

    run(scenario())


def test_hundreds_of_addresses_have_their_slots_at_once_and_silence_costs_no_more_time_than_there_is() -> None:
    async def scenario() -> None:
        async with name_server() as names:
            workers = Workers(names, within=5.0)
            addresses = [f"10.0.{number >> 8}.{number & 255}" for number in range(1, 501)]
            names.records[NAME] = addresses[:30]  # more do not fit into a datagram
            names.pointers = {address: [task(number)] for number, address in enumerate(addresses, 1)}
            assert list(await workers.nodes()) == [f"worker-{number}" for number in range(1, 31)]
            found = await workers._discovery._names.pointers(addresses, 5.0)
            assert found == {address: (task(number),) for number, address in enumerate(addresses, 1)}
            names.failing_pointers = SILENCE
            began = time.monotonic()
            found = await workers._discovery._names.pointers(addresses, 0.3)
            assert time.monotonic() - began < 1
            assert set(map(type, found.values())) == {str}

    run(scenario())
