"""One connection between two nodes, and an address that is dialled until there is one.

The protocol is our own: objects of JSON, a line each. `hello` greets, with what nodeos says in its handshake;
`go_away` gives the reason before a connection is closed; `beat` keeps it alive; `block` is a head, `want` asks for a
range of blocks, `blocks` brings them.
"""

from __future__ import annotations

import asyncio
import json
import time
from typing import TYPE_CHECKING, Any

from .blocks import Block
from .saying import error

if TYPE_CHECKING:
    from .peers import Peers

CONNECTING = 5.0
LARGEST_LINE = 1 << 20
UNSENT = 1 << 20
"""Bytes that may wait for a peer that does not read."""


class Peer:
    """An address that is dialled, again and again, until it is taken off the list. `link` is its open connection."""

    def __init__(self, name: str, peers: Peers) -> None:
        self.name = name
        self.link: Link | None = None
        self.connecting = False
        self.given_up = False
        self.same_as = ""
        """The node id of one that is connected otherwise: it is not dialled as long as that lasts."""
        self._peers = peers
        self._task = asyncio.ensure_future(self._stay_connected())

    def drop(self) -> None:
        """Take it off the list."""
        self._task.cancel()
        if self.link:
            self.link.close()

    async def _stay_connected(self) -> None:
        while True:
            if not self.link and not self.given_up and not self._peers.knows(self.same_as):
                await self._connect()
            await asyncio.sleep(self._peers.pace.reconnecting)

    async def _connect(self) -> None:
        host, _, port = self.name.removesuffix(":trx").removesuffix(":blk").rpartition(":")
        self.connecting = True
        try:
            loop = asyncio.get_running_loop()
            dialling = loop.create_connection(lambda: Link(self._peers, self), host.strip("[]"), int(port))
            await asyncio.wait_for(dialling, CONNECTING)
        except (OSError, ValueError, OverflowError, asyncio.TimeoutError) as why:
            error("net_plugin.cpp:2571", "connect", f"connection failed to {self.name}: {type(why).__name__}")
        finally:
            self.connecting = False


class Link(asyncio.Protocol):
    """One open connection. `hello` is what the other end said of itself, `head` the highest block it has shown."""

    def __init__(self, peers: Peers, peer: Peer | None = None) -> None:
        self.peer = peer
        self.hello: dict[str, Any] = {}
        self.head = 0
        self.told = 0
        self.of_no_use = False
        self.heard = time.monotonic()
        self.host = ""
        self._peers = peers
        self._read = bytearray()

    @property
    def name(self) -> str:
        """How the log calls it."""
        return f'["{self.hello.get("p2p_address", "")}" {self.host}]'

    @property
    def node_id(self) -> str:
        """Who is at the other end."""
        return str(self.hello.get("node_id", ""))

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Greet, unless there are too many already."""
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.host = str(transport.get_extra_info("peername")[0])
        if self.peer:
            self.peer.link = self
        elif not self._peers.has_room(self.host):
            transport.abort()
            return
        self._peers.links.append(self)
        self.send({"hello": self._peers.greeting()})

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - the protocol's own form
        """Forget it."""
        if self.peer and self.peer.link is self:
            self.peer.link = None
        self._peers.lost(self)

    def data_received(self, data: bytes) -> None:
        """Take what has come in whole."""
        self.heard = time.monotonic()
        self._read += data
        *lines, rest = self._read.split(b"\n")
        if len(rest) > LARGEST_LINE:
            self.close("benign_other")
            return
        self._read = bytearray(rest)
        for line in lines:
            if self.transport.is_closing():
                return
            try:
                self._take(json.loads(line))
            except (ValueError, KeyError, TypeError, RecursionError):
                self.close("benign_other")  # whatever it is, it does not speak this protocol

    def send(self, message: dict[str, Any]) -> None:
        """Send a message; one who does not read them is cut off."""
        if self.transport.is_closing():
            return
        self.transport.write(json.dumps(message, separators=(",", ":")).encode() + b"\n")
        if self.transport.get_write_buffer_size() > UNSENT:
            self.transport.abort()

    def close(self, reason: str = "") -> None:
        """Close the connection, with a reason if there is one to give."""
        if reason:
            self.send({"go_away": reason})
        self.transport.close()

    def _take(self, message: dict[str, Any]) -> None:
        if "hello" in message:
            self._peers.greeted(self, dict(message["hello"]))
        elif "go_away" in message:
            self._peers.sent_away(self, str(message["go_away"])[:40])
        elif not self.hello:
            self.close("no_reason")
        elif "block" in message:
            previous, *block = message["block"]
            self._peers.took_head(self, Block(*block), str(previous))
        elif "want" in message:
            first, last = message["want"]
            self.send({"blocks": self._peers.range(int(first), int(last))})
        elif "blocks" in message:
            self._peers.took_range(self, message["blocks"])
