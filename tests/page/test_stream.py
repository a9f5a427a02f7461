"""The stream of events: the whole, then what changes; and readers that are slow, many, gone, or here at the end."""

from __future__ import annotations

import asyncio
import time
from contextlib import AsyncExitStack, suppress
from dataclasses import replace
from itertools import pairwise

import aiohttp
import pytest

from collector.page import Page, stream, view
from exporters.listening import Listener
from tests.helpers import run
from tests.page.assessments import clique, many
from tests.page.listening import Played, event, site


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a second be a twentieth."""
    monkeypatch.setattr(view, "PERIOD", 0.05)


def test_the_whole_comes_first_and_then_what_changes(quick: None) -> None:
    async def scenario() -> None:
        async with site() as served, served.follow() as events:
            kind, number, whole = await event(events)
            assert (kind, number, len(whole["chains"][0]["nodes"])) == ("state", 1, 7)
            kind, number, change = await event(events)
            assert (kind, number, change["chains"], change["gone"]) == ("change", 2, [], [])
            served.played.said = [replace(clique(), sentence="Hm.")]
            while not (change := (await event(events))[2])["chains"]:
                pass
            assert change["chains"] == [{"chain": "lab", "sentence": "Hm.", "nodes": [], "gone": []}]
            served.played.said = []
            while not (change := (await event(events))[2])["gone"]:
                pass
            assert change["gone"] == ["lab"]

    run(scenario())


def test_a_second_has_one_event_for_everybody_and_none_when_nobody_looks() -> None:
    async def scenario() -> None:
        async with site() as served:
            async with served.follow() as one, served.follow() as other:
                await event(one)
                await event(other)
                began = time.monotonic()
                assert (await event(one))[:2] == (await event(other))[:2] == ("change", 2)
                assert 0.7 < time.monotonic() - began < 1.9
                assert served.played.asked == 2
            await asyncio.sleep(1.2)
            asked = served.played.asked
            assert asked <= 3  # a stream notices when it next writes
            await asyncio.sleep(1.2)
            assert served.played.asked == asked

    run(scenario())


def test_whoever_reads_slowly_gets_the_whole_again_and_nothing_is_kept_for_them(quick: None) -> None:
    async def scenario() -> None:
        played = Played()
        beat = 0

        def more() -> list[object]:
            nonlocal beat
            beat += 1
            return [many(1000, beat)]

        played.assess = more  # type: ignore[method-assign, assignment]
        async with site(played) as served, served.follow() as slow, served.follow() as quick_one:
            assert (await event(slow))[:2] == ("state", 1)
            for _ in range(12):  # the other one goes on
                await event(quick_one)
            seen = [(await event(slow))[:2] for _ in range(10)]
            numbers = [number for _, number in seen]
            assert numbers == sorted(set(numbers))
            for (_, before), (kind, number) in pairwise(seen):
                assert kind == ("change" if number == before + 1 else "state")

    run(scenario())


def test_a_reader_that_takes_nothing_is_cut_off(quick: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "PATIENCE", 0.3)

    async def scenario() -> None:
        played = Played()
        wide = [replace(clique(), sentence="x" * 2_000_000), replace(clique(), sentence="y" * 2_000_000)]
        played.assess = lambda: [wide[int(time.monotonic() * 20) % 2]]  # type: ignore[method-assign]
        async with site(played) as served:
            reader, writer = await asyncio.open_connection("127.0.0.1", served.listener.port, limit=1024)
            writer.write(b"GET /api/events HTTP/1.1\r\nHost: a\r\n\r\n")
            await reader.read(10)
            # How much waits for it in chainwatch: one event at most.
            await asyncio.sleep(2.5)
            received = 0
            with suppress(ConnectionResetError):
                while part := await asyncio.wait_for(reader.read(2**16), 2):
                    received += len(part)
            assert received < 30_000_000
            writer.close()
            assert (await served.state())["chains"]

    run(scenario())


def test_only_so_many_may_follow_and_a_place_is_free_again(quick: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "MOST", 3)

    async def scenario() -> None:
        async with site() as served:
            async with AsyncExitStack() as following:
                for _ in range(3):
                    await event(await following.enter_async_context(served.follow()))
                status, headers, _ = await served.get("/api/events")
                assert (status, headers["Retry-After"]) == (503, "10")
                assert (await served.get("/api/state"))[0] == 200
            deadline = time.monotonic() + 5
            while True:
                async with served.session.get(f"{served.url}/api/events") as response:
                    if response.status == 200:
                        assert (await event(response.content))[0] == "state"
                        return
                assert time.monotonic() < deadline
                await asyncio.sleep(0.05)

    run(scenario())


def test_a_listener_closes_whoever_follows() -> None:
    async def scenario() -> None:
        async with site() as served, served.follow() as events:
            await event(events)
            began = time.monotonic()
            await served.listener.close()
            assert time.monotonic() - began < 2

    run(scenario())


async def told_after(events: aiohttp.StreamReader, kind: bytes) -> bytes:
    """Return the kind of the next event that is not of this kind, a line as it was sent."""
    while True:
        line = await events.readline()
        assert line, "the stream has ended"
        if line.startswith(b"event: ") and line != b"event: %b\n" % kind:
            return line


def test_a_stream_tells_of_a_defect_of_health_and_goes_on_with_the_whole(quick: None) -> None:
    async def scenario() -> None:
        async with site(Played()) as served, served.follow() as events:
            await event(events)
            served.played.broken = True
            assert await told_after(events, b"change") == b"event: trouble\n"
            async with served.follow() as late:
                assert await told_after(late, b"") == b"event: trouble\n"
            served.played.broken = False
            assert await told_after(events, b"trouble") == b"event: state\n"

    run(scenario())


def test_a_defect_of_the_public_view_leaves_the_other_alone(quick: None, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: object) -> None:
        raise KeyError("sealer-1")

    async def scenario() -> None:
        page = Page(Played().assess, lambda _chain, _node: False)
        pages = [Listener("page", "127.0.0.1", 0, page.routes(public=public)) for public in (True, False)]
        for listener in pages:
            await listener.open()
        try:
            async with aiohttp.ClientSession() as session:
                for _ in range(3):
                    urls = [f"http://127.0.0.1:{listener.port}/api/state" for listener in pages]
                    assert [(await session.get(url)).status for url in urls] == [503, 200]
                    await asyncio.sleep(view.PERIOD)
        finally:
            for listener in pages:
                await listener.close()

    monkeypatch.setattr(view, "public", broken)
    run(scenario())


def test_many_who_follow_and_more_leave_the_others_served() -> None:
    async def scenario() -> None:
        async with site() as served, AsyncExitStack() as following:
            for _ in range(60):
                response = await following.enter_async_context(served.session.get(f"{served.url}/api/events"))
                assert response.status in (200, 503)
            assert (await served.state())["chains"]
            assert (await served.get("/"))[0] == 200

    run(scenario())
