"""Each kind of end that a request can come to: what is counted is what the server did, to the last one."""

from __future__ import annotations

import asyncio
import itertools
import random
import time

import pytest
import uvloop

from compose.load.calls import call
from compose.load.generator import STARTING, Generator
from compose.load.plan import Share
from compose.load.tally import Tally
from tests.compose.load.behaving import CLOSING, FAILURES, WRITTEN, Behaving
from tests.compose.load.making import Loops, a_load, make, run, until
from tests.real.servers import free_port

RPC = call("net_peerCount", "/", None)
QUICK = sorted({*WRITTEN, *CLOSING, "reset", "reset_within", "split"} - {"rpc", "rpc_error"})
"""What takes no time."""


pytestmark = pytest.mark.parametrize(
    "loops", [asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"]
)


def of(server: Behaving, tally: Tally, requests: int) -> None:
    """Check that what was counted is what the server did, and all that was asked for."""
    assert tally.failed == server.failures
    assert tally.ok == server.ok
    assert tally.ok + tally.failures == tally.made == tally.begun == server.asked == requests
    assert tally.latencies.count == tally.ok


@pytest.mark.parametrize("behaviour", QUICK)
def test_each_alone(behaviour: str, loops: Loops) -> None:
    async def test() -> None:
        async with Behaving(lambda: behaviour) as server:
            of(server, await make(server, requests=50, workers=5), 50)
            assert server.failures == ({FAILURES[behaviour]: 50} if behaviour in FAILURES else {})

    run(test(), loops)


@pytest.mark.parametrize("seed", range(3))
def test_all_of_them_mixed(seed: int, loops: Loops) -> None:
    behaviours = [*QUICK * 60, *["ok"] * 1800]
    random.Random(seed).shuffle(behaviours)

    async def test() -> None:
        async with Behaving(iter(behaviours)) as server:
            of(server, await make(server, requests=len(behaviours), workers=50), len(behaviours))
            assert len(server.failures) == len({FAILURES[each] for each in QUICK if each in FAILURES})

    run(test(), loops)


def test_each_request_has_an_end(loops: Loops) -> None:
    behaviours = itertools.cycle(["ok", "hang", "ok", "drip", "ok"])

    async def test() -> None:
        async with Behaving(behaviours) as server:
            began = time.monotonic()
            tally = await make(server, requests=50, workers=20, timeout=0.5)
            of(server, tally, 50)
            assert tally.failed == {"timeout": 20}
            assert 0.49 < time.monotonic() - began < 3

    run(test(), loops)


def test_late_ones_are_answered_and_late(loops: Loops) -> None:
    behaviours = itertools.cycle(["delay", *["ok"] * 9])

    async def test() -> None:
        async with Behaving(behaviours) as server:
            tally = await make(server, requests=200, workers=40, late=0.5)
            of(server, tally, 200)
            assert tally.late == server.did["delay"] == 20
            assert tally.ok == 200

    run(test(), loops)


def test_nobody_there(loops: Loops) -> None:
    tally = run(make(free_port(), requests=500, workers=50), loops)
    assert tally.failed == {"refused": 500}
    assert (tally.ok, tally.made, tally.latencies.count) == (0, 500, 0)


def test_one_of_two_addresses_dead(loops: Loops) -> None:
    async def test() -> None:
        async with Behaving(lambda: "ok") as server:
            tally = await make(server, requests=400, workers=20, addresses=["127.0.0.1", "127.0.0.2"])
            assert tally.ok == server.asked > 0
            assert tally.failed == {"refused": 400 - server.asked}

    run(test(), loops)


def test_a_server_that_goes_away_meanwhile(loops: Loops) -> None:
    async def test() -> None:
        async with Behaving(lambda: "ok") as server:
            making = asyncio.create_task(make(server, requests=3000, workers=20))
            await until(lambda: server.asked >= 1000, every=0)
            server._server.close()
            for connection in list(server.open):
                connection.transport.abort()
            tally = await making
            assert tally.made == 3000
            assert tally.ok <= server.asked < 3000
            assert tally.failed["refused"] >= 3000 - server.asked - 20
            assert set(tally.failed) <= {"refused", "reset", "closed"}

    run(test(), loops)


def test_json_rpc(loops: Loops) -> None:
    behaviours = itertools.cycle(["rpc", "rpc_error", "rpc", "not_asked", "503", "rpc"])

    async def test() -> None:
        async with Behaving(behaviours) as server:
            tally = await make(server, call=RPC, requests=600)
            of(server, tally, 600)
            assert tally.failed == {"rpc_error_-32601": 100, "not_asked": 100, "status_503": 100}
            assert server.request.startswith(b"POST / HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n" % server.port)
            assert server.request.endswith(b'{"jsonrpc":"2.0","id":1,"method":"net_peerCount","params":[]}')

    run(test(), loops)


def test_connections_are_kept(loops: Loops) -> None:
    async def test() -> None:
        async with Behaving(lambda: "ok") as server:
            of(server, await make(server, requests=1000, workers=20), 1000)
            assert server.connections == 20

    run(test(), loops)


def test_or_new_ones_made(loops: Loops) -> None:
    async def test() -> None:
        async with Behaving(lambda: "ok") as server:
            of(server, await make(server, requests=500, workers=20, new_connections=True), 500)
            assert server.connections == 500
            assert b"Connection: close\r\n" in server.request

    run(test(), loops)


def test_more_workers_than_start_at_a_time(loops: Loops) -> None:
    connections = []

    async def test() -> None:
        def behaviour() -> str:
            connections.append(server.connections)
            return "ok"

        async with Behaving(behaviour) as server:
            generator = Generator(Share(a_load(server, requests=2000, workers=700), 0), tally := Tally())
            making = asyncio.create_task(generator.run(time.monotonic()))
            await until(lambda: generator._waiting, every=0)
            assert len(generator._waiting) == STARTING
            await making
            of(server, tally, 2000)
            assert connections[700:] == [700] * 1300  # none asked again before all had asked once

    run(test(), loops)


@pytest.mark.parametrize("changes", [{"rate": 2000.0}, {"ceiling": 2000.0}, {"new_connections": True}])
def test_whatever_the_pace(changes: dict[str, object], loops: Loops) -> None:
    behaviours = [*QUICK * 10, *["ok"] * 300]
    random.Random(1).shuffle(behaviours)

    async def test() -> None:
        async with Behaving(iter(behaviours)) as server:
            tally = await make(server, requests=len(behaviours), workers=300, **changes)
            of(server, tally, len(behaviours))

    run(test(), loops)


@pytest.mark.parametrize("changes", [{}, {"workers": 1}, {"rate": 100.0}, {"new_connections": True}])
def test_a_single_request(changes: dict[str, object], loops: Loops) -> None:
    async def test() -> None:
        async with Behaving(lambda: "ok") as server:
            of(server, await make(server, requests=1, **changes), 1)

    run(test(), loops)


def test_what_is_not_answered_is_left_when_it_is_cancelled(loops: Loops) -> None:
    async def test() -> None:
        async with Behaving(itertools.chain(["ok"] * 100, itertools.repeat("hang"))) as server:
            making = asyncio.create_task(make(server, workers=20))
            await until(lambda: server.asked >= 120)
            making.cancel()
            with pytest.raises(asyncio.CancelledError):
                await making
            await asyncio.sleep(0.05)
            assert not server.open  # all were dropped

    run(test(), loops)
