"""The agent: finds the servers, watches each, and hands every reading to every exporter."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

from collector.about import About
from collector.exporting import Exporter
from collector.health.health import Health
from collector.readings import Reading
from collector.remarks import Remarks, excerpt
from collector.shielded import Shielded, Trial, everything
from collector.sources import SourceFactory
from collector.targets import Target
from collector.ticks import Clock, Ticks, offset_of
from collector.watch import Watch

_log = logging.getLogger("chainwatch")


class Discovery(Protocol):
    """Finds the servers of a chain."""

    async def targets(self) -> list[Target]:
        """Return the servers as they are now. Never raises for outside reasons, and takes bounded time."""


Pushed = Callable[[Sequence[Target]], list[Reading]]
"""Makes readings of what nodes have pushed since, given the servers of their chain that are gathered. Never waits."""


class Chain(NamedTuple):
    """A chain whose servers are looked for every `interval` seconds, and what its nodes push is delivered as often."""

    name: str
    interval: float
    discovery: Discovery
    pushed: Pushed | None = None
    shielded: Sequence[Shielded] = ()
    holds: Callable[[str], bool] = everything
    """Tells of a name whether what has it falls to this collector, where several share the work."""


def by_clock(target: Target) -> Ticks:
    """Return the ticks of a server that is gathered by the clock: the usual case."""
    return Clock(target.interval, offset_of(str(target), target.jitter))


def between_ticks(interval: float) -> Ticks:
    """Return the ticks of chainwatch's own metrics: between those of the servers, when there is less to do."""
    return Clock(interval, interval / 2)


