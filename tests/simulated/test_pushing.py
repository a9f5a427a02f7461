"""Simulated geths push to an ethstats listener as recorded ones did."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import WSMsgType, web

from compose.simulated import GethOptions, SimulatedCluster
from compose.simulated.pushing import place_of
from compose.simulated.seals import address_of
from tests.helpers import run
from tests.simulated.asking import START, Clock, shape

RECORDED = Path(__file__).parents[1] / "ethstats" / "recorded"


class Listener:
    """A listener that takes every login, answers every ping and keeps what it is told."""

    def __init__(self) -> None:
        self.logins: list[dict[str, Any]] = []
        self.said: list[tuple[str, dict[str, Any]]] = []
        self.sockets: list[web.WebSocketResponse] = []
        self.port = 0
        self._news = asyncio.Event()

    async def take(self, request: web.Request) -> web.WebSocketResponse:
        """Take a connection."""
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        self.sockets.append(socket)
        async for message in socket:
            assert message.type is WSMsgType.TEXT
            kind, body = json.loads(message.data)["emit"]
            self.said.append((kind, body))
            self._news.set()
            if kind == "hello":
                self.logins.append(body)
                await socket.send_str('{"emit":["ready"]}')
            elif kind == "node-ping":
                await socket.send_json({"emit": ["node-pong", {}]})
        return socket

    async def heard(self, kind: str, count: int = 1) -> list[dict[str, Any]]:
        """Wait for so many messages of a kind and return all."""
        async with asyncio.timeout(5):
            while len(found := [body for name, body in self.said if name == kind]) < count:
                self._news.clear()
                await self._news.wait()
        return found


@asynccontextmanager
async def listening() -> AsyncIterator[Listener]:
    listener = Listener()
    app = web.Application()
    app.router.add_get("/api", listener.take)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    listener.port = runner.addresses[0][1]
    try:
        yield listener
    finally:
        await runner.cleanup()


def one(listener: Listener, clock: Clock, version: str = "1.8.27") -> SimulatedCluster:
    url = f"ws://s:1:secret@127.0.0.1:{listener.port}"
    more = [GethOptions(name="s", role="sealer", version=version, ethstats=url)]
    return SimulatedCluster(sealers=0, clients=0, newer=0, producers=0, workers=0, more=more, clock=clock)


@pytest.mark.parametrize("version", ["1.8.27", "1.10.26"])
def test_it_says_what_recorded_ones_say(version: str) -> None:
    recorded: dict[str, object] = {}
    for line in (RECORDED / f"ethstats-v{version}.jsonl").read_text().splitlines():
        said = json.loads(line)
        if said["dir"] == "node" and isinstance(said["msg"], dict):
            kind, body = said["msg"]["emit"]
            full = kind != "block" or body["block"]["transactions"]
            if kind in ("hello", "node-ping", "latency", "block", "pending", "stats") and full:
                recorded.setdefault(kind, body)

    async def scenario() -> None:
        clock = Clock()
        async with listening() as listener, one(listener, clock, version) as cluster:
            await listener.heard("stats")
            clock.now += 9
            cluster.submit("ethereum-demo", 3)
            clock.now += 3
            assert (await listener.heard("block", 2))[-1]["block"]["transactions"]
            for kind, body in recorded.items():
                mine = dict(listener.said)[kind]
                assert _plain(mine) == _plain(body), kind

    run(scenario())


def _plain(document: object) -> str:
    """Return a document's shape, whatever the order of names and the number of words in a text."""
    return re.sub(r'"[a/.:+ ,]*a[a/.:+ ,=]*"', '"a"', json.dumps(shape(document), sort_keys=True))


def test_heads_are_pushed_once_each_with_their_sealer() -> None:
    async def scenario() -> None:
        clock = Clock()
        async with listening() as listener, one(listener, clock) as cluster:
            node = cluster.nodes["s"]
            assert (await listener.heard("hello"))[0]["id"] == "s:1"
            assert listener.logins[0]["secret"] == "secret"
            await listener.heard("stats")
            for count in (2, 3):
                clock.now += 3
                blocks = [body["block"] for body in await listener.heard("block", count)]
                assert blocks[-1]["number"] == blocks[-2]["number"] + 1
                assert blocks[-1]["parentHash"] == blocks[-2]["hash"]
                assert blocks[-1]["miner"] == address_of(node.chain, "s")
            await asyncio.sleep(0.2)
            assert len(await listener.heard("block")) == 3

    run(scenario())


