"""One server: its ticks, its gathers, and what becomes of each."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable

from collector.about import About
from collector.catalogue import NODES
from collector.client import Client
from collector.failures import Failure, TooLate
from collector.readings import Reading
from collector.remarks import Remarks, excerpt
from collector.shapes import Shapes
from collector.sources import SourceFactory
from collector.targets import Target
from collector.ticks import Ticks

_log = logging.getLogger("chainwatch")

Deliver = Callable[[list[Reading], float], None]
"""Takes the readings of one gather and the interval of its server."""


class Watch:
    """Gathers one target at its ticks, one gather at a time, and delivers `chain_node_up` whatever happens."""

    def __init__(self, target: Target, factory: SourceFactory, deliver: Deliver, about: About) -> None:
        self.target = target
        self._deliver = deliver
        self._about = about
        self._labels = (target.chain, target.name)
        about.counter("gathers_missed_total", *self._labels)  # there, at zero, before the first: or that one is no rise
        self._remarks = Remarks(_log, f"{target} ({target.shown})")
        self._client = Client(target.url, tls_name=target.tls_name, advice=factory.advice)
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
        began = time.monotonic()
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
        self.gathering = False
        return failure is None

    async def close(self) -> None:
        """Close the connection; to be called once `run` has ended."""
        await self._source.close()
        await self._client.close()

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
        if self._well:
            self._remarks.recovered("all is well again")

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
