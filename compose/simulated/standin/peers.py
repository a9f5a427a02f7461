"""A node's peers: real TCP between stand-ins, over which heads and blocks travel.

Whoever is silent for `SILENCE` is cut off: a process that is stopped and a network that drops packets look alike from
here. One that is behind asks one of those ahead for blocks, some at a time.
"""

from __future__ import annotations

import asyncio
import os
import socket
import time
from collections.abc import Callable, Sequence
from typing import Any

from .blocks import ZEROS, Block
from .chain import Chain, Taken
from .faults import Pace
from .links import Link, Peer
from .saying import error, info, warn

BEAT = 3.0
SILENCE = 10.0
SPAN = 100
"""Blocks that are asked for at once, at most."""

NETWORK_VERSION = 1212
NO_KEY = "EOS1111111111111111111111111111111114T1Anm"
NO_SIGNATURE = "SIG_K1_111111111111111111111111111111111111111111111111111111111111111116uk5ne"
NO_HANDSHAKE = {
    "network_version": 0,
    "chain_id": ZEROS,
    "node_id": ZEROS,
    "key": NO_KEY,
    "time": "0",
    "token": ZEROS,
    "sig": NO_SIGNATURE,
    "p2p_address": "",
    "last_irreversible_block_num": 0,
    "last_irreversible_block_id": ZEROS,
    "head_num": 0,
    "head_id": ZEROS,
    "os": "",
    "agent": "",
    "generation": 0,
}
FINAL = ("wrong chain", "self")
"""Reasons after which a peer is not dialled again."""


