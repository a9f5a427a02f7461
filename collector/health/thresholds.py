"""When a signal has moved: every figure that findings compare with, in one object.

Blocks and shares hold for every chain; where time matters it is told in block periods, so that one set of figures
serves a chain of half a second and one of fifteen.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Thresholds:
    """The figures, with the defaults that suit both kinds of chain."""

    behind_blocks: int = 3
    """A node this far behind, at two gathers in a row, is behind."""
    halted_periods: float = 4.0
    """A head older than so many block periods, and than `halted_least`, is one of a chain that has halted."""
    halted_least: float = 10.0
    """Seconds."""
    fork_blocks: int = 2
    """A branch this long, or one block that two gathers in a row confirm for longer than `fork_periods`, is a fork."""
    fork_periods: float = 2.0
    down_gathers: int = 2
    """A node that failed so many gathers in a row is down."""
    reorganised_blocks: int = 3
    """Giving up fewer blocks happens in health."""
    event_seconds: float = 600.0
    """How long something that happened once is told: a reorganisation, a missed round, a double production."""
    clock_seconds: float = 5.0
    slow_share: float = 0.5
    """Of the time that a gather has."""
    in_turn_share: float = 0.5
    oldest_version: str = ""
    """Versions below it are outdated: 1.13.15."""
    flaky_share: float = 0.2
    """Of a node's last sixty gathers, which have failed; one in twenty is a busy network's."""
    flaky_spells: int = 3
    """Times that it began to fail within them."""
    state_database_share: float = 0.9
    """Of the state database of a nodeos, which is used: it stops when nothing is left."""
    syncing: float = 3600.0
    """A node that says for so long that it is syncing is told of."""
    restarts: int = 3
    """A node that came back as another process so often within an hour is told of."""

    def standstill(self, period: float) -> float:
        """Return for how many seconds the head of a chain of this block period may stand, whoever's turn it is."""
        return max(self.halted_least, self.halted_periods * period)
