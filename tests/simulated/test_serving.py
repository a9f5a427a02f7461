"""The listener of a simulated node: who connects while it is busy, and while there are no files left."""

from __future__ import annotations

import asyncio
import os
import resource
import socket
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager

import aiohttp
import pytest
import uvloop
from aiohttp import web

from compose.simulated import serving
from compose.simulated.serving import Listener
from tests.compose.load.making import Loops, run

pytestmark = pytest.mark.parametrize(
    "loops", [asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"]
)


@asynccontextmanager
async def listening() -> AsyncIterator[Listener]:
    listener = Listener(fine)
    await listener.open()
    try:
        yield listener
    finally:
        await listener.end()


async def fine(_: web.BaseRequest) -> web.StreamResponse:
    return web.Response(text="fine")


def test_all_who_wait_are_taken_at_one_turn(loops: Loops) -> None:
    async def scenario() -> None:
        async with listening() as listener:
            with ExitStack() as stack:
                for _ in range(300):  # while the loop has no turn
                    stack.enter_context(socket.create_connection(("127.0.0.1", listener.port), timeout=5))
                for _ in range(10):
                    await asyncio.sleep(0)
                assert listener.connections == 300
        assert listener.connections == 0

    run(scenario(), loops)


def test_who_connects_while_there_are_no_files_is_answered_later(loops: Loops, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving, "PAUSE", 0.2)

    async def scenario() -> None:
        async with listening() as listener:
            allowed = resource.getrlimit(resource.RLIMIT_NOFILE)
            reader, writer = await asyncio.open_connection("127.0.0.1", listener.port)
            with socket.socket() as waiting:
                waiting.setblocking(False)
                free = os.dup(0)
                os.close(free)
                resource.setrlimit(resource.RLIMIT_NOFILE, (free, allowed[1]))
                try:
                    await asyncio.get_running_loop().sock_connect(waiting, ("127.0.0.1", listener.port))
                    await asyncio.sleep(0.1)
                    assert listener.connections == 1
                    writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
                    assert await reader.readline() == b"HTTP/1.1 200 OK\r\n"
                finally:
                    resource.setrlimit(resource.RLIMIT_NOFILE, allowed)
                await asyncio.sleep(0.3)
                assert listener.connections == 2
            writer.close()

    run(scenario(), loops)


def test_it_ends_while_it_pauses(loops: Loops) -> None:
    async def scenario() -> None:
        async with listening() as listener:
            allowed = resource.getrlimit(resource.RLIMIT_NOFILE)
            with socket.socket() as waiting:
                free = os.dup(0)
                os.close(free)
                resource.setrlimit(resource.RLIMIT_NOFILE, (free, allowed[1]))
                try:
                    waiting.connect(("127.0.0.1", listener.port))
                    await asyncio.sleep(0.05)
                finally:
                    resource.setrlimit(resource.RLIMIT_NOFILE, allowed)
                await listener.close()
                with pytest.raises(ConnectionRefusedError):
                    await asyncio.open_connection("127.0.0.1", listener.port)
                await listener.open()
                async with aiohttp.request("GET", listener.url) as answer:
                    assert await answer.text() == "fine"

    run(scenario(), loops)
