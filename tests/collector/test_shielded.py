"""Shielded nodes are tried: what accepts a connection is open, what does not is closed, what can't be tried is said."""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import socket
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager

import pytest
import uvloop

from collector import configuration as conf
from collector.readings import Reading, Value
from collector.shielded import MOST_ADDRESSES, Outcome, Shielded, Trial, _connect, shielded_of
from collector.ticks import Bell
from tests.discovery.nameserver import SERVFAIL, SILENCE, name_server
from tests.helpers import run

NAME = "gate.example.test"


def shielded(host: str, port: int, **more: float | str) -> Shielded:
    """Return an address of a node that is tried every 0.1 s."""
    return Shielded("lab", "producer", conf.Address(host, port), "producer", **{"interval": 0.1, "timeout": 0.3} | more)  # type: ignore[arg-type]


async def tried(at: Shielded, nameservers: Sequence[str] = ()) -> tuple[bool, dict[str, Value]]:
    """Try once; return what the try returned, and the values of its reading."""
    delivered: list[Reading] = []
    closed = await Trial(at, lambda readings, _: delivered.extend(readings), nameservers=nameservers).attempt()
    (reading,) = delivered
    return closed, dict(reading.as_dict())


OPEN = (False, {"tried": 1, "port_open": 1})
CLOSED = (True, {"tried": 1, "port_open": 0})
UNKNOWN = (False, {"tried": 0})


def port_of(listener: socket.socket) -> int:
    """Return the port that a socket listens at."""
    port: int = listener.getsockname()[1]
    return port


@contextmanager
def silent() -> Iterator[int]:
    """Drop what would connect: a listener whose queue is full, as no firewall is to be had everywhere."""
    with ExitStack() as open_, socket.create_server(("127.0.0.1", 0), backlog=0) as listener:
        for _ in range(8):
            connection = open_.enter_context(socket.socket())
            connection.setblocking(False)
            connection.connect_ex(listener.getsockname())
        time.sleep(0.05)
        yield port_of(listener)