class Peers:
    """All of a node's connections, and the syncing that goes on over one of them at a time."""

    def __init__(
        self,
        chain: Chain,
        pace: Pace,
        *,
        address: str,
        agent: str,
        per_host: int,
        clients: int,
        stalled: Callable[[], bool],
        failed: Callable[[OSError], None],
    ) -> None:
        self.pace = pace
        self.links: list[Link] = []
        self.peers: dict[str, Peer] = {}
        self.node_id = os.urandom(32).hex()
        self._chain = chain
        self._address = f"{address} - {self.node_id[:7]}"
        self._agent = agent
        self._per_host = per_host
        self._clients = clients
        self._stalled = stalled
        self._failed = failed
        self._generation = 0
        self._source: Link | None = None
        self._asked = 0.0
        self._later: asyncio.TimerHandle | None = None
        self._beating = asyncio.ensure_future(self._beat())
        chain.heard.append(lambda _: None if self._source else self.announce())

    def connect(self, name: str) -> str:
        """Dial a peer from now on; the answer is nodeos's."""
        if name in self.peers:
            return "already connected"
        self.peers[name] = Peer(name, self)
        return "added connection"

    def disconnect(self, name: str) -> str:
        """Dial a peer no more, and close the connection to it; the answer is nodeos's."""
        peer = self.peers.pop(name, None)
        if peer is None:
            return "no known connection for host"
        peer.drop()
        return "connection removed"

    def stop(self) -> None:
        """Close everything."""
        self._beating.cancel()
        if self._later:
            self._later.cancel()
        for name in list(self.peers):
            self.disconnect(name)
        for link in list(self.links):
            link.close()

    def status(self) -> list[dict[str, Any]]:
        """Describe all connections as `/v1/net/connections` does, those that failed too."""
        incoming = [self._status("", link, connecting=False) for link in self.links if not link.peer]
        return incoming + [
            self._status(peer.name, peer.link, connecting=peer.connecting) for peer in self.peers.values()
        ]

    def counts(self) -> tuple[int, int]:
        """Return how many connections were dialled, and how many came in."""
        dialled = sum(1 for link in self.links if link.peer)
        return dialled, len(self.links) - dialled

    def knows(self, node_id: str) -> bool:
        """Return whether a node is connected."""
        return any(link.node_id == node_id for link in self.links if link.hello)

    def has_room(self, host: str) -> bool:
        """Return whether one more may come in, from an address."""
        incoming = [link.host for link in self.links if not link.peer]
        if incoming.count(host) >= self._per_host or 0 < self._clients <= len(incoming):
            count = incoming.count(host) + 1
            message = f"Number of connections ({count}) from {host} exceeds limit {self._per_host}"
            warn("net_plugin.cpp:2669", "start_listen_loop", message)
            return False
        return True

    def greeting(self) -> dict[str, Any]:
        """Return what a handshake says."""
        self._generation += 1
        chain = self._chain
        return {
            "network_version": NETWORK_VERSION,
            "chain_id": chain.id,
            "node_id": self.node_id,
            "key": NO_KEY,
            "time": str(time.time_ns()),
            "token": ZEROS,
            "sig": NO_SIGNATURE,
            "p2p_address": self._address,
            "last_irreversible_block_num": chain.root.number,
            "last_irreversible_block_id": chain.root.id,
            "head_num": chain.head.number,
            "head_id": chain.head.id,
            "os": "linux",
            "agent": self._agent,
            "generation": self._generation,
        }

    def greeted(self, link: Link, hello: dict[str, Any]) -> None:
        """Take another node's handshake."""
        if hello["node_id"] == self.node_id:
            self._dismiss(link, "self", "Self connection detected")
            return
        if hello["chain_id"] != self._chain.id:
            self._dismiss(link, "wrong chain", "Peer on a different chain. Closing connection")
            return
        others = [
            other for other in self.links if other.hello and other.node_id == hello["node_id"] and other is not link
        ]
        link.hello = {name: hello[name] for name in NO_HANDSHAKE}
        link.head = int(hello["head_num"])
        for other in others:
            loser = self._loser(link, other)
            if loser:
                loser.hello = {}
                if loser.peer:
                    loser.peer.same_as = str(hello["node_id"])
                loser.close("duplicate")
        if link.hello:
            info("net_plugin.cpp:3106", "handle_message", f"connected to {link.name}")
            self.sync()

    def sent_away(self, link: Link, reason: str) -> None:
        """Heed that the other end does not want this connection."""
        info("net_plugin.cpp:3262", "handle_message", f"received go_away_message, reason = {reason} {link.name}")
        if link.peer and reason in FINAL:
            link.peer.given_up = True
        if link.peer and reason == "duplicate":
            link.peer.same_as = link.node_id or link.peer.same_as
        link.close()

    def lost(self, link: Link) -> None:
        """Forget a connection."""
        if link in self.links:
            self.links.remove(link)
        if self._source is link:
            self._source = None
            self.sync()

    def announce(self) -> None:
        """Tell the head to all who are not known to have it."""
        chain = self._chain
        head = chain.head
        previous = chain.root.id if chain.root is not head else ""
        for link in self.links:
            if link.hello and head.number > max(link.head, link.told):
                link.told = head.number
                link.send({"block": [previous, *head]})

    def took_head(self, link: Link, block: Block, previous: str) -> None:
        """Take another node's head."""
        link.head = max(link.head, block.number)
        if self._source or self._stalled():
            return
        taken = self._offer(link, block, previous)
        if taken is Taken.AHEAD:
            self.sync()
        elif taken is Taken.NEW:
            info(
                "producer_plugin.cpp:492",
                "on_incoming_block",
                f"Received block {block.id[8:24]}... #{block.number} @ {block.time} signed by {block.producer} "
                f"[trxs: 0, lib: {self._chain.root.number}, confirmed: 0]",
            )

    def range(self, first: int, last: int) -> list[list[Any]]:
        """Return blocks for somebody who asked for them, as far as they are there."""
        chain = self._chain
        found: list[list[Any]] = []
        before = chain.block(first - 1)
        previous = before.id if before else ""
        for number in range(first, min(last, first + SPAN - 1) + 1):
            block = chain.block(number)
            if block is None:
                break
            found.append([previous, *block])
            previous = block.id
        return found

    def sync(self) -> None:
        """Ask somebody who has more blocks for them, if nobody is being asked and there is anybody."""
        if self._source or self._stalled():
            return
        ahead = [link for link in self.links if link.head > self._chain.head.number and not link.of_no_use]
        if ahead:
            self._source = ahead[0]
            self._ask(ahead[0])

    def took_range(self, link: Link, sent: Sequence[Sequence[Any]]) -> None:
        """Take blocks that were asked for, and ask for more, no faster than the pace allows."""
        if self._source is not link:
            return
        if self._stalled():
            self._source = None
            return
        began, before = time.monotonic(), self._chain.head.number
        for previous, *block in sent[:SPAN]:
            if self._offer(link, Block(*block), str(previous) or self._chain.root.id) is Taken.FOREIGN:
                break
        gained = self._chain.head.number - before
        if gained <= 0:
            link.of_no_use = True
            self._end_of_sync()
        elif link.head <= self._chain.head.number:
            self._end_of_sync()
        else:
            pause = max(gained / self.pace.applying - (time.monotonic() - began), 0)
            self._later = asyncio.get_running_loop().call_later(pause, self._ask, link)

    def _end_of_sync(self) -> None:
        self._source = None
        self.announce()
        self.sync()

    def _ask(self, link: Link) -> None:
        if self._source is not link:
            return
        self._asked = time.monotonic()
        first = self._chain.root.number + 1
        span = max(2, min(SPAN, int(self.pace.applying / 4)))
        link.send({"want": [first, first + span - 1]})

    def _offer(self, link: Link, block: Block, previous: str) -> Taken:
        try:
            taken = self._chain.offer(block, previous)
        except OSError as why:
            self._failed(why)
            return Taken.KNOWN
        if taken is Taken.FOREIGN:
            self._dismiss(link, "unlinkable", f"unlinkable block {block.number} {str(block.id)[8:24]}...")
        return taken

    def _dismiss(self, link: Link, reason: str, message: str) -> None:
        error("net_plugin.cpp:3120", "handle_message", f"{message} {link.name}")
        if link.peer and reason in FINAL:
            link.peer.given_up = True
        link.close(reason)

    def _loser(self, link: Link, other: Link) -> Link | None:
        """Return which of two connections to one node goes, so that both ends choose the same.

        That which the node with the lower id dialled stays. Where one node dialled both, it alone decides.
        """
        if bool(link.peer) == bool(other.peer):
            return link if link.peer else None
        mine, its = (link, other) if link.peer else (other, link)
        return its if self.node_id < mine.node_id else mine

    def _status(self, name: str, link: Link | None, *, connecting: bool) -> dict[str, Any]:
        return {
            "peer": name,
            "connecting": connecting,
            "syncing": link is not None and link is self._source,
            "is_bp_peer": False,
            "last_handshake": (link.hello if link else None) or NO_HANDSHAKE,
        }

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(BEAT)
            now = time.monotonic()
            for link in list(self.links):
                if now - link.heard > SILENCE:
                    warn("net_plugin.cpp:1015", "check_heartbeat", f"heartbeat timed out for peer {link.name}")
                    link.transport.abort()
                else:
                    link.of_no_use = False
                    link.send({"beat": now})
            if self._source and now - self._asked > SILENCE:
                self._source.of_no_use = True
                self._source = None
            self.sync()


async def listen(peers: Peers, host: str, port: int) -> asyncio.AbstractServer:
    """Accept connections."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    loop = asyncio.get_running_loop()
    return await loop.create_server(lambda: Link(peers), host, port, family=family, reuse_address=True)
