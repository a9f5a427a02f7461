"""How a simulated geth pushes what it knows to an ethstats listener, as real ones do: a login, reports, every head.

It connects, and connects again when it has lost the connection, by the machine's time; what it tells is by its chain's
clock.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple, Protocol

import aiohttp
import orjson

from compose.simulated.ledger import digits

PAUSE = 10.0
"""Seconds before another try where a listener cannot be had."""
FULL = 15.0
"""Seconds between full reports."""
PONG = 5.0
"""Seconds that a pong may take."""
LOOK = 0.05
"""Seconds between two looks at the head."""
FARTHEST = 0.15
"""Seconds that a block takes to reach a node at most."""
HISTORY = 50
"""Blocks of history where none are named."""


class Place(NamedTuple):
    """Where to push to, and as whom."""

    url: str
    name: str
    secret: str


class Head(NamedTuple):
    """The head that a node has now."""

    number: int
    hash: str


class Reporting(Protocol):
    """What pushing needs of a node."""

    @property
    def pushes(self) -> bool:
        """Whether it is up."""

    @property
    def restarts(self) -> int:
        """How often it has started anew."""

    def latest(self) -> Head:
        """Return the head that it has now."""

    def moments(self) -> tuple[float, float]:
        """Return the time by its clock, and for how many seconds it has run."""

    def login(self) -> dict[str, Any]:
        """Return what it says of itself when it logs in, but for its name."""

    def block_to_push(self, number: int) -> dict[str, Any] | None:
        """Return one of its blocks; None for one that it does not have."""

    def stats_to_push(self) -> dict[str, Any]:
        """Return its state."""

    @property
    def pending(self) -> int:
        """Transactions that wait for a block."""


def place_of(url: str) -> Place:
    """Return where `ws://NAME:SECRET@HOST:PORT` leads to: the last `@` parts the host, the last `:` before it the name.

    Raises ValueError for anything else.
    """
    scheme, _, rest = url.partition("://")
    account, _, host = rest.rpartition("@")
    name, colon, secret = account.rpartition(":")
    if scheme not in ("ws", "wss") or not name or not colon or not host:
        raise ValueError("an ethstats address is ws://NAME:SECRET@HOST:PORT")
    return Place(f"{scheme}://{host.rstrip('/')}/api", name, secret)


class Pushing:
    """Pushes for one node from `begin` until `end`."""

    def __init__(self, place: Place, node: Reporting) -> None:
        self._place = place
        self._node = node
        self._task: asyncio.Task[None] | None = None

    def begin(self) -> None:
        """Connect, again and again if need be."""
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._run())

    async def end(self) -> None:
        """Close the connection."""
        if self._task:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
            self._task = None

    async def _run(self) -> None:
        while True:
            pause = PAUSE
            if self._node.pushes:
                with contextlib.suppress(aiohttp.ClientError, OSError, TimeoutError, ValueError):
                    async with aiohttp.ClientSession() as session, session.ws_connect(self._place.url) as socket:
                        await _Report(self._place, self._node, socket).go_on()
                        pause = LOOK
            await asyncio.sleep(pause if self._node.pushes else LOOK)


class _Report:
    """One connection: what is said on it, until it ends or the node does."""

    def __init__(self, place: Place, node: Reporting, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._place = place
        self._node = node
        self._socket = socket
        self._ready = asyncio.Event()
        self._pong = asyncio.Event()

    async def go_on(self) -> None:
        """Log in and report. Returns when the connection has ended or the node has gone down or started anew."""
        tasks = [asyncio.ensure_future(self._read()), asyncio.ensure_future(self._write())]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _read(self) -> None:
        async for message in self._socket:
            said = orjson.loads(message.data)
            kind, *more = said["emit"] if isinstance(said, dict) and isinstance(said.get("emit"), list) else ("",)
            if kind == "ready" and not more:
                self._ready.set()
            elif not self._ready.is_set():
                return
            elif kind == "node-pong":
                self._pong.set()
            elif kind == "history":
                asked = more[0].get("list") if more and isinstance(more[0], dict) else None
                await self._history(asked if isinstance(asked, list) else [])

    async def _write(self) -> None:
        node = self._node
        restarts = node.restarts
        name = self._place.name
        await self._emit("hello", info={"name": name, **node.login()}, secret=self._place.secret)
        await self._ready.wait()
        due, told = 0.0, ""
        while node.pushes and node.restarts == restarts:
            if time.monotonic() >= due:
                due = time.monotonic() + FULL
                await self._ping()
                told = await self._block()
                await self._emit("stats", stats=node.stats_to_push())
            head = node.latest()
            if head.hash != told:
                await asyncio.sleep(int(digits("way", name, head.hash, length=4), 16) / 0xFFFF * FARTHEST)
                told = await self._block()
            await asyncio.sleep(LOOK)

    async def _ping(self) -> None:
        now, running = self._node.moments()
        wall = f"{datetime.fromtimestamp(now, UTC):%Y-%m-%d %H:%M:%S.%f}"
        begun = time.monotonic()
        self._pong.clear()
        await self._emit("node-ping", clientTime=f"{wall} +0000 UTC m=+{running:.9f}")
        async with asyncio.timeout(PONG):
            await self._pong.wait()
        await self._emit("latency", latency=str(int((time.monotonic() - begun) * 500)))

    async def _block(self) -> str:
        """Push the head, and return its hash."""
        head = self._node.latest()
        block = self._node.block_to_push(head.number)
        if block:
            await self._emit("block", block=block)
        await self._emit("pending", stats={"pending": self._node.pending})
        return head.hash

    async def _history(self, numbers: Sequence[object]) -> None:
        """Push the blocks that are asked for, in reverse, or the latest where none are named."""
        head = self._node.latest().number
        wanted = numbers or range(max(head - HISTORY + 1, 0), head + 1)
        found = []
        for number in reversed(wanted):
            block = self._node.block_to_push(number) if isinstance(number, int) else None
            if block is None:
                break
            found.append(block)
        await self._emit("history", history=found)

    async def _emit(self, kind: str, **body: object) -> None:
        said = {"emit": [kind, {"id": self._place.name, **body}]}
        await self._socket.send_str(orjson.dumps(said, option=orjson.OPT_SORT_KEYS).decode())
