"""One connection between two nodes, and an address that is dialled until there is one.

The protocol is our own: objects of JSON, a line each. `hello` greets, with what nodeos says in its handshake;
`go_away` gives the reason before a connection is closed; `beat` keeps it alive; `block` is a head, `want` asks for a
range of blocks, `blocks` brings them.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Sequence
from typing import Any, Protocol

from .blocks import Block
from .faults import Pace
from .saying import error

CONNECTING = 5.0
LARGEST_LINE = 1 << 20
UNSENT = 1 << 20
"""Bytes that may wait for a peer that does not read."""


class Node(Protocol):
    """The node at this end: what it says, and who hears what comes over its connections."""

    pace: Pace
    links: list[Link]

    def knows(self, node_id: str) -> bool:
        """Return whether a node is connected."""

    def has_room(self, host: str) -> bool:
        """Return whether one more may come in, from an address."""

    def greeting(self) -> dict[str, Any]:
        """Return what a handshake says."""

    def range(self, first: int, last: int) -> list[list[Any]]:
        """Return blocks for somebody who asked for them, as far as they are there."""

    def greeted(self, link: Link, hello: dict[str, Any]) -> None:
        """Take another node's handshake."""

    def sent_away(self, link: Link, reason: str) -> None:
        """Heed that the other end does not want this connection."""

    def took_head(self, link: Link, block: Block, previous: str) -> None:
        """Take another node's head."""

    def took_range(self, link: Link, sent: Sequence[Sequence[Any]]) -> None:
        """Take blocks that were asked for."""

    def lost(self, link: Link) -> None:
        """Forget a connection."""


class Peer:
    """An address that is dialled, again and again, until it is taken off the list. `link` is its open connection."""

    def __init__(self, name: str, node: Node) -> None:
        self.name = name
        self.link: Link | None = None
        self.connecting = False
        self.given_up = False
        self.same_as = ""
        """The node id of one that is connected otherwise: it is not dialled as long as that lasts."""
        self._node = node
        self._task = asyncio.ensure_future(self._stay_connected())

    def drop(self) -> None:
        """Take it off the list."""
        self._task.cancel()
        if self.link:
            self.link.close()

    async def _stay_connected(self) -> None:
        while True:
            if not self.link and not self.given_up and not self._node.knows(self.same_as):
                await self._connect()
            await asyncio.sleep(self._node.pace.reconnecting)

    async def _connect(self) -> None:
        host, _, port = self.name.removesuffix(":trx").removesuffix(":blk").rpartition(":")
        self.connecting = True
        try:
            loop = asyncio.get_running_loop()
            dialling = loop.create_connection(lambda: Link(self._node, self), host.strip("[]"), int(port))
            await asyncio.wait_for(dialling, CONNECTING)
        except (OSError, ValueError, OverflowError, asyncio.TimeoutError) as why:
            error("net_plugin.cpp:2571", "connect", f"connection failed to {self.name}: {type(why).__name__}")
        finally:
            self.connecting = False


class Link(asyncio.Protocol):
    """One open connection. `hello` is what the other end said of itself, `head` the highest block it has shown."""

    def __init__(self, node: Node, peer: Peer | None = None) -> None:
        self.peer = peer
        self.hello: dict[str, Any] = {}
        self.head = 0
        self.told = 0
        self.of_no_use = False
        self.heard = time.monotonic()
        self.host = ""
        self._node = node
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
        elif not self._node.has_room(self.host):
            transport.abort()
            return
        self._node.links.append(self)
        self.send({"hello": self._node.greeting()})

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - the protocol's own form
        """Forget it."""
        if self.peer and self.peer.link is self:
            self.peer.link = None
        self._node.lost(self)

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
            except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
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
            self._node.greeted(self, dict(message["hello"]))
        elif "go_away" in message:
            self._node.sent_away(self, str(message["go_away"])[:40])
        elif not self.hello:
            self.close("no_reason")
        elif "block" in message:
            previous, *block = message["block"]
            self._node.took_head(self, Block(*block), str(previous))
        elif "want" in message:
            first, last = message["want"]
            self.send({"blocks": self._node.range(int(first), int(last))})
        elif "blocks" in message:
            self._node.took_range(self, message["blocks"])
