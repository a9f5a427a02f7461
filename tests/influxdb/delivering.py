"""An exporter at work, and what its metrics say."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from collector.about import About
from collector.readings import Field, Reading, Shape
from exporters.influxdb import Influxdb, Settings
from exporters.pauses import Backoff
from tests.influxdb.fakes import Fake


@dataclass(frozen=True)
class Delivery:
    """A running exporter named "influx"."""

    exporter: Influxdb
    about: About

    def counter(self, name: str) -> float:
        """Return the value of one of its counters."""
        return float(self.about.counter(name, "influx")._value.get())

    def gauge(self, name: str) -> float:
        """Return the value of one of its gauges."""
        return float(self.about.gauge(name, "influx")._value.get())

    @property
    def delivered(self) -> float:
        """Readings delivered."""
        return self.counter("readings_delivered_total")

    @property
    def dropped(self) -> float:
        """Readings dropped."""
        return self.counter("readings_dropped_total")

    def take(self, *readings: Reading) -> None:
        """Hand readings over."""
        self.exporter.take(readings, 10.0)

    async def done(self) -> None:
        """Wait until nothing waits any more."""
        await until(lambda: self.gauge("buffer_readings") == 0)


@asynccontextmanager
async def delivering(server: Fake | str, closing: float = 1.0, **settings: Any) -> AsyncIterator[Delivery]:  # noqa: ANN401 - any setting
    """Run an exporter, impatient unless the settings say otherwise."""
    about = await asyncio.to_thread(About)  # it reads the version from a file
    url = server if isinstance(server, str) else server.url
    if not {"database", "bucket"} & set(settings):
        settings["database"] = "chain"
    chosen = {"flush_interval": 0.01, "timeout": 5.0, **settings}
    exporter = Influxdb(Settings(url=url, name="influx", **chosen), about)
    exporter._backoff = Backoff(first=0.01, longest=0.05)
    await exporter.start()
    try:
        yield Delivery(exporter, about)
    finally:
        await exporter.close(closing)


@asynccontextmanager
async def serving(kind: str = "1") -> AsyncIterator[Fake]:
    """Run a fake server."""
    server = Fake(kind)
    await server.start()
    try:
        yield server
    finally:
        await server.stop()


async def until(condition: Callable[[], object], within: float = 10.0) -> None:
    """Wait until the condition holds."""
    async with asyncio.timeout(within):
        while not condition():  # noqa: ASYNC110 - a test looks from outside: there is no event
            await asyncio.sleep(0.002)


_SHAPES: dict[str, Shape] = {}


def reading(number: int = 0, measurement: str = "m") -> Reading:
    """Make a reading of two fields, `value` and `twice`, at a time of its own."""
    shape = _SHAPES.setdefault(measurement, Shape(measurement, {"chain": "lab"}, [Field("value"), Field("twice")]))
    return Reading(shape, [number, 2 * number], 1_700_000_000_000_000_000 + number)


def line(number: int = 0, measurement: str = "m") -> str:
    """Return the line of such a reading."""
    return f"{measurement},chain=lab value={number},twice={2 * number} {1_700_000_000_000_000_000 + number}"
