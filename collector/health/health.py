"""The health of all chains: where gathers and pushes are told, and where page, metrics and terminal ask.

It outlives a reload of the configuration: a chain that keeps its name and kind keeps its memory. A defect here must
not cost a gather: who tells something is never told of one, the log is. Who asks is.
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import NamedTuple, Protocol, TypeVar

from collector.health.assessment import Assessment
from collector.health.chain import ChainHealth, PushedNode, Settings
from collector.health.node import Place
from collector.health.readings import HealthReadings
from collector.observations import Block, Observation
from collector.readings import Reading
from collector.remarks import Remarks, excerpt
from collector.targets import Target

_log = logging.getLogger("chainwatch")

CLOCK_SET = 5.0
"""Seconds by which the collector's clock may be set at once: beyond it what was known before can't be compared."""


T = TypeVar("T")


class Pushers(Protocol):
    """The nodes of a chain that push."""

    def nodes(self) -> Iterable[PushedNode]:
        """Return them all, those that are gone included for as long as they are remembered."""

    def forget(self, name: str) -> bool:
        """Forget one that is gone; False where it is not known, or not gone."""


class _Watched(NamedTuple):
    """A chain, and what makes the readings of its assessments."""

    health: ChainHealth
    readings: HealthReadings


class Health:
    """All chains by name. `wall` is the clock: seconds since the epoch.

    `steady` is a clock that nobody sets, to which `wall` is held: by default that of the machine, where `wall` is its.
    `by_clock`: nodes are gathered by their intervals; else nobody knows when the next gather is due.
    """

    def __init__(
        self,
        wall: Callable[[], float] = time.time,
        steady: Callable[[], float] | None = None,
        *,
        by_clock: bool = True,
    ) -> None:
        self.wall = wall
        self._steady = steady or (time.monotonic if wall is time.time else wall)
        self._apart = self.wall() - self._steady()
        self._by_clock = by_clock
        self._chains: dict[str, _Watched] = {}
        self._pushers: dict[str, Pushers] = {}
        self._remarks = Remarks(_log, "health")

    def apply(self, chains: Sequence[Settings], pushers: Mapping[str, Pushers] | None = None) -> None:
        """Compare the nodes of these chains from now on; `pushers` are those of the chains whose nodes push."""
        before, self._chains = self._chains, {}
        self._pushers = dict(pushers or {})
        for settings in chains:
            known = before.get(settings.name)
            if known and known.health.settings.kind == settings.kind:
                known.health.settings = settings
                self._chains[settings.name] = known
            else:
                self._chains[settings.name] = _Watched(ChainHealth(settings), HealthReadings(settings.name))

    def follow(self, targets: Sequence[Target]) -> None:
        """Compare these servers from now on, of all chains."""
        mine: dict[str, list[Target]] = {name: [] for name in self._chains}
        for target in targets:
            if target.chain in mine:
                mine[target.chain].append(target)
        for name, found in mine.items():
            self._safely(name, partial(self._follow, found), None)

    def gathered(self, target: Target, observation: Observation) -> Sequence[int]:
        """Take what a gather told. Returns the numbers of the blocks that the node is to be asked for, mostly none."""
        if observation.at - self._now() > CLOCK_SET:  # asked before the clock was set back
            return ()
        return self._safely(target.chain, lambda chain: chain.health.gathered(target.name, observation), ())

    def told(self, target: Target, blocks: Sequence[Block]) -> None:
        """Take the blocks that a node was asked for."""
        self._safely(target.chain, lambda chain: chain.health.told(target.name, blocks), None)

    def wanted(self, target: Target) -> Sequence[int]:
        """Return the numbers of the blocks that the node may be asked for beside those that it has told."""
        now = self._now()
        return self._safely(target.chain, lambda chain: chain.health.wanted(target.name, now), ())

    def unanswered(self, target: Target) -> None:
        """Take note that a node was asked for blocks in vain."""
        self._safely(target.chain, lambda chain: chain.health.unanswered(target.name), None)

    def failed(self, target: Target, kind: str) -> None:
        """Take note that a gather failed, by the kind of the failure."""
        now = self._now()
        self._safely(target.chain, lambda chain: chain.health.failed(target.name, kind, now), None)

    def pushed_block(self, chain: str, node: str, block: Block, at: float | None) -> None:
        """Take a block that a node pushed, and when it had it; None where that isn't known."""
        self._safely(chain, lambda found: found.health.pushed_block(node, block, at), None)

    def assess(self) -> list[Assessment]:
        """Say how all chains are, in the order of the configuration."""
        return [self._assess(name) for name in self._chains]

    def readings(self, chain: str) -> list[Reading]:
        """Return the signals of a chain as readings; none of a chain that is not known."""
        found = self._chains.get(chain)
        return found.readings.readings(self._assess(chain)) if found else []

    def forget(self, chain: str, node: str) -> bool:
        """Forget a node that is gone; False where it is not known, or not gone."""
        pushers = self._pushers.get(chain)
        return bool(pushers and pushers.forget(node))

    def _assess(self, name: str) -> Assessment:
        now = self._now()
        chain = self._chains[name].health
        pushers = self._pushers.get(name)
        chain.pushed(pushers.nodes() if pushers else ())
        return chain.assess(now)

    def _follow(self, targets: Sequence[Target], chain: _Watched) -> None:
        chain.health.follow([self._place(target) for target in targets])
        chain.readings.follow({target.name: dict(target.labels) for target in targets})

    def _place(self, target: Target) -> Place:
        interval = target.interval if self._by_clock else math.inf
        return Place(target.name, target.role, target.shown, target.host, interval, target.timeout)

    def _now(self) -> float:
        """Return the time. Where the clock has been set since it was last asked, all chains begin anew."""
        now = self.wall()
        before, self._apart = self._apart, now - self._steady()
        if abs(self._apart - before) > CLOCK_SET:
            _log.warning("the clock was set by %+.0f s: health begins anew", self._apart - before)
            for chain in self._chains.values():
                chain.health.begin_anew()
        return now

    def _safely(self, name: str, tell: Callable[[_Watched], T], otherwise: T) -> T:
        """Tell a chain something, if it is known; a defect there is logged, and not each time."""
        chain = self._chains.get(name)
        if chain is None:
            return otherwise
        try:
            return tell(chain)
        except Exception as error:  # noqa: BLE001 - whatever it is, gathers and pushes go on
            _log.debug("%s: health: a defect", name, exc_info=True)
            self._remarks.failed(name, f"{name}: a defect: {excerpt(repr(error))}")
            return otherwise