def test_it_reconnects_when_it_starts_anew_and_is_silent_while_down() -> None:
    async def scenario() -> None:
        clock = Clock()
        async with listening() as listener, one(listener, clock) as cluster:
            node = cluster.nodes["s"]
            await listener.heard("stats")
            await node.fault("clock", seconds=30)
            clock.now += 5
            await node.fault("restart")
            clock.now += 1
            await listener.heard("stats", 2)
            first, second = [body["clientTime"] for body in await listener.heard("node-ping")]
            assert first.startswith("2027-01-15 08:00:00")
            assert second.startswith(("2027-01-15 08:00:35", "2027-01-15 08:00:36"))
            assert float(second.rpartition("m=+")[2]) <= 1
            await node.fault("down")
            async with asyncio.timeout(5):
                while not all(socket.closed for socket in listener.sockets):  # noqa: ASYNC110 - nothing else tells
                    await asyncio.sleep(0.01)
            count = len(listener.said)
            clock.now += 9
            await asyncio.sleep(0.2)
            assert len(listener.said) == count
            await node.heal()
            await listener.heard("stats", 3)

    run(scenario())


def test_it_tells_the_blocks_that_it_is_asked_for() -> None:
    async def scenario() -> None:
        async with listening() as listener, one(listener, Clock()):
            await listener.heard("stats")
            for wanted, numbers in (([3, 4, 5], [5, 4, 3]), ([3, 9999], []), ([], list(range(256, 206, -1)))):
                await listener.sockets[0].send_json({"emit": ["history", {"list": wanted}]})
                history = (await listener.heard("history"))[-1]["history"]
                listener.said.clear()
                assert [block["number"] for block in history] == numbers
            assert history[-1]["timestamp"] < START

    run(scenario())


def test_a_listener_that_is_not_there_or_talks_nonsense_disturbs_nobody() -> None:
    async def scenario() -> None:
        async with listening() as listener:
            for nonsense in ('"primus::ping::1"', "{", '{"emit":["ready",1]}', '{"emit":[]}', "[]"):
                async with one(listener, Clock()):
                    await listener.heard("hello")
                    listener.said.clear()
                    await listener.sockets[-1].send_str(nonsense)
                    await asyncio.sleep(0.05)
        async with one(listener, Clock()) as cluster:
            await asyncio.sleep(0.05)
            assert cluster.nodes["s"].url

    run(scenario())


@pytest.mark.parametrize("url", ["", "http://a:b@c:1", "ws://c:1", "ws://a@c:1", "ws://:b@c", "a:b@c:1", "ws://a:b@"])
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="an ethstats address is ws://NAME:SECRET@HOST:PORT") as refused:
        place_of(url)
    assert "b@" not in str(refused.value)


def test_an_address_may_hold_everything() -> None:
    assert place_of("wss://a:b:c@h:1/x/") == ("wss://h:1/x/api", "a:b", "c")
    assert place_of("ws://n:@h:1") == ("ws://h:1/api", "n", "")


def test_all_geths_push_to_one_that_listens_later_only() -> None:
    async def scenario() -> None:
        async with SimulatedCluster(sealers=1, clients=1, newer=1, workers=0) as cluster, listening() as listener:
            cluster.push_to(f"ws://{{name}}:secret@127.0.0.1:{listener.port}")
            hellos = await listener.heard("hello", 3)
        assert {hello["id"] for hello in hellos} == {"sealer-1", "client-1", "newer-1"}

    run(scenario())


def test_where_geths_push_to_is_an_address() -> None:
    with pytest.raises(ValueError, match="an ethstats address"):
        SimulatedCluster().push_to("127.0.0.1:1")
