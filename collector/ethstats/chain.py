"""One chain as its nodes tell of it: they log in, their messages are taken, and what is known is there to be read."""

from __future__ import annotations

import logging
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from dataclasses import replace
from enum import Enum
from typing import NamedTuple, TypeVar

from collector import configuration as conf
from collector.about import About
from collector.ethstats.arrivals import Arrivals
from collector.ethstats.door import Door
from collector.ethstats.groups import Group, admitted, digest, groups
from collector.ethstats.limits import Limits
from collector.ethstats.messages import Block, Decoded, Hello, Latency, Ping, Stats
from collector.ethstats.nodes import SAME_START, Link, Node, label
from collector.ethstats.sealers import Sealers
from collector.remarks import Remarks

_log = logging.getLogger("chainwatch")

K = TypeVar("K", bound=Hashable)

MOST_ADDRESSES = 1_000
"""Addresses of which it is remembered that they were logged, or that their logins wait."""

LOGINS = ("accepted", "wrong_secret", "no_hello", "too_many")
"""The values of the label `kind` of logins."""

DROPPED = ("too_large", "too_many", "other_id", "before_login")
"""The values of the label `kind` of messages that were left out."""


class State(Enum):
    """Where a node stands."""

    CONNECTED = "connected"
    STALE = "stale"
    GONE = "gone"


class News(NamedTuple):
    """A block that a node told of for the first time.

    `at` is when the node had it, in seconds since the epoch by the collector's clock; `arrived` is False of the first
    head after a login, which the node may have had for long.
    """

    node: str
    link: Link
    block: Block
    at: float
    arrived: bool


Told = Callable[[News], None]


