"""What clients do by mistake or on purpose: each costs a bounded amount, and disturbs nobody else."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import json
import logging
import os
import re
import resource
import struct
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path

import pytest

from collector.ethstats.door import REFUSED
from collector.ethstats.limits import Limits
from tests.ethstats.reporting import Reporter, Served, block, reporter, serving, until
from tests.ethstats.wire import BINARY, PING, TEXT, connection, wire
from tests.helpers import run

QUICK = 0.5
"""Seconds within which a node that does nothing wrong has its pong, whatever others do."""


@asynccontextmanager
async def undisturbed(served: Served) -> AsyncIterator[Reporter]:
    """Have a well-behaved node ping all the while, from another address; none of its pongs may be late."""
    loop = asyncio.get_running_loop()
    async with reporter(served, "good", source="127.0.0.9") as node:
        await node.login()
        slowest = 0.0

        async def go_on() -> None:
            nonlocal slowest
            number = 0
            while True:
                began = loop.time()
                await node.block(number := number + 1)
                await node.ping()
                slowest = max(slowest, loop.time() - began)
                await asyncio.sleep(0.02)

        task = asyncio.create_task(go_on())
        yield node
        assert not task.done(), task
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert slowest < QUICK
        assert served.values("good")["connected"] == 1
        assert not served.node("good").unreadable


def hello(name: str = "bad") -> bytes:
    return json.dumps({"emit": ["hello", {"id": name, "secret": "s3cret:with@both"}]}).encode()


GARBAGE = [
    b"",
    b"x",
    b"null",
    b"[]",
    b"{}",
    b'{"emit":null}',
    b'{"emit":[]}',
    b'{"emit":["block"]}',
    b'{"emit":[7,{}]}',
    b'{"emit":["block",{},{}]}',
    b'{"emit":["block",null]}',
    b'{"emit":["block",{"id":"bad","block":{"number":-1}}]}',
    b'{"emit":["stats",{"id":"bad","stats":{"peers":NaN}}]}',
    b'{"emit":["stats",{"id":"bad","stats":{"peers":1e999}}]}',
    b'{"emit":["hello",{}]}',
    b'{"emit":["\\ud800",{}]}',
    b'"primus::ping::' + b"1" * 1_000 + b'"',
    b'{"emit":["' + b"k" * 10_000 + b'",{}]}',
    b"[" * 100_000,
]


@pytest.mark.parametrize("garbage", GARBAGE, ids=lambda garbage: repr(garbage[:30]))
def test_garbage_after_the_login_is_counted_and_no_more(garbage: bytes) -> None:
    async def test() -> None:
        async with serving() as served, wire(served.port) as node:
            await node.send(hello())
            await node.frame()
            for _ in range(20):
                await node.send(garbage)
            await node.send(b'{"emit":["node-ping",{}]}')
            assert b"node-pong" in (await node.frame()).payload
            unreadable = served.node("bad").unreadable
            assert set(unreadable) <= {"envelope", "block", "stats", "other"}
            assert served.values("bad")["connected"] == 1

    run(test())


@pytest.mark.parametrize("garbage", GARBAGE, ids=lambda garbage: repr(garbage[:30]))
def test_garbage_in_place_of_a_login_is_held_and_closed(garbage: bytes) -> None:
    async def test() -> None:
        async with serving(hold=0.1) as served, undisturbed(served), wire(served.port) as node:
            await node.send(garbage)
            assert await node.ended()
            assert "bad" not in served.chain._nodes

    run(test())


@pytest.mark.parametrize("kind", ["block", "stats", "pending", "latency", "node-ping", "history", "unknown"])
def test_nothing_but_a_hello_is_taken_before_ready(kind: str) -> None:
    async def test() -> None:
        async with serving(hold=0.1) as served, reporter(served, "known") as known, reporter(served, "known") as other:
            await known.login()
            await known.block(1)
            await known.synced()
            await other.emit(kind, block=block(99), stats={"peers": 99}, latency="99")
            assert await other.ended()
            assert served.values("known")["head_block_number"] == 1
            assert "peers" not in served.values("known")
            assert served.counted("ethstats_dropped_total", "lab", "before_login") == 1

    run(test())


def test_nobody_speaks_for_another() -> None:
    async def test() -> None:
        async with serving() as served, reporter(served, "victim") as victim, reporter(served, "other") as other:
            for node in (victim, other):
                await node.login()
                await node.block(1)
                await node.synced()
            other.name = "victim"
            await other.block(99)
            await other.emit("stats", stats={"peers": 99})
            await other.synced()
            for name in ("victim", "other"):
                assert served.values(name)["head_block_number"] == 1
            assert served.counted("ethstats_dropped_total", "lab", "other_id") == 3

    run(test())


def test_a_node_beyond_its_rate_has_the_newest_of_each_type_read() -> None:
    async def test() -> None:
        async with serving(messages_within=20, flood=100) as served, undisturbed(served), reporter(served) as node:
            await node.login()
            for number in range(1, 301):
                await node.block(number)
                await node.emit("pending", stats={"pending": number})
            assert await node.ping()  # nobody waits behind what was put off
            await until(lambda: served.values("n1")["head_block_number"] == 300)
            assert served.values("n1")["pending_transactions"] == 300
            assert served.counted("ethstats_dropped_total", "lab", "too_many") > 500
            assert len(served.chain.sealers.by_address) == 1

    run(test())


@pytest.mark.parametrize("payload", [b'{"emit":["pending",{"stats":{"pending":1}}]}', b"x"])
@pytest.mark.parametrize("opcode", [TEXT, PING, BINARY])
def test_a_flood_is_ended_and_disturbs_nobody(opcode: int, payload: bytes) -> None:
    async def test() -> None:
        async with serving() as served, undisturbed(served), wire(served.port) as node:
            await node.send(hello())
            await node.frame()

            async def answers() -> None:
                while await node.reader.read(1 << 16):
                    pass

            reading = asyncio.create_task(answers())
            sent = 0
            while not reading.done() and sent < 100_000:
                for _ in range(100):
                    node.write(payload, opcode)
                await asyncio.sleep(0)
                sent += 100
            await asyncio.wait([reading], timeout=2)
            assert reading.done()
            await asyncio.gather(reading, return_exceptions=True)
            await until(lambda: served.counted("ethstats_connections", "lab") == 1)

    run(test())


def test_a_flood_of_pings_has_its_pongs_one_after_the_other() -> None:
    async def test() -> None:
        async with serving() as served, undisturbed(served), wire(served.port) as node:
            await node.send(hello())
            await node.frame()
            began = time.monotonic()
            for _ in range(10_000):
                node.write(b'{"emit":["node-ping",{}]}')
            await until(lambda: served.counted("ethstats_messages_total", "lab", "node-ping") > 10)
            pings = served.counted("ethstats_messages_total", "lab", "node-ping")
            assert pings <= 1 + (time.monotonic() - began) / Limits().pong_after

    run(test())


def test_bytes_beyond_all_measure_are_ended() -> None:
    async def test() -> None:
        async with (
            serving(bytes_within=1 << 18, flood=4) as served,
            undisturbed(served),
            wire(served.port) as node,
        ):
            await node.send(hello())
            await node.frame()
            await node.sends([b'{"emit":["history",{"history":[' + b"0," * 50_000 + b"0]}]}"] * 100)
            assert await node.ended()
            await until(lambda: served.counted("ethstats_connections", "lab") == 1)
            assert served.chain.wait_of(served.node("bad").last.hello, "127.0.0.1") > 0

    run(test())


def test_one_who_never_reads_blocks_nobody_and_is_let_go() -> None:
    """Pongs pile up in the sockets, then nothing is taken from that node any more, then it is gone."""

    async def test() -> None:
        limits = Limits(messages_within=1_000_000, gone_after=0.5, ping_every=0.05, pong_after=0)
        async with serving(limits=limits) as served, undisturbed(served), wire(served.port) as node:
            await node.send(hello())
            node.reader._transport.pause_reading()  # type: ignore[attr-defined]
            ping = b'{"emit":["node-ping",{"clientTime":"' + b"x" * 8_000 + b'"}]}'
            async with asyncio.timeout(8):
                await node.sends([ping] * 1_000_000)
            await until(lambda: served.counted("ethstats_connections", "lab") == 1)

    run(test())


def test_a_message_too_large_for_its_type_is_left_out() -> None:
    async def test() -> None:
        async with serving() as served, undisturbed(served), reporter(served) as node:
            await node.login()
            await node.emit("stats", stats={"peers": 5}, padding="x" * 20_000)
            await node.emit("block", block=block(5, transactions=[{"hash": "0x" + 64 * "1"}] * 60_000))  # 5 MB
            await node.emit("block", block=block(6, transactions=[{"hash": "0x" + 64 * "1"}] * 110_000))  # 9 MB
            assert await node.ping()
            assert "peers" not in served.values("n1")
            assert served.values("n1")["head_block_number"] == 5
            assert served.values("n1", "chain")["head_block_transactions"] == 60_000
            assert served.counted("ethstats_dropped_total", "lab", "too_large") == 2

    run(test())


@pytest.mark.parametrize("claimed", [16 << 20 | 1, 1 << 40, (1 << 63) - 1])
def test_a_message_that_announces_more_than_16_mib_ends_the_connection(claimed: int) -> None:
    async def test() -> None:
        async with serving() as served, undisturbed(served), wire(served.port) as node:
            await node.send(hello())
            await node.frame()
            await node.send(b"x" * 1_000, claimed=claimed)
            assert await node.ended()

    run(test())


def test_half_messages_of_many_are_bounded_and_the_largest_goes_first() -> None:
    async def test() -> None:
        async with serving(kept=4 << 20) as served, undisturbed(served), AsyncExitStack() as stack:
            nodes = []
            for number in range(6):
                node = await stack.enter_async_context(wire(served.port))
                await node.send(hello(f"n{number}"))
                await node.frame()
                size = (1 + (number == 3)) << 20
                with contextlib.suppress(ConnectionError):
                    await node.send(b'{"emit":["block","' + b"x" * size, last=False)
                nodes.append(node)
            assert await nodes[3].ended()
            await until(lambda: served.counted("ethstats_refused_connections_total", "too_large") >= 2)
            assert 0 < served.doors._kept <= 4 << 20
            for node in nodes:
                node.writer.transport.abort()
            await until(lambda: served.counted("ethstats_connections", "lab") == 1)
            await until(lambda: served.doors._kept < 1 << 10)

    run(test())


@pytest.mark.parametrize("messages_within", [20, 1_000])
def test_what_was_read_is_not_counted_as_kept(messages_within: int) -> None:
    async def test() -> None:
        async with (
            serving(messages_within=messages_within, kept=1 << 20) as served,
            reporter(served, "ü" * 30) as node,
        ):
            await node.login()
            for number in range(80):
                said = {"id": node.name, "block": block(number, padding="é" * 10_000)}
                await node.socket.send_str(json.dumps({"emit": ["block", said]}, ensure_ascii=False))
            await node.ping()
            (door,) = (door for each in served.doors._by_address.values() for door in each)
            await until(lambda: door.kept == 0)
            assert served.counted("ethstats_connections", "lab") == 1

    run(test())


def test_before_the_login_little_is_taken() -> None:
    async def test() -> None:
        async with serving(hello_within=5) as served, undisturbed(served), wire(served.port) as node:
            await node.send(b"x", last=False)
            for _ in range(100):
                node.write(b"x" * 10_000, last=False, opcode=0)
            assert await node.ended()
            assert served.counted("ethstats_refused_connections_total", "too_large") == 1

    run(test())


BROKEN_FRAMES = {
    "reserved bits": b"\xf1\x80\0\0\0\0",
    "unknown opcode": b"\x83\x80\0\0\0\0",
    "a long ping": b"\x89\xfe\x01\x00\0\0\0\0" + b"x" * 256,
    "a fragmented ping": b"\x09\x80\0\0\0\0",
    "no text": b"\x81\x82\0\0\0\0\xff\xfe",
    "a continuation of nothing": b"\x80\x80\0\0\0\0",
    "a close of one byte": b"\x88\x81\0\0\0\0x",
    "half a frame": b"\x81\xff",
}


@pytest.mark.parametrize("data", BROKEN_FRAMES.values(), ids=BROKEN_FRAMES.keys())
def test_broken_frames_end_the_connection_alone(data: bytes, caplog: pytest.LogCaptureFixture) -> None:
    async def test() -> None:
        async with serving(gone_after=0.5) as served, undisturbed(served), wire(served.port) as node:
            await node.send(hello())
            await node.frame()
            node.writer.write(data)
            assert await node.ended()

    run(test())
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


REQUESTS = {
    "no HTTP": b"hello\r\n\r\n",
    "nulls": b"\0" * 1_000,
    "no version": b"GET / HTTP/9.9\r\n\r\n",
    "a long line": b"GET /" + b"x" * 20_000 + b" HTTP/1.1\r\n\r\n",
    "an upgrade without a key": b"GET /api HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n",
    "an upgrade with a key that is none": b"GET /api HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n"
    b"Connection: upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: \xff\r\n\r\n",
    "an upgrade to something else": b"GET /api HTTP/1.1\r\nHost: x\r\nUpgrade: h2c\r\nConnection: upgrade\r\n\r\n",
    "a bad length": b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
    "another method": b"BREW / HTTP/1.1\r\nHost: x\r\n\r\n",
    "dots": b"GET /../../etc/passwd HTTP/1.1\r\nHost: x\r\n\r\n",
}


@pytest.mark.parametrize("request_", REQUESTS.values(), ids=REQUESTS.keys())
def test_bad_requests_are_answered_and_not_logged(request_: bytes, caplog: pytest.LogCaptureFixture) -> None:
    async def test() -> None:
        async with serving() as served, connection(served.port) as (reader, writer):
            writer.write(request_)
            assert re.match(rb"HTTP/1.[01] 4\d\d ", await reader.read(1 << 16))

    run(test())
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


@pytest.mark.parametrize(
    "part", [b"", b"GET /api HTTP/1.1\r\nHo", b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n"]
)
def test_a_connection_that_says_nothing_whole_is_ended(part: bytes) -> None:
    async def test() -> None:
        async with serving(hello_within=0.2) as served, connection(served.port) as (reader, writer):
            writer.write(part)
            async with asyncio.timeout(2):
                while await reader.read(1 << 16):
                    pass

    run(test())


def test_a_form_that_never_comes_is_not_waited_for() -> None:
    async def test() -> None:
        async with serving(hello_within=0.2) as served, connection(served.port) as (reader, writer):
            host = f"127.0.0.1:{served.port}"
            head = f"POST / HTTP/1.1\r\nHost: {host}\r\nOrigin: http://{host}\r\nContent-Length: 9\r\n"
            writer.write(f"{head}Content-Type: application/x-www-form-urlencoded\r\n\r\nforg".encode())
            async with asyncio.timeout(2):
                assert await reader.read(1 << 16) == b""
            assert served.counted("ethstats_refused_connections_total", "idle") == 1

    run(test())


def test_an_upgrade_without_a_hello_is_ended() -> None:
    async def test() -> None:
        async with serving(hello_within=0.2) as served, wire(served.port) as node:
            with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
                await node.frame()
            assert served.chain.logins == 0

    run(test())


def test_a_node_that_falls_silent_is_let_go_though_it_answers_pings() -> None:
    async def test() -> None:
        async with serving(gone_after=0.4, ping_every=0.05) as served, reporter(served) as node:
            await node.login()
            assert await node.ended()  # it answers pings by itself
            await until(lambda: served.values("n1")["connected"] == 0)

    run(test())


def test_logins_under_way_are_bounded_and_the_oldest_gives_way() -> None:
    async def test() -> None:
        async with serving(logins=5, hello_within=5) as served, AsyncExitStack() as stack:
            waiting = []
            for number in range(1, 7):
                waiting.append(await stack.enter_async_context(wire(served.port)))
                await until(partial(lambda number: served.chain.logins == min(number, 5), number))
            assert await waiting[0].ended()
            await waiting[1].send(hello())
            assert (await waiting[1].frame()).opcode == TEXT
            assert served.counted("ethstats_logins_total", "lab", "too_many") == 1

    run(test())


def test_others_wrong_secrets_keep_nobody_out() -> None:
    async def test() -> None:
        async with serving(logins=5, hold=20, hello_within=20) as served, AsyncExitStack() as stack:
            first = await stack.enter_async_context(wire(served.port))
            await until(lambda: served.chain.logins == 1)
            for number in range(20):
                node = await stack.enter_async_context(reporter(served, f"wrong-{number}"))
                await node.hello(secret="wrong")
                await until(
                    partial(
                        lambda count: served.counted("ethstats_logins_total", "lab", "wrong_secret") == count,
                        number + 1,
                    )
                )
            await first.send(hello())  # it came before them all, and is there still
            assert (await first.frame()).opcode == TEXT
            assert served.chain.logins <= 5

    run(test())


def test_a_thousand_idle_connections_are_bounded_and_keep_nobody_out() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < 4_096:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(4_096, hard), hard))

    async def test() -> None:
        async with serving(connections_of_address=100, hello_within=30) as served:
            async with undisturbed(served), AsyncExitStack() as stack:
                for _ in range(1_000):
                    await stack.enter_async_context(connection(served.port))
                await until(lambda: served.counted("ethstats_refused_connections_total", "too_many") == 900)
                (listener,) = served.listening._listeners.values()
                assert len(listener._doors) == 101
                async with reporter(served) as node:  # even from the same address
                    await node.login()
            await until(lambda: len(listener._doors) == 0)
            assert listener._doors._by_address == {}

    run(test())


def test_connections_are_bounded_in_all_but_nodes_that_have_logged_in_stay() -> None:
    async def test() -> None:
        async with (
            serving(connections=10, connections_of_address=8, hello_within=30) as served,
            undisturbed(served),
            AsyncExitStack() as stack,
        ):
            for source in ("127.0.0.2", "127.0.0.3", "127.0.0.4"):
                for _ in range(8):
                    await stack.enter_async_context(_from(served.port, source))
            (listener,) = served.listening._listeners.values()
            await until(lambda: served.counted("ethstats_refused_connections_total", "too_many") == 15)
            assert len(listener._doors) == 10

    run(test())


@asynccontextmanager
async def _from(port: int, source: str) -> AsyncIterator[None]:
    _, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=(source, 0))
    try:
        yield
    finally:
        writer.transport.abort()


def test_connections_that_come_and_go_leave_nothing_behind() -> None:
    def size() -> int:
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    async def test() -> None:
        async with serving(hold=0.01) as served:

            async def come_and_go(times: int) -> None:
                for number in range(times):
                    async with wire(served.port) as node:
                        await node.send(hello(f"n{number % 10}") if number % 3 else b"x" * 50_000)
                        if number % 2:
                            node.writer.transport.get_extra_info("socket").setsockopt(
                                1, 13, struct.pack("ii", 1, 0)
                            )  # SO_LINGER: a reset instead of an end

            await come_and_go(100)
            await until(lambda: served.counted("ethstats_connections", "lab") == 0)
            gc.collect()
            before = size()
            await come_and_go(400)
            await until(lambda: served.counted("ethstats_connections", "lab") == 0)
            gc.collect()
            assert size() - before < 8 << 20
            (listener,) = served.listening._listeners.values()
            await until(lambda: len(listener._doors) == 0)
            assert served.chain.logins == 0
            assert len(asyncio.all_tasks()) < 5

    run(test())


def test_what_the_door_refuses_is_counted_from_the_start() -> None:
    async def test() -> None:
        async with serving() as served:
            for kind in REFUSED:
                assert served.counted("ethstats_refused_connections_total", kind) == 0

    run(test())
