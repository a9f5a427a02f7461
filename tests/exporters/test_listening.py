"""A listener among those who connect and say nothing, and streams that are open while outputs change and end."""

from __future__ import annotations

import asyncio
import resource
import time
from contextlib import AsyncExitStack

import aiohttp
import pytest

from exporters import listening
from exporters.listening import Listener
from tests.helpers import run
from tests.page.listening import event, site


async def connected(port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Return a connection on which nothing was said."""
    return await asyncio.open_connection("127.0.0.1", port)


def test_whoever_says_nothing_or_half_is_cut_off_and_more_than_there_is_room_for_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(listening, "MOST", 10)
    monkeypatch.setattr(listening, "IDLE", 1)

    async def scenario() -> None:
        async with site() as served, AsyncExitStack() as stack:
            connections = [await connected(served.listener.port) for _ in range(30)]
            for _, writer in connections:
                stack.callback(writer.close)
            for _, writer in connections[:5]:
                writer.write(b"GET / HTTP/1.1\r\nHost: a\r\nX-Slow: ")
            ends = [asyncio.ensure_future(reader.read()) for reader, _ in connections]
            await asyncio.sleep(0.3)
            assert [end.done() for end in ends] == [False] * 10 + [True] * 20
            with pytest.raises(aiohttp.ClientError):
                await served.get("/")
            await asyncio.wait(ends, timeout=5)
            assert all(end.done() for end in ends)
            assert (await served.get("/"))[0] == 200

    run(scenario())


def test_there_is_never_room_for_more_than_a_part_of_the_files(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _: (64, 64))

    async def scenario() -> None:
        listener = Listener("page", "127.0.0.1", 0, [])
        await listener.open()
        try:
            connections = [await connected(listener.port) for _ in range(20)]
            ends = [asyncio.ensure_future(reader.read()) for reader, _ in connections]
            await asyncio.sleep(0.2)
            assert sum(end.done() for end in ends) == 4
            for _, writer in connections:
                writer.close()
            await asyncio.wait(ends)
        finally:
            await listener.close()

    run(scenario())


def test_what_nobody_offers_is_refused_and_a_head_is_short() -> None:
    async def scenario() -> None:
        async with site() as served:
            for method in ("PUT", "DELETE", "PATCH", "OPTIONS"):
                async with served.session.request(method, f"{served.url}/api/state") as answer:
                    assert answer.status == 405
            for path in ("/", "/api/state", "/api/events"):
                async with asyncio.timeout(2), served.session.head(served.url + path) as answer:
                    assert (answer.status, await answer.read()) == (200, b"")

    run(scenario())


def test_open_streams_do_not_hold_up_the_end() -> None:
    async def scenario() -> None:
        async with site() as served, AsyncExitStack() as stack:
            for _ in range(20):
                await event(await stack.enter_async_context(served.follow()))
            began = time.monotonic()
            await served.listener.close()
            assert time.monotonic() - began < 2

    run(scenario())
