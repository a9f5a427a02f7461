"""A simulated cluster, the collector's watches of its nodes and health over them, by a clock that a test moves."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator, Mapping
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Self

import msgspec

from collector.about import About
from collector.health.assessment import Assessment
from collector.health.chain import Settings
from collector.health.health import Health
from collector.health.thresholds import Thresholds
from collector.sources import SourceFactory
from collector.sources.ethereum import Ethereum
from collector.sources.nodeos import Nodeos
from collector.targets import Target
from collector.watch import Watch
from tests.health.matrix.cases import Case, Deed
from tests.health.matrix.stage import CHAIN, Stage

START = 1_800_000_000.0
SOURCES: Mapping[str, SourceFactory] = {"ethereum": Ethereum, "nodeos": Nodeos}

LATE = 0.05
"""Seconds by which a gather may begin later than its tick."""

CROWD = 3
"""Nodes that are gathered side by side, at most."""

TIMEOUT = 30.0
"""Seconds that a gather has, by the real clock: a busy machine must not look like a slow node."""


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self, now: float = START) -> None:
        self.now = now

    def __call__(self) -> float:
        """Return the seconds since 1970."""
        return self.now


class World:
    """The stage of a case and those who watch it, for one kind of chain; `seed` decides who is gathered when."""

    def __init__(self, case: Case, kind: str, seed: int) -> None:
        self.clock = Clock()
        self._kind = kind
        self._interval = case.interval
        self._jitter = case.jitter
        self._seed = seed
        self._random = random.Random(seed)
        self._watches: dict[str, Watch] = {}
        self._about = About()
        self.stage = Stage(case, kind, self.clock)
        self.health = Health(wall=self.clock)
        limits = msgspec.convert(case.thresholds, Thresholds)
        self.health.apply([Settings(CHAIN, kind, interval=case.interval, thresholds=limits)])
        self._exit = AsyncExitStack()

    async def __aenter__(self) -> Self:
        await self._exit.enter_async_context(self.stage)
        await self._follow()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for watch in self._watches.values():
            await watch.close()
        await self._exit.aclose()

    async def do(self, deed: Deed) -> None:
        """Do something to the cluster, or to what is watched."""
        await self.stage.do(deed)
        await self._follow()

    async def gather(self) -> Assessment:
        """Let an interval go by, gather every node in the midst of it, and assess at its end.

        Nodes are gathered as the agent does it: each at its own tick, which is that of all where there is no jitter;
        but never quite at the same moment, and in random order. As many as go into a crowd are gathered side by side.
        """
        begins = self.clock.now
        due = {name: self._offset(name) + self._random.uniform(0, LATE) for name in self.stage.watched}
        names = sorted(due, key=due.__getitem__)
        while names:
            crowd = names[: self._random.randint(1, CROWD)]
            names = names[len(crowd) :]
            self.clock.now = begins + self._interval / 2 + due[crowd[0]]
            await asyncio.gather(*(self._watches[name].gather() for name in crowd))
        self.clock.now = begins + self._interval
        [assessment] = self.health.assess()
        return assessment

    def _offset(self, name: str) -> float:
        """Return how long after the tick of all a node is gathered: the same at every interval."""
        return random.Random(f"{self._seed}/{name}").uniform(0, self._jitter)

    def shown(self, assessment: Assessment) -> Iterator[tuple[str, str]]:
        """Yield what has moved, as cases name it, `signal` or `signal subject`, and what is said of it.

        Makers are told by address or account; cases know them by the names of their nodes.
        """
        accounts = self.stage.accounts()
        for finding in assessment.findings:
            subject = accounts.get(finding.subject, finding.subject)
            yield f"{finding.signal} {subject}".strip(), finding.text

    def metrics(self) -> set[str]:
        """Return the names of all metrics that are told of the chain now."""
        return {
            f"{reading.shape.measurement}_{field.name}"
            for reading in self.health.readings(CHAIN)
            for field in reading.shape.fields
        }

    async def _follow(self) -> None:
        """Watch what is to be watched, and no more."""
        for name in self._watches.keys() - set(self.stage.watched):
            watch = self._watches.pop(name)
            watch.leave()
            await watch.close()
        targets = [self._target(name) for name in self.stage.watched]
        self.health.follow(targets)
        for target in targets:
            if target.name not in self._watches:
                self._watches[target.name] = Watch(
                    target, SOURCES[self._kind], lambda *_: None, self._about, self.health
                )

    def _target(self, name: str) -> Target:
        return Target(
            CHAIN,
            self._kind,
            name,
            self.stage.node(name).url,
            role=self.stage.role(name),
            metrics=(),  # the nodes' own have nothing to do with health
            interval=self._interval,
            timeout=TIMEOUT,
        )
