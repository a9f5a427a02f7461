"""Whether the chain goes on: since when its head has stood, and whether that is longer than its rules explain."""

from __future__ import annotations

from collections.abc import Sequence

from collector.health.assessment import Making
from collector.health.making.clique import WIGGLE
from collector.health.making.turns import TURN
from collector.health.standing import Standing
from collector.health.thresholds import Thresholds
from collector.observations import Block, Observation

_JUST_GONE = 2
"""Producers that may have gone a moment ago, whose turns in a row are empty, before that is a chain that has halted."""


class Progress:
    """When the head last moved, by the collector's clock: block times may be by another.

    All moments are those at which nodes were asked, so that a head that nobody asked for has not stood still.
    """

    def __init__(self) -> None:
        self._standing = Standing()
        self._stood = 0.0
        self._looked: float | None = None
        self._waiting: float | None = None
        """Since when transactions wait in every pool that is told of."""

    def note(self, newest: Sequence[Observation], tip: Block, seen: float | None) -> None:
        """Take what the chain's nodes said last, the chain's last block, and when a node last told it as its head."""
        if seen is None:
            return
        self._looked = max(seen, self._looked or seen)
        self._stood = self._standing.seconds(tip, self._looked)
        pools = [each.pool for each in newest if each.pool is not None]
        if not pools or min(pools) == 0:
            self._waiting = None
        elif self._waiting is None:
            self._waiting = self._looked

    def halted(self, period: float | None, making: Making | None, limits: Thresholds) -> bool | None:
        """Tell whether no block has come for longer than this network explains; None where that isn't known."""
        if self._looked is None or period is None:
            return None
        if period == 0:  # blocks come with transactions alone
            waited = 0.0 if self._waiting is None else min(self._looked - self._waiting, self._stood)
            return waited >= limits.halted_least
        return self._stood >= _allowed(period, making, limits)


def _allowed(period: float, making: Making | None, limits: Thresholds) -> float:
    """Return how many seconds may lie between two blocks."""
    allowed = limits.standstill(period)
    if making is None:
        return allowed
    if making.kind == "clique":
        return allowed + WIGGLE * making.scheduled
    if making.scheduled > 1:
        away = making.scheduled - (making.active or 0)
        return max(allowed, ((_JUST_GONE + away) * TURN + limits.halted_periods) * period)
    return allowed
