"""The nodes of one chain that push, or did.

A `Link` is one connection and what it told last; a `Node` is a name, and what is counted for as long as it is known.
"""

from __future__ import annotations

import re
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property

from collector.ethstats.groups import Group
from collector.ethstats.messages import Block, Hello
from collector.remarks import excerpt

LONGEST_NAME = 100
LONGEST_VERSION = 120
REMEMBERED_HEADS = 64
"""Heads of one connection that are no news if they come again; geth repeats one every 15 s."""

SAME_START = 5.0
"""Seconds by which two estimates of when one process began may differ."""

_NODE_KEY = re.compile(r"(0x)?[0-9a-fA-F]{64,}")
_GETH = re.compile(r"geth/(?:.*/)?v(\d{1,4})\.(\d{1,4})\.(\d{1,4})", re.IGNORECASE)

Version = tuple[int, int, int]


def label(hello: Hello) -> str:
    """Return what a node is called in labels, on the page and in the log: Besu gives its name beside a key."""
    named = bool(_NODE_KEY.fullmatch(hello.id)) and hello.info.name.strip()
    return excerpt(hello.info.name if named else hello.id, LONGEST_NAME)


def geth_version(version: str) -> Version | None:
    """Return the version of a geth, None for anything else."""
    match = _GETH.match(version)
    return (int(match[1]), int(match[2]), int(match[3])) if match else None


@dataclass(eq=False)
class Link:
    """One connection that has logged in, and what it told last. Moments are by the collector's monotonic clock."""

    hello: Hello
    group: Group
    secret: bytes = field(repr=False)
    """The digest of the secret, by which it is known whether that still holds."""
    address: str
    close: Callable[[], None]
    heard: float
    """When a message came last."""
    settled: bool = False
    """Whether it was found out what this connection is to others of the same name."""
    pause: float = 0.0
    """How long its last ping waited for the pong here, which is in what it tells of the round trip."""
    latency: float | None = None
    peers: int | float | None = None
    pending: int | float | None = None
    gas_price: int | float | None = None
    syncing: bool | None = None
    skew: float | None = None
    start: float | None = None
    """When its process began; not before the collector did, so it may be negative."""
    started_at: float | None = None
    """The same in seconds since the epoch, by the collector's clock."""
    head: Block | None = None
    head_at: float = 0.0
    head_delay: float | None = None
    recent: deque[str] = field(default_factory=lambda: deque(maxlen=REMEMBERED_HEADS))

    @cached_property
    def version(self) -> str:
        """The client's name and version, as they may be shown."""
        return excerpt(self.hello.info.version, LONGEST_VERSION)

    @cached_property
    def geth(self) -> Version | None:
        """The version of geth."""
        return geth_version(self.hello.info.version)

    @property
    def says_little(self) -> bool:
        """Whether it is a geth that reports like a light node: neither transactions nor a gas price."""
        return self.geth is not None and (1, 11, 3) <= self.geth <= (1, 13, 4)

    @property
    def besu(self) -> bool:
        """Whether it is a Besu: its latency is the whole round trip."""
        return self.hello.info.version.lower().startswith("besu/")

    @property
    def knows_syncing(self) -> bool:
        """Whether what it says of syncing means that; up to 1.13.10 geth says the opposite."""
        return self.geth is None or self.geth > (1, 13, 10)

    def took(self, told: float) -> None:
        """Take what the node tells of its latency: half of the round trip, or with Besu the whole of it."""
        self.latency = max(0.0, (told - self.pause) / 2 if self.besu else told - self.pause / 2)

    def may_replace(self, other: Link) -> bool:
        """Tell whether this is the other's node once more: of its group and address, and not an older process."""
        same = self.address == other.address and self.group == other.group
        return same and (self.start is None or other.start is None or self.start > other.start - SAME_START)


@dataclass(eq=False)
class Node:
    """All connections of one name, the oldest first; more than one where two nodes were given it."""

    name: str
    links: list[Link] = field(default_factory=list)
    last: Link | None = None
    """The connection that it had last, where there is none now."""
    left: float = 0.0
    """When that ended."""
    process: float | None = None
    """When the process began that was seen last."""
    restarts: int = 0
    arrivals: int = 0
    arrival_seconds: float = 0.0
    unreadable: Counter[str] = field(default_factory=Counter)

    def link(self, live: Callable[[Link], bool]) -> Link | None:
        """Return the connection that speaks for the node: the oldest that is alive, or else the oldest, or the last."""
        return next(filter(live, self.links), self.links[0] if self.links else self.last)
