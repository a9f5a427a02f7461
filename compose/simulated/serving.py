"""How a simulated node is reached: a listener that can go away and come back on its port, and what was asked of it."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections import Counter, deque
from collections.abc import Awaitable, Callable
from typing import NamedTuple

from aiohttp import web

LOOPBACK = "127.0.0.1"
BACKLOG = 1024
CLOSING = 1.0
"""Seconds that handlers have to end once their connections are cut."""

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


class Listener:
    """A loopback address that answers HTTP, and that refuses connections while it is closed but not ended.

    The port is chosen at the first `open` and kept until `end`: while closed, a socket that does not listen holds it,
    so that nobody else takes it and whoever connects is refused.
    """

    def __init__(self, handler: Handler) -> None:
        self.port = 0
        self._handler = handler
        self._holder: socket.socket | None = None
        self._server: asyncio.Server | None = None
        self._protocols: web.Server | None = None

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
        if self._server:
            return
        held = self._holder or self._bound()
        self._holder = None
        # a client that goes away ends its handler: a node that hangs would collect them otherwise
        self._protocols = web.Server(self._handler, handler_cancellation=True, access_log=None, lingering_time=0)
        self._server = await asyncio.get_running_loop().create_server(self._protocols, sock=held, backlog=BACKLOG)

    async def close(self) -> None:
        """Cut all connections and refuse new ones; nothing happens before the first `open`."""
        was_open = self._server is not None
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

    async def _stop(self) -> None:
        server, protocols = self._server, self._protocols
        if not server or not protocols:
            return
        server.close()
        self.cut()
        self._server = self._protocols = None
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(CLOSING):
                await server.wait_closed()
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
