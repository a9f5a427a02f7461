"""A server on loopback, and nodes that push to it as geth does: real sockets on both sides."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import aiohttp

from collector.about import About
from collector.configuration import Address, Chain, Configuration, Ethstats
from collector.ethstats.chain import PushedChain
from collector.ethstats.door import Doors
from collector.ethstats.limits import Limits
from collector.ethstats.listening import Listening
from collector.readings import Reading, Value
from collector.targets import Target

SECRET = "s3cret:with@both"
LIMITS = Limits(hold=0.3, hello_within=0.5, page_for=0.0)
"""As in earnest, but that nobody waits for long."""

SEALER = "0x" + 40 * "a"


def ethstats(**more: Any) -> Ethstats:  # noqa: ANN401 - as their makers take them
    """Return settings of a listener on loopback."""
    return Ethstats(**{"listen": Address("127.0.0.1", 0), "secret": SECRET, **more})


def chain(name: str = "lab", **more: Any) -> Chain:  # noqa: ANN401 - as their makers take them
    """Return the settings of a chain that is pushed to."""
    return Chain(**{"name": name, "kind": "ethereum", "ethstats": ethstats(), **more})


class Served:
    """A running server."""

    def __init__(self, about: About, listening: Listening, name: str) -> None:
        self.about = about
        self.listening = listening
        self.name = name

    @property
    def port(self) -> int:
        """The port that it listens on."""
        return self.listening.port(self.name)

    @property
    def doors(self) -> Doors:
        """The doors of its only listener."""
        (listener,) = self.listening._listeners.values()
        return listener._doors

    @property
    def chain(self) -> PushedChain:
        """What it knows of its chain."""
        return self.listening._chains[self.name]

    def readings(self, targets: Sequence[Target] = ()) -> list[Reading]:
        """Return the readings of a tick."""
        made = self.listening.readings_of(self.name)
        assert made is not None
        return made(targets)

    def values(
        self, node: str | None = None, measurement: str = "ethstats", targets: Sequence[Target] = ()
    ) -> dict[str, Value]:
        """Return the values of a node in one measurement, empty where there is no such reading."""
        found: dict[str, Value] = {}
        for reading in self.readings(targets):
            tags = dict(reading.shape.tags)
            if reading.shape.measurement == measurement and tags.get("node") == node and "kind" not in tags:
                found |= reading.as_dict()
        return found

    def counted(self, field: str, *labels: str) -> float:
        """Return one of the server's own counters or gauges."""
        return float(self.about._metrics[field].labels(*labels)._value.get())

    def node(self, name: str = "n1") -> Any:  # noqa: ANN401 - JSON, or whatever it is
        """Return what the server knows of a node."""
        return self.chain._nodes[name]

    async def fetch(self, path: str = "/", method: str = "GET", **more: Any) -> tuple[int, dict[str, str], str]:  # noqa: ANN401 - as their makers take them
        """Ask for a page."""
        async with (
            aiohttp.ClientSession() as session,
            session.request(method, f"http://127.0.0.1:{self.port}{path}", allow_redirects=False, **more) as answer,
        ):
            return answer.status, dict(answer.headers), await answer.text()


@asynccontextmanager
async def serving(*chains: Chain, limits: Limits = LIMITS, **changed: Any) -> AsyncIterator[Served]:  # noqa: ANN401 - as their makers take them
    """Serve these chains, or the chain `lab`; `changed` are limits."""
    about = About()
    listening = Listening(about, replace(limits, **changed))
    wanted = chains or (chain(),)
    await listening.apply(Configuration(chains=wanted))
    try:
        yield Served(about, listening, wanted[0].name)
    finally:
        await listening.close()


