"""How much is taken from whom. What goes beyond is slowed down or left out before a connection is closed.

Closing helps little: geth comes back at once after a login that succeeded. So a connection beyond its rate has the
newest message of each type read and the others dropped; one that goes on far beyond it is closed, and its next login
waits.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

KIB, MIB = 1 << 10, 1 << 20

_SIZES = {"hello": 64 * KIB, "block": 8 * MIB, "update": 8 * MIB, "history": 16 * MIB, "block_new_payload": 64 * KIB}


@dataclass(frozen=True)
class Limits:
    """Durations are seconds, sizes bytes; `..._within` counts hold for any `window` seconds of one connection."""

    ping_every: float = 20.0
    stale_after: float = 45.0
    gone_after: float = 60.0
    hello_within: float = 15.0
    pong_after: float = 0.01
    """What a pong waits. geth writes its ping, and only then begins to listen for the answer: one that is there before
    that, as happens within one machine, makes it say "pinger seems to have died" and break off."""
    hold: float = 30.0
    """How long a wrong secret waits for its refusal, and a login after a flood for its ready."""
    same_line_after: float = 3_600.0
    """How long a wrong secret of one address is not logged again."""

    window: float = 10.0
    messages_within: int = 200
    bytes_within: int = 10 * MIB
    flood: int = 10
    """Beyond so many times the rates a connection is closed."""
    message: int = 16 * MIB
    """The largest message of all; a frame that announces more ends the connection."""
    other_message: int = 16 * KIB
    """The largest message of a type that `sizes` does not name."""
    sizes: Mapping[str, int] = field(default_factory=lambda: _SIZES)
    kept: int = 128 * MIB
    """Bytes of all connections that have logged in of which no use has been made yet, such as of half messages."""
    before_login: int = 128 * KIB
    """Bytes that a connection may send before its login, or between two pages."""

    page_for: float = 0.5
    """How long a page that was made serves everybody who asks for it."""
    connections: int = 2_000
    """Connections to one listener."""
    connections_of_address: int = 300
    """Connections of one address; behind a proxy all nodes have one."""
    logins: int = 100
    """Connections of one chain that have not logged in yet, or wait to be refused."""
    nodes: int = 1_000
    """Nodes of one chain in memory, absent ones too."""

    def size_of(self, kind: str) -> int:
        """Return how large a message of a type may be."""
        return self.sizes.get(kind, self.other_message)


class Rate:
    """How much came within the last so many seconds, estimated from two windows: no list of moments to keep."""

    def __init__(self, window: float, clock: Callable[[], float]) -> None:
        self._window = window
        self._clock = clock
        self._began = clock()
        self._before = 0
        self._now = 0

    def add(self, amount: int) -> float:
        """Count an amount and return how much came within the last window."""
        elapsed = self._clock() - self._began
        if elapsed >= self._window:
            self._before = self._now if elapsed < 2 * self._window else 0
            self._now = 0
            self._began += elapsed // self._window * self._window
            elapsed %= self._window
        self._now += amount
        return self._now + self._before * (1 - elapsed / self._window)