@contextmanager
def refusing() -> Iterator[int]:
    """Refuse connections: the port is taken, but nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield port_of(taken)


def test_a_port_that_accepts_is_open_whatever_comes_then() -> None:
    """It need not accept for long, nor say anything: in the queue of one that never does, a connection is one."""
    with socket.create_server(("127.0.0.1", 0)) as never_accepts:
        assert run(tried(shielded("127.0.0.1", port_of(never_accepts)))) == OPEN

    hung_up = asyncio.Semaphore(0)

    async def hang_up(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.transport.abort()
        hung_up.release()

    async def scenario() -> None:
        async with await asyncio.start_server(hang_up, "127.0.0.1", 0) as server:
            for _ in range(20):
                assert await tried(shielded("127.0.0.1", port_of(server.sockets[0]))) == OPEN
                await asyncio.wait_for(hung_up.acquire(), 5)

    run(scenario())


def test_a_port_that_refuses_is_closed() -> None:
    with refusing() as port:
        assert run(tried(shielded("127.0.0.1", port))) == CLOSED


def test_a_port_that_does_not_answer_is_closed_when_the_time_is_over() -> None:
    with silent() as port:
        began = time.monotonic()
        assert run(tried(shielded("127.0.0.1", port))) == CLOSED
        assert 0.25 < time.monotonic() - began < 1.0


def test_it_is_the_same_on_the_event_loop_that_the_command_runs_on() -> None:
    with (
        refusing() as refused,
        silent() as unanswered,
        socket.create_server(("127.0.0.1", 0)) as listener,
        asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
    ):
        for port, outcome in ((port_of(listener), OPEN), (refused, CLOSED), (unanswered, CLOSED)):
            assert runner.run(tried(shielded("127.0.0.1", port))) == outcome


def test_ipv6() -> None:
    with socket.create_server(("::1", 0), family=socket.AF_INET6) as listener:
        assert run(tried(shielded("::1", port_of(listener)))) == OPEN
        port = port_of(listener)
    assert run(tried(shielded("::1", port))) == CLOSED


def test_nothing_is_sent_and_nothing_stays_open() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        assert run(tried(shielded("127.0.0.1", port_of(listener)))) == OPEN
        accepted, _ = listener.accept()
        accepted.settimeout(2)
        with accepted, pytest.raises(ConnectionResetError):
            accepted.recv(1)


def test_a_deadline_that_is_seen_to_pass_first_does_not_make_an_open_port_closed() -> None:
    async def scenario(port: int) -> Outcome | str:
        trying = asyncio.create_task(_connect("127.0.0.1", port, asyncio.get_running_loop().time() + 0.05))
        await asyncio.sleep(0)
        time.sleep(0.1)  # noqa: ASYNC251 - as a busy machine would
        return await trying

    with socket.create_server(("127.0.0.1", 0)) as listener:
        assert run(scenario(port_of(listener))) is Outcome.OPEN


@pytest.mark.parametrize("address", ["255.255.255.255", "fe80::1"])
def test_what_this_machine_has_no_way_to_is_not_known(address: str, caplog: pytest.LogCaptureFixture) -> None:
    """A broadcast address, and one that needs a device with it: the machine itself refuses, and nothing is tried."""
    assert run(tried(shielded(address, 8888))) == UNKNOWN
    (said,) = caplog.messages
    assert said.startswith(f"lab/producer ({conf.Address(address, 8888)}): cannot be tried from here: {address}: ")
    assert said.endswith("; so it is not known whether it is shielded")


def test_a_machine_without_a_descriptor_left_does_not_know(monkeypatch: pytest.MonkeyPatch) -> None:
    def none_left(*_: object) -> socket.socket:
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    async def scenario() -> None:
        monkeypatch.setattr("collector.shielded.socket.socket", none_left)
        try:
            assert await tried(shielded("127.0.0.1", 1)) == UNKNOWN
        finally:
            monkeypatch.undo()

    run(scenario())


def test_a_defect_is_not_taken_for_a_closed_port(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def broken(*_: object) -> Outcome:
        raise RuntimeError("out of order")

    monkeypatch.setattr("collector.shielded._connect", broken)
    assert run(tried(shielded("127.0.0.1", 1))) == UNKNOWN
    assert "a defect of chainwatch" in caplog.messages[0]


# --- names


@pytest.mark.parametrize("code", [None, SERVFAIL, SILENCE])
def test_a_name_without_an_address_is_not_taken_for_shielded(
    code: int | None, caplog: pytest.LogCaptureFixture
) -> None:
    async def scenario() -> None:
        async with name_server() as names:
            if code is not None:
                names.failing[NAME] = code
            began = time.monotonic()
            assert await tried(shielded(NAME, 8888, timeout=3.0), [names.address]) == UNKNOWN
            assert time.monotonic() - began < 3.0

    run(scenario())
    (said,) = caplog.messages
    assert said.startswith(f"lab/producer ({NAME}:8888): cannot be tried: ")
    assert ("DNS knows no address of this name" in said) == (code is None)
    assert ("no answer from DNS" in said) == (code is not None)


def test_a_name_is_looked_up_at_each_try() -> None:
    async def scenario() -> None:
        async with name_server() as names:
            with socket.create_server(("127.0.0.1", 0)) as listener:
                at = shielded(NAME, port_of(listener), timeout=1.0)
                readings: list[dict[str, Value]] = []
                trial = Trial(at, lambda new, _: readings.append(new[0].as_dict()), nameservers=[names.address])
                for address in ("127.0.0.1", "127.0.0.2", None):
                    names.records = {NAME: [address]} if address else {}
                    await trial.attempt()
                assert readings == [OPEN[1], CLOSED[1], UNKNOWN[1]]

    run(scenario())


def test_one_open_address_of_a_name_is_enough_and_one_without_a_route_does_not_hide_the_others() -> None:
    async def scenario(port: int) -> None:
        async with name_server() as names:
            at = shielded(NAME, port, timeout=1.0)
            for addresses, outcome in (
                (["127.0.0.2", "127.0.0.9", "127.0.0.11"], OPEN),
                (["127.0.0.2", "255.255.255.255"], CLOSED),
                (["255.255.255.255"], UNKNOWN),
                ([*(f"127.0.0.1{n:02}" for n in range(50)), "127.0.0.9"], OPEN),
                ([*(f"127.0.0.{n + 1}" for n in range(8)), "127.0.0.9"], OPEN),
            ):
                names.records[NAME] = addresses
                assert await tried(at, [names.address]) == outcome, addresses

    with socket.create_server(("127.0.0.9", 0)) as listener:
        run(scenario(port_of(listener)))


def test_a_name_may_have_any_number_of_addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    connected: list[str] = []

    async def connect(address: str, *_: object) -> Outcome:
        connected.append(address)
        return Outcome.CLOSED

    async def scenario() -> None:
        async with name_server() as names:
            names.records[NAME] = [f"127.0.0.{n}" for n in range(9, 9 + 200)]
            await tried(shielded(NAME, 1, timeout=1.0), [names.address])

    monkeypatch.setattr("collector.shielded._connect", connect)
    run(scenario())
    assert len(connected) == MOST_ADDRESSES


# --- what is said of it


def test_an_open_port_is_said_at_once_and_once_and_so_is_its_end(caplog: pytest.LogCaptureFixture) -> None:
    async def scenario() -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = port_of(listener)
            trial = Trial(shielded("127.0.0.1", port), lambda *_: None)
            for _ in range(5):
                await trial.attempt()
        for _ in range(3):
            await trial.attempt()
        about = f"lab/producer (127.0.0.1:{port}): "
        assert caplog.messages == [
            f"{about}accepts connections from here, and is meant to be shielded",
            f"{about}tried, and closed after 0 s",
        ]

    with caplog.at_level(logging.INFO, "chainwatch"):
        run(scenario())


def test_only_the_collector_that_it_falls_to_tries_it() -> None:
    async def scenario(port: int) -> None:
        bell, falls_to_us, readings = Bell(), iter([True, False, False, True]), list[Reading]()
        trial = Trial(shielded("127.0.0.1", port), lambda new, _: readings.extend(new), lambda _: next(falls_to_us))
        running = asyncio.create_task(trial.run(bell.listener()))
        tries = []
        for _ in range(4):
            await bell.ring()
            await asyncio.sleep(0.05)
            tries.append(len(readings))
        running.cancel()
        assert tries == [1, 1, 1, 2]

    with socket.create_server(("127.0.0.1", 0)) as listener:
        run(scenario(port_of(listener)))


def test_a_reading_has_the_labels_of_the_node_and_of_its_chain() -> None:
    chain = conf.Chain(
        name="lab",
        kind="nodeos",
        labels={"datacentre": "east"},
        timeout=0.1,
        shielded=(
            conf.Shielded(name="producer", addresses=("127.0.0.1:1", "[::1]:2")),
            conf.Shielded(name="spare", addresses=("gate.example:3",), role="", interval=60.0),
        ),
    )
    found = shielded_of(conf.Agent(interval=5.0), chain)
    assert [(str(each), str(each.address), each.role, each.interval, each.timeout) for each in found] == [
        ("lab/producer", "127.0.0.1:1", "producer", 5.0, 0.1),
        ("lab/producer", "[::1]:2", "producer", 5.0, 0.1),
        ("lab/spare", "gate.example:3", "", 60.0, 0.1),
    ]

    async def scenario() -> list[Reading]:
        delivered: list[Reading] = []
        for each in found[:2]:
            await Trial(each, lambda readings, _: delivered.extend(readings)).attempt()
        return delivered

    for reading, address in zip(run(scenario()), ("127.0.0.1:1", "[::1]:2"), strict=True):
        assert reading.shape.measurement == "chain_shielded"
        assert dict(reading.shape.tags) == {
            "chain": "lab",
            "node": "producer",
            "role": "producer",
            "address": address,
            "datacentre": "east",
        }