class Reporter:
    """One node's connection."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse, name: str) -> None:
        self.socket = socket
        self.name = name

    async def send(self, message: object) -> None:
        """Send anything as JSON."""
        await self.socket.send_str(json.dumps(message))

    async def emit(self, kind: str, **body: object) -> None:
        """Send a message of the protocol."""
        await self.send({"emit": [kind, {"id": self.name, **body}]})

    async def hello(
        self, secret: str | None = SECRET, version: str = "Geth/v1.13.15-stable/linux-amd64/go1.21"
    ) -> None:
        """Send the login."""
        info = {"name": self.name, "node": version, "port": 30303, "net": "1337", "protocol": "eth/68", "api": "No"}
        await self.emit("hello", info=info, secret=secret)

    async def login(self, **more: Any) -> None:  # noqa: ANN401 - as their makers take them
        """Log in and see that it was taken."""
        await self.hello(**more)
        assert await self.text() == '{"emit":["ready"]}'

    async def text(self, within: float = 2.0) -> str:
        """Return the next text message."""
        message = await self.socket.receive(within)
        assert message.type is aiohttp.WSMsgType.TEXT, message
        return str(message.data)

    async def ended(self, within: float = 2.0) -> bool:
        """Wait for the end of the connection, reading what comes before it."""
        try:
            async with asyncio.timeout(within):
                while True:
                    message = await self.socket.receive()
                    if message.type not in (aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.PING, aiohttp.WSMsgType.PONG):
                        return True
        except TimeoutError:
            return False

    async def ping(self, running: float = 10.0, wall: str = "2026-11-21 07:50:43.828468839 +0000 UTC") -> Any:  # noqa: ANN401 - JSON, or whatever it is
        """Send a ping and return what the pong holds."""
        await self.emit("node-ping", clientTime=f"{wall} m=+{running:.9f}")
        kind, body = json.loads(await self.text())["emit"]
        assert kind == "node-pong"
        return body

    async def block(self, number: int, fork: int = 0, **more: object) -> None:
        """Send a head."""
        await self.emit("block", block=block(number, fork, **more))

    async def synced(self) -> None:
        """Wait until all that was sent has been taken."""
        await self.emit("node-ping")
        while not (await self.text()).startswith('{"emit":["node-pong"'):
            pass


def block(number: int, fork: int = 0, **more: object) -> dict[str, object]:
    """Return a head as geth sends it; blocks of one number differ by `fork`."""
    return {
        "number": number,
        "hash": f"0x{fork:032x}{number:032x}",
        "parentHash": f"0x{fork:032x}{number - 1:032x}",
        "timestamp": 1_795_247_932 + number,
        "miner": SEALER,
        "gasUsed": 21_000,
        "gasLimit": 30_000_000,
        "difficulty": "2",
        "totalDifficulty": str(2 * number + 1),
        "transactions": [{"hash": "0x" + 64 * "b"}],
        "uncles": [],
        **more,
    }


@asynccontextmanager
async def reporter(
    served: Served,
    name: str = "n1",
    path: str = "/api",
    source: str | None = None,
    **more: Any,  # noqa: ANN401 - as their makers take them
) -> AsyncIterator[Reporter]:
    """Connect as a node, without a login; `source` is the address to come from."""
    connector = aiohttp.TCPConnector(local_addr=(source, 0) if source else None)
    async with (
        aiohttp.ClientSession(connector=connector) as session,
        session.ws_connect(f"http://127.0.0.1:{served.port}{path}", max_msg_size=0, **more) as socket,
    ):
        yield Reporter(socket, name)


async def until(condition: Callable[[], object], what: str = "", within: float = 10.0) -> None:
    """Wait until something holds."""
    async with asyncio.timeout(within):
        while not condition():  # noqa: ASYNC110 - what holds is told by nothing else
            await asyncio.sleep(0.01)
    assert condition(), what


class Clock:
    """A clock that a test sets."""

    def __init__(self, now: float = 1_000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        """Return what it shows."""
        return self.now

    def advance(self, seconds: float) -> None:
        """Let so many seconds go by."""
        self.now += seconds
