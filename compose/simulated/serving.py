"""How a simulated node is reached: a listener that can go away and come back on its port, and what was asked of it."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections import Counter, deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from aiohttp import web

LOOPBACK = "127.0.0.1"
BACKLOG = 4096
"""Connections that may wait to be accepted, if the system allows so many: thousands may come at once."""
CLOSING = 1.0
"""Seconds that handlers have to end once their connections are cut."""
PAUSE = 1.0
"""Seconds without accepting where this process has no files left."""

Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


class Answer(NamedTuple):
    """What a node answers before any fault spoils it.

    `kind` says what a fault may do with the body: `rpc` (one JSON-RPC answer or several), `json`, `page` (Prometheus'
    text format) or `other`, which is left alone.
    """

    body: bytes
    status: int = 200
    content_type: str = "application/json"
    kind: str = "json"
    headers: tuple[tuple[str, str], ...] = ()


class Requests:
    """What a node was asked: all of it counted, the latest kept.

    `counts` and `latest` hold both requests ("POST /", "GET /v1/chain/get_info") and the JSON-RPC methods within
    ("eth_blockNumber"); `total` is requests alone. Beyond `NAMES` different names, others are counted as `(other)`.
    """

    KEPT = 256
    NAMES = 256
    LENGTH = 200

    def __init__(self) -> None:
        self.total = 0
        self.counts: Counter[str] = Counter()
        self.latest: deque[str] = deque(maxlen=self.KEPT)

    def note(self, method: str, path: str) -> None:
        """Take note of a request."""
        self.total += 1
        self.note_call(f"{method} {path}")

    def note_call(self, name: str) -> None:
        """Take note of a JSON-RPC method that a request calls."""
        name = name[: self.LENGTH]
        self.latest.append(name)
        known = name in self.counts or len(self.counts) < self.NAMES
        self.counts[name if known else "(other)"] += 1


@dataclass
class Served:
    """What a node did with the requests that it is done with, each counted once.

    `answered` are whole answers by status, `cut` those that were begun, `dropped` and `reset` connections that were
    closed and reset without a byte of an answer. `delayed` says how many of the answered had to wait for the fault
    `some`. A request that is under way, or whose client went away, is none of these.
    """

    answered: Counter[int] = field(default_factory=Counter)
    cut: int = 0
    dropped: int = 0
    reset: int = 0
    delayed: int = 0

    def describe(self) -> dict[str, Any]:
        """Return what the control interface says of it."""
        return {
            "answered": {str(status): count for status, count in sorted(self.answered.items())},
            "delayed": self.delayed,
            "cut": self.cut,
            "dropped": self.dropped,
            "reset": self.reset,
        }


class Listener:
    """A loopback address that answers HTTP, and that refuses connections while it is closed but not ended.

    The port is chosen at the first `open` and kept until `end`: while closed, a socket that does not listen holds it,
    so that nobody else takes it and whoever connects is refused.

    It accepts by itself: a server of uvloop takes one connection at each turn of the loop, and a turn in which
    thousands are answered is long. Who connects meanwhile would wait until the queue is full and the system drops them.
    """

    def __init__(self, handler: Handler) -> None:
        self.port = 0
        self._handler = handler
        self._holder: socket.socket | None = None
        self._listening: socket.socket | None = None
        self._protocols: web.Server | None = None
        self._accepted: set[asyncio.Task[None]] = set()
        self._pause: asyncio.TimerHandle | None = None

    @property
    def url(self) -> str:
        """The address, without a path."""
        return f"http://{LOOPBACK}:{self.port}"

    @property
    def connections(self) -> int:
        """How many connections are open."""
        return len(self._protocols.connections) if self._protocols else 0

    async def open(self) -> None:
        """Accept connections.

        Raises OSError where the port cannot be had.
        """
        if self._listening:
            return
        held = self._holder or self._bound()
        self._holder = None
        # a client that goes away ends its handler: a node that hangs would collect them otherwise
        self._protocols = web.Server(self._handler, handler_cancellation=True, access_log=None, lingering_time=0)
        held.listen(BACKLOG)
        self._listening = held
        self._accept()

    async def close(self) -> None:
        """Cut all connections and refuse new ones; nothing happens before the first `open`."""
        was_open = self._listening is not None
        await self._stop()
        if was_open:
            self._holder = self._bound()

    async def end(self) -> None:
        """Cut all connections and give the port away."""
        await self._stop()
        if self._holder:
            self._holder.close()
            self._holder = None

    def cut(self) -> None:
        """Cut all connections, as a process that ends does, and go on accepting new ones."""
        if self._protocols:
            for protocol in self._protocols.connections:
                if protocol.transport:
                    protocol.transport.abort()

    def _accept(self) -> None:
        """Accept whoever connects from now on."""
        self._pause = None
        if self._listening:
            asyncio.get_running_loop().add_reader(self._listening, self._take, self._listening)

    def _take(self, listening: socket.socket) -> None:
        """Take all connections that wait."""
        loop = asyncio.get_running_loop()
        for _ in range(BACKLOG):
            try:
                connection, _ = listening.accept()
            except (BlockingIOError, ConnectionAbortedError):
                return
            except OSError:
                loop.remove_reader(listening)
                self._pause = loop.call_later(PAUSE, self._accept)
                return
            assert self._protocols
            task = loop.create_task(_serve(connection, self._protocols))
            self._accepted.add(task)
            task.add_done_callback(self._accepted.discard)

    async def _stop(self) -> None:
        listening, protocols = self._listening, self._protocols
        if not listening or not protocols:
            return
        if self._pause:
            self._pause.cancel()
        asyncio.get_running_loop().remove_reader(listening)
        listening.close()
        await asyncio.gather(*self._accepted)
        self.cut()
        self._listening = self._protocols = None
        await protocols.shutdown(CLOSING)

    def _bound(self) -> socket.socket:
        held = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        try:
            held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            held.bind((LOOPBACK, self.port))
            held.setblocking(False)
        except OSError:
            held.close()
            raise
        self.port = held.getsockname()[1]
        return held


async def _serve(connection: socket.socket, protocols: web.Server) -> None:
    connection.setblocking(False)
    with contextlib.suppress(OSError):  # it is over already
        await asyncio.get_running_loop().connect_accepted_socket(protocols, connection)