class PushedChain:
    """What is known of one chain; connections come and go, and so do configurations.

    `now` is a clock that only goes forward, `wall` the time since the epoch: both of the collector. `told` is called
    with each block that is news from a node.
    """

    def __init__(
        self,
        settings: conf.Chain,
        about: About,
        limits: Limits | None = None,
        now: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
        *,
        told: Told | None = None,
    ) -> None:
        assert settings.ethstats is not None
        self.name = settings.name
        self._told = told
        self.limits = limits or Limits()
        self.now, self.wall = now, wall
        self.sealers = Sealers()
        self._entering: dict[Door, None] = {}  # who has not logged in yet, the oldest first
        self._held: dict[Door, None] = {}  # who waits: to be refused, or after a flood
        self._about = about
        self._remarks = Remarks(_log, f"{settings.name}: ethstats")
        self._arrivals = Arrivals()
        self._nodes: OrderedDict[str, Node] = OrderedDict()
        self._said: OrderedDict[str, float] = OrderedDict()
        self._waits: OrderedDict[tuple[str, str], float] = OrderedDict()
        self._groups: tuple[Group, ...] = ()
        self.labels: dict[str, str] = {}
        self.forget_after = 0.0
        self.apply(settings)
        for kind in LOGINS:  # there, at zero, before the first: or that one is no rise
            about.counter("ethstats_logins_total", self.name, kind)
        for kind in DROPPED:
            about.counter("ethstats_dropped_total", self.name, kind)
        self._tell_connections()

    def apply(self, settings: conf.Chain) -> None:
        """Go on with these settings; who logged in with a secret that does not hold any more is disconnected."""
        assert settings.ethstats is not None
        self._groups = groups(settings.ethstats)
        self.labels = dict(settings.labels)
        self.forget_after = settings.ethstats.forget_after
        for node in list(self._nodes.values()):
            for link in list(node.links):
                group = admitted(self._groups, link.secret)
                if group is None:
                    self.logout(link)
                    link.close()
                else:
                    link.group = group

    def disconnect(self) -> None:
        """End every connection; what is known of the nodes stays."""
        for door in [*self._entering, *self._held]:
            door.abort()
        for node in list(self._nodes.values()):
            for link in list(node.links):
                self.logout(link)
                link.close()

    # What a connection tells

    @property
    def logins(self) -> int:
        """How many connections have not logged in yet."""
        return len(self._entering) + len(self._held)

    def enter(self, door: Door) -> None:
        """Let a connection begin to log in; if there are too many, in the place of one that waits, or else the oldest.

        So nobody is kept out by others' wrong secrets.
        """
        if self.logins >= self.limits.logins:
            waiting = self._held or self._entering
            oldest = next(iter(waiting))
            del waiting[oldest]
            oldest.abort()
            self.count_login("too_many")
        self._entering[door] = None

    def hold(self, door: Door) -> None:
        """Count a connection among those that wait."""
        if door in self._entering:
            del self._entering[door]
            self._held[door] = None

    def leave(self, door: Door) -> None:
        """Count a connection among those that log in no more."""
        self._entering.pop(door, None)
        self._held.pop(door, None)

    def group_of(self, hello: Hello) -> Group | None:
        """Return the group that a login belongs to, None where its secret is wrong."""
        return admitted(self._groups, digest(hello.secret))

    def refused(self, hello: Hello, address: str) -> None:
        """Count a wrong secret, and say it once for an address and hour."""
        self.count_login("wrong_secret")
        said = self._said.get(address)
        if said is not None and self.now() - said <= self.limits.same_line_after:
            return
        oldest = next(iter(self._said.values()), 0.0)
        # Beyond so many addresses within the hour it is nothing that lines of the log could help with.
        if len(self._said) < MOST_ADDRESSES or self.now() - oldest > self.limits.same_line_after:
            _keep(self._said, address, self.now())
            _log.warning("%s: ethstats: %s gave a wrong secret for %r", self.name, address, label(hello))

    def login(self, hello: Hello, group: Group, address: str, close: Callable[[], None]) -> Link | None:
        """Take a connection in; None where so many nodes are known that there is no room for another."""
        name = label(hello)
        node = self._nodes.get(name)
        if node is None:
            if len(self._nodes) >= self.limits.nodes and not self._forget_longest_absent():
                self.count_login("too_many")
                self._remarks.failed("nodes", f"{self.limits.nodes} nodes are connected; {name!r} is one too many")
                return None
            node = self._nodes[name] = Node(name)
            self._remarks.once(f"new {name}", f"{name!r} logs in for the first time, from {address}", logging.INFO)
        link = Link(replace(hello, secret=""), group, digest(hello.secret), address, close, self.now())
        node.links.append(link)
        self.count_login("accepted")
        self._tell_connections()
        return link

    def logout(self, link: Link) -> None:
        """Let go of a connection that has ended, or is to; harmless where that was said before."""
        node = self._nodes.get(label(link.hello))
        if node is None or link not in node.links:
            return
        node.links.remove(link)
        if not node.links:
            node.last, node.left = link, self.now()
        self._tell_connections()

    def wait_of(self, hello: Hello, address: str) -> float:
        """Return how many seconds a login waits for its ready, because the connection before it was a flood."""
        return max(0.0, self._waits.get((address, label(hello)), 0.0) - self.now())

    def flooded(self, link: Link) -> None:
        """Let the next login of this node wait."""
        name = label(link.hello)
        _keep(self._waits, (link.address, name), self.now() + self.limits.hold)
        self._remarks.failed(f"flood {name}", f"{name!r} at {link.address} sends far too much; disconnected")

    def count_login(self, kind: str) -> None:
        """Count a login by how it went."""
        self._about.counter("ethstats_logins_total", self.name, kind).inc()

    def count_message(self, kind: str) -> None:
        """Count a message by its type."""
        self._about.counter("ethstats_messages_total", self.name, kind).inc()

    def count_dropped(self, kind: str) -> None:
        """Count a message that was left out by why."""
        self._about.counter("ethstats_dropped_total", self.name, kind).inc()

    def count_pong(self, seconds: float) -> None:
        """Count the time that a ping waited for its pong."""
        self._about.counter("ethstats_pong_seconds_total", self.name).inc(seconds)

    def unreadable(self, kind: str, link: Link | None = None) -> None:
        """Count a message that could not be read, or not all of it."""
        self._about.counter("ethstats_unreadable_total", self.name, kind).inc()
        if link is not None and (node := self._nodes.get(label(link.hello))) is not None:
            node.unreadable[kind] += 1

    def take(self, link: Link, decoded: Decoded, at: float) -> None:
        """Take what a message says that came at a moment."""
        node = self._nodes.get(label(link.hello))
        if node is None or link not in node.links:
            return
        for part in decoded.parts:
            match part:
                case Ping():
                    self._take_time(link, part, at)
                case Latency():
                    link.took(part.seconds)
                case Stats():
                    _take_stats(link, part)
                case Block():
                    self._take_block(node, link, part, at)
        if not link.settled:
            link.settled = True
            self._settle(node, link)
        if link.start is not None and node.links[0] is link:
            if node.process is not None and link.start > node.process + SAME_START:
                node.restarts += 1
            node.process = link.start

    def _take_time(self, link: Link, ping: Ping, at: float) -> None:
        if ping.time is None:
            return
        since = self.now() - at
        sent = self.wall() - since - (link.latency or 0.0)
        link.skew = ping.time.wall - sent
        # Once for a connection, which no process outlives: so it is one number, and not another at each ping.
        if ping.time.running is not None and link.start is None:
            link.start = at - ping.time.running
            link.started_at = sent - ping.time.running

    def _take_block(self, node: Node, link: Link, block: Block, at: float) -> None:
        news = block.hash not in link.recent
        # The first head after a login was there before: when it arrived is not known.
        arrived = news and link.head is not None
        if news:
            link.recent.append(block.hash)
            link.head_at = at
            sighting = self._arrivals.sighting(block.number, block.hash, at - (link.latency or 0.0), self._best)
            self.sealers.count(block, self._best, first=sighting.first)
            link.head_delay = sighting.delay if arrived else None
            if link.head_delay is not None and node.links[0] is link:
                node.arrivals += 1
                node.arrival_seconds += link.head_delay
        elif link.head is not None and link.head.hash != block.hash:  # back from a branch that was given up
            link.head_at, link.head_delay = at, None
        link.head = block
        if news and self._told is not None:
            since = self.now() - link.head_at + (link.latency or 0.0)
            self._told(News(node.name, link, block, self.wall() - since, arrived))

    def _settle(self, node: Node, link: Link) -> None:
        """Find out what a connection is to the others of its name: their successor, or another node."""
        for other in [other for other in node.links if other is not link and link.may_replace(other)]:
            node.links.remove(other)
            other.close()
        others = [other.address for other in node.links if other is not link and self.state_of(other) != State.GONE]
        if others:
            message = f"{node.name!r} is the name of two nodes: {others[0]} and {link.address}; the first one counts"
            self._remarks.failed(f"twice {node.name}", message)
        self._tell_connections()

    def _best(self) -> int:
        """Return the highest head; of three or more the second highest, for one node may be of another network."""
        heads = sorted(link.head.number for node in self._nodes.values() for link in node.links if link.head)
        return heads[-2] if len(heads) > 2 else heads[-1] if heads else -1  # noqa: PLR2004 - see the docstring

    # What is known

    def state_of(self, link: Link) -> State:
        """Return where a connection stands, were it still open."""
        silent = self.now() - link.heard
        if silent >= self.limits.gone_after:
            return State.GONE
        return State.STALE if silent >= self.limits.stale_after else State.CONNECTED

    def speaker(self, node: Node) -> tuple[Link | None, State]:
        """Return the connection that speaks for a node, now or last, and where the node stands."""
        link = node.link(lambda link: self.state_of(link) == State.CONNECTED)
        if link is None or not node.links:
            return link, State.GONE
        return link, self.state_of(link)

    def conflicts(self, node: Node) -> int:
        """Return how many more nodes than one have this name now."""
        return max(0, sum(other.settled and self.state_of(other) == State.CONNECTED for other in node.links) - 1)

    def nodes(self) -> Iterator[Node]:
        """Yield the nodes that are remembered; those that were away for too long are forgotten."""
        now = self.now()
        for node in [node for node in self._nodes.values() if not node.links and now - node.left >= self.forget_after]:
            del self._nodes[node.name]
        yield from list(self._nodes.values())

    def forget(self, name: str) -> bool:
        """Forget an absent node now; False where it is none."""
        node = self._nodes.get(name)
        if node is None or self.speaker(node)[1] != State.GONE:
            return False
        for link in node.links:
            link.close()
        del self._nodes[name]
        self._tell_connections()
        return True

    def _forget_longest_absent(self) -> bool:
        absent = [node for node in self._nodes.values() if not node.links]
        if absent:
            del self._nodes[min(absent, key=lambda node: node.left).name]
        return bool(absent)

    def _tell_connections(self) -> None:
        count = sum(len(node.links) for node in self._nodes.values())
        self._about.gauge("ethstats_connections", self.name).set(count)


def _take_stats(link: Link, stats: Stats) -> None:
    if stats.pending is not None:
        link.pending = stats.pending
    if stats.peers is not None:
        link.peers = stats.peers
    if stats.gas_price is not None:
        link.gas_price = None if link.says_little else stats.gas_price
    if stats.syncing is not None:
        link.syncing = stats.syncing if link.knows_syncing else None


def _keep(kept: OrderedDict[K, float], key: K, value: float) -> None:
    """Set a value, and let go of the one set longest ago where there are too many."""
    kept[key] = value
    kept.move_to_end(key)
    if len(kept) > MOST_ADDRESSES:
        kept.popitem(last=False)
