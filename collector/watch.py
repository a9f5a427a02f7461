"""One server: its ticks, its gathers, and what becomes of each."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Sequence

from collector.about import About
from collector.catalogue import NODES
from collector.client import Client
from collector.failures import Failure, TooLate
from collector.health.health import Health
from collector.observations import Block, Comparable
from collector.readings import Reading
from collector.remarks import Remarks, excerpt
from collector.shapes import Shapes
from collector.sources import SourceFactory
from collector.sources.observing import observation_of
from collector.targets import Target
from collector.ticks import Ticks

_log = logging.getLogger("chainwatch")

BURSTS = 4
"""Times that a node may be asked for blocks after one gather: what nodeos makes in two minutes."""

_BEFORE_NEXT = 0.95
"""Share of an interval after which blocks are waited for no longer: the next gather is not to be missed for them."""

Deliver = Callable[[list[Reading], float], None]
"""Takes the readings of one gather and the interval of its server."""


class Watch:
    """Gathers one target at its ticks, one gather at a time, and delivers `chain_node_up` whatever happens.

    `health` is told what came of each gather, and may want blocks of the node, which is asked for them at once.
    """

    def __init__(self, target: Target, factory: SourceFactory, deliver: Deliver, about: About, health: Health) -> None:
        self.target = target
        self._deliver = deliver
        self._about = about
        self._health = health
        self._labels = (target.chain, target.name)
        about.counter("gathers_missed_total", *self._labels)  # there, at zero, before the first: or that one is no rise
        self._remarks = Remarks(_log, f"{target} ({target.shown})")
        self._client = Client(target.url, tls_name=target.tls_name, advice=factory.advice, wall=health.wall)
        self._source = factory(target, self._client, self._remarks, self._problem)
        self._shapes = Shapes(target.tags)
        self._answered = 0.0
        self._well = True  # no problem in the gather under way
        self._last = False
        self._left = False
        self.gathering = False
        """Whether a gather is under way."""

    async def run(self, ticks: Ticks) -> None:
        """Gather at every tick, until cancelled or told that a gather is the last."""
        self._client.open()
        while not self._last:
            due, missed = await ticks.next()
            if missed:
                self._about.counter("gathers_missed_total", *self._labels).inc(missed)
            late = max(0.0, time.time() - due)
            self._about.counter("gather_late_seconds_total", *self._labels).inc(late)
            await self.gather()

    def finish(self) -> None:
        """Let `run` end after the gather that is under way."""
        self._last = True

    def leave(self) -> None:
        """Deliver and count nothing more, whatever becomes of a gather that is under way."""
        self._last = self._left = True

    async def gather(self) -> bool:
        """Gather once and deliver what came. Returns whether the node answered; never raises for what a node does."""
        self.gathering = self._well = True
        began, asked = time.monotonic(), self._health.wall()
        readings: list[Reading] = []
        fields = 0
        failure: Failure | None = None
        try:
            async with asyncio.timeout(self.target.timeout):
                gathered = await self._source.gather()
            fields = sum(len(reading.values) for reading in gathered)
            readings = gathered
        except TimeoutError:
            failure = TooLate(f"no whole answer within {self.target.timeout:g} s: {self._client.doing}")
        except Failure as known:
            failure = known
        except Exception as error:  # noqa: BLE001 - a defect in a source must not stop the watch
            _log.debug("%s: a defect", self.target, exc_info=True)
            failure = Failure("internal", f"a defect of chainwatch, or of a source: {excerpt(repr(error))}")
        took = time.monotonic() - began
        if self._left:  # the gather was cancelled, and its source did not heed it
            return False
        self._count(len(readings), fields, failure, took)
        self._deliver([*readings, self._state(failure, took)], self.target.interval)
        if failure:
            self._health.failed(self.target, failure.kind)
        else:
            await self._compare(readings, asked, took)
        if self._well:
            self._remarks.recovered("all is well again")
        self.gathering = False
        return failure is None

    async def close(self) -> None:
        """Close the connection; to be called once `run` has ended."""
        await self._source.close()
        await self._client.close()

    async def _compare(self, readings: list[Reading], asked: float, took: float) -> None:
        """Tell health what the node said, and the blocks that are missing there, in what is left of the time."""
        source, target = self._source, self.target
        comparable = source if isinstance(source, Comparable) else None
        try:
            observation = comparable.observation if comparable else observation_of(readings, asked, took)
            wanted = self._health.gathered(target, observation) if observation is not None else ()
            if not comparable:
                if wanted:
                    self._health.unanswered(target)
                return
            within = min(target.timeout, _BEFORE_NEXT * target.interval)
            async with asyncio.timeout(max(0.0, within - took)):
                await self._bring_blocks(comparable, wanted)
        except TimeoutError:
            self._problem("timeout", f"blocks for comparison: no answer in what was left of {target.timeout:g} s")
        except Failure as failure:
            self._problem(failure.kind, f"blocks for comparison: {failure}")
        except Exception as error:  # noqa: BLE001 - as in `gather`
            _log.debug("%s: a defect", target, exc_info=True)
            self._problem("internal", f"comparison: a defect of chainwatch, or of a source: {excerpt(repr(error))}")

    async def _bring_blocks(self, source: Comparable, wanted: Sequence[int]) -> None:
        """Ask the node for blocks, and for more once all of these have come, and tell health. Raises Failure."""
        bursts = 0
        while wanted:
            blocks: list[Block] | None = None
            try:
                blocks = await source.blocks(wanted)
            finally:
                if blocks is None and not self._left:
                    self._health.unanswered(self.target)
            if self._left:
                return
            self._health.told(self.target, blocks)
            bursts += 1
            more = len(blocks) >= len(wanted) and bursts < BURSTS
            wanted = self._health.wanted(self.target) if more else ()

    def _count(self, readings: int, fields: int, failure: Failure | None, took: float) -> None:
        about, labels = self._about, self._labels
        about.counter("gathers_total", *labels).inc()
        about.counter("gather_seconds_total", *labels).inc(took)
        about.counter("readings_total", *labels).inc(readings)
        about.counter("fields_total", *labels).inc(fields)
        if failure:
            self._problem(failure.kind, str(failure))
        else:
            self._answered = time.time()
            about.gauge("gather_success_timestamp_seconds", *labels).set(self._answered)

    def _problem(self, kind: str, message: str) -> None:
        if self._left:
            return
        self._well = False
        self._about.counter("gather_errors_total", *self._labels, kind).inc()
        self._remarks.failed(kind, message)

    def _state(self, failure: Failure | None, took: float) -> Reading:
        self._shapes.begin()
        values = {"up": int(failure is None), "gather_duration_seconds": took}
        if self._answered:
            values["last_answer_timestamp_seconds"] = self._answered
        return self._shapes.curated([metric for metric in NODES if metric.field != "info"], values)