class Agent:
    """Watches the servers of its chains, from the first `watch` to `stop`.

    `exporters` may be set at any time; one that is new is told at once which servers are watched.
    """

    def __init__(
        self,
        sources: Callable[[str], SourceFactory],
        exporters: Sequence[Exporter],
        about: About,
        ticks: Callable[[Target], Ticks] = by_clock,
        own_ticks: Callable[[float], Ticks] = between_ticks,
        *,
        pushed_ticks: Callable[[float], Ticks] = Clock,
        health: Health | None = None,
    ) -> None:
        self._exporters = list(exporters)
        self._sources = sources
        self._about = about
        self._health = health or Health()
        self._own_interval = 10.0
        self._ticks = ticks
        self._own_ticks = own_ticks
        self._pushed_ticks = pushed_ticks
        self._found: dict[str, list[Target]] = {}
        self._followed: list[Target] | None = None  # what exporters were told last
        self._watches: dict[Target, tuple[Watch, asyncio.Task[None]]] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._retiring: set[asyncio.Task[None]] = set()
        self._exporter_remarks = Remarks(_log, "outputs")

    @property
    def exporters(self) -> Sequence[Exporter]:
        """Those that readings are handed to."""
        return self._exporters

    @exporters.setter
    def exporters(self, exporters: Sequence[Exporter]) -> None:
        new = [exporter for exporter in exporters if exporter not in self._exporters]
        self._exporters = list(exporters)
        if self._followed is not None:
            self._tell(new, self._followed)

    async def watch(self, chains: Sequence[Chain], own_interval: float) -> None:
        """Watch these chains from now on; servers that are found unchanged are left alone.

        chainwatch's own metrics are delivered every `own_interval` seconds.
        """
        await _end(self._tasks)
        self._own_interval = own_interval
        found = await self._find(chains)
        for gone in self._found.keys() - found.keys():
            self._about.forget(gone)
        self._found = found
        self._apply()
        self._tasks = [asyncio.create_task(self._refresh(chain)) for chain in chains]
        self._tasks += [asyncio.create_task(self._tell_pushed(chain)) for chain in chains if chain.pushed]
        self._tasks += [asyncio.create_task(self._tell_health(chain)) for chain in chains]
        self._tasks += [
            asyncio.create_task(Trial(each, self.deliver, chain.holds).run(self._pushed_ticks(each.interval)))
            for chain in chains
            for each in chain.shielded
        ]
        self._tasks.append(asyncio.create_task(self._tell_about()))

    async def once(self, chains: Sequence[Chain]) -> list[bool]:
        """Gather every server once and deliver. Returns, for each of them, whether it answered.

        And try every shielded address once: for each of those, whether it is closed.
        """
        found = await self._find(chains)
        targets = [target for targets in found.values() for target in targets]
        self._tell(self._exporters, targets)
        self._health.follow(targets)
        watches = [self._watch(target) for target in targets]
        trials = [Trial(each, self.deliver) for chain in chains for each in chain.shielded if chain.holds(str(each))]
        well = await asyncio.gather(*(watch.gather() for watch in watches), *(trial.attempt() for trial in trials))
        for chain in chains:
            self._deliver_health(chain)
        await self._deliver_about()
        await asyncio.gather(*(watch.close() for watch in watches))
        return well

    async def stop(self, within: float) -> None:
        """Begin no more gathers; those under way have so many seconds to end and be delivered."""
        await _end(self._tasks)
        for watch, task in self._watches.values():
            if watch.gathering:
                watch.finish()
            else:
                task.cancel()
        if self._watches:
            await asyncio.wait([task for _, task in self._watches.values()], timeout=within)
        await self._deliver_about()
        for target in list(self._watches):
            self._retire(target)
        await asyncio.gather(*self._retiring)

    def deliver(self, readings: list[Reading], interval: float) -> None:
        """Hand readings to every exporter; one with a defect does not keep them from the others."""
        for exporter in self._exporters:
            try:
                exporter.take(readings, interval)
            except Exception as error:  # noqa: BLE001 - whatever it is, the other exporters go on
                self._about.counter("readings_dropped_total", exporter.name).inc(len(readings))
                self._defect(exporter, error)

    def _tell(self, exporters: Sequence[Exporter], targets: Sequence[Target]) -> None:
        """Tell exporters which servers are watched from now on."""
        for exporter in exporters:
            try:
                exporter.follow(targets)
            except Exception as error:  # noqa: BLE001 - as above
                self._defect(exporter, error)

    def _defect(self, exporter: Exporter, error: Exception) -> None:
        _log.debug("output %s: a defect", exporter.name, exc_info=error)
        self._exporter_remarks.failed(exporter.name, f"{exporter.name}: a defect: {excerpt(repr(error))}")

    def _chain_defect(self, chain: Chain, part: str, error: Exception) -> None:
        _log.debug("%s: %s: a defect", chain.name, part, exc_info=error)
        self._exporter_remarks.failed(f"{chain.name} {part}", f"{chain.name}: {part}: a defect: {excerpt(repr(error))}")

    @staticmethod
    async def _find(chains: Sequence[Chain]) -> dict[str, list[Target]]:
        found = await asyncio.gather(*(chain.discovery.targets() for chain in chains))
        return {chain.name: targets for chain, targets in zip(chains, found, strict=True)}

    async def _refresh(self, chain: Chain) -> None:
        """Look for the servers of a chain at every tick."""
        clock = Clock(chain.interval)
        while True:
            await clock.next()
            found = await chain.discovery.targets()
            if found != self._found[chain.name]:
                self._found[chain.name] = found
                self._apply()

    def _apply(self) -> None:
        """Begin to watch what was found and is not watched yet; end the watch of what is not found any more."""
        wanted = {target: None for targets in self._found.values() for target in targets}
        for target in [target for target in self._watches if target not in wanted]:
            self._retire(target)
        if (following := list(wanted)) != self._followed:
            self._followed = following
            self._tell(self._exporters, following)
            self._health.follow(following)
        for target in wanted:
            if target not in self._watches:
                watch = self._watch(target)
                self._watches[target] = (watch, asyncio.create_task(watch.run(self._ticks(target)), name=str(target)))
        for chain, targets in self._found.items():
            self._about.gauge("servers", chain).set(len(targets))

    def _retire(self, target: Target) -> None:
        """End the watch of a server at once: nothing that it yields is delivered or counted any more."""
        watch, task = self._watches.pop(target)
        watch.leave()
        task.cancel()
        self._about.forget(target.chain, target.name)
        retiring = asyncio.create_task(_closed(watch, task))
        self._retiring.add(retiring)
        retiring.add_done_callback(self._retiring.discard)

    def _watch(self, target: Target) -> Watch:
        return Watch(target, self._sources(target.kind), self.deliver, self._about, self._health)

    async def _tell_pushed(self, chain: Chain) -> None:
        """Deliver what the nodes of a chain have pushed, at every tick of the chain."""
        ticks = self._pushed_ticks(chain.interval)
        assert chain.pushed is not None
        while True:
            await ticks.next()
            try:
                readings = chain.pushed(self._found[chain.name])
            except Exception as error:  # noqa: BLE001 - a defect there must not end the deliveries
                self._chain_defect(chain, "ethstats", error)
                continue
            self.deliver(readings, chain.interval)

    async def _tell_health(self, chain: Chain) -> None:
        """Deliver the signals of a chain, between the gathers of its servers: then each has told of this interval."""
        ticks = self._own_ticks(chain.interval)
        while True:
            await ticks.next()
            self._deliver_health(chain)

    def _deliver_health(self, chain: Chain) -> None:
        try:
            readings = self._health.readings(chain.name)
        except Exception as error:  # noqa: BLE001 - as above
            self._chain_defect(chain, "health", error)
            return
        self.deliver(readings, chain.interval)

    async def _tell_about(self) -> None:
        """Deliver chainwatch's own metrics at ticks of their own."""
        ticks = self._own_ticks(self._own_interval)
        while True:
            await ticks.next()
            await self._deliver_about()

    async def _deliver_about(self) -> None:
        while True:
            following = self._followed
            readings = await asyncio.to_thread(self._about.readings)  # what is known of the process is read from files
            if following is self._followed:
                break  # else there may be something of a server among them that has gone since
        self.deliver(readings, self._own_interval)


async def _closed(watch: Watch, task: asyncio.Task[None]) -> None:
    await _end([task])
    await watch.close()


async def _end(tasks: Sequence[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
