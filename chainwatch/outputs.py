"""The outputs of a configuration as exporters, and a running collector's from one configuration to the next."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Mapping

from collector import configuration as conf
from collector.about import About
from collector.exporting import Exporter
from exporters.influxdb import Influxdb
from exporters.influxdb import Settings as InfluxdbSettings
from exporters.landing import Landing
from exporters.prometheus import Prometheus, PrometheusSettings
from exporters.stream import Stream

Settings = conf.Prometheus | conf.Influxdb | conf.Telegraf | conf.Stdout


class Outputs:
    """The exporters at work, by the names and settings that they were made from."""

    def __init__(self, about: About) -> None:
        self._about = about
        self._working: dict[str, tuple[Settings, list[Exporter]]] = {}

    @property
    def exporters(self) -> list[Exporter]:
        """All exporters at work."""
        return [exporter for _, exporters in self._working.values() for exporter in exporters]

    @property
    def streams(self) -> list[Stream]:
        """Those that write to a stream: when one's other end is gone, there is nobody to work for."""
        return [exporter for exporter in self.exporters if isinstance(exporter, Stream)]

    async def apply(self, outputs: conf.Outputs, within: float) -> None:
        """Work with these outputs from now on; one whose settings are the same is left alone, its buffer too.

        An output that changed is closed, with so many seconds to deliver, before its successor starts: both may want
        one port. Raises OSError where a listener can't be opened; the outputs before are then at work again.
        """
        wanted = settings_by_name(outputs)
        changed = {name for name, (settings, _) in self._working.items() if wanted.get(name) != settings}
        before = {name: self._working.pop(name) for name in changed}
        await asyncio.gather(*(exporter.close(within) for _, exporters in before.values() for exporter in exporters))
        try:
            await self._start({name: settings for name, settings in wanted.items() if name not in self._working})
        except OSError:
            new = [name for name in self._working if name in wanted and name in changed]
            await asyncio.gather(*(exporter.close(0) for name in new for exporter in self._working.pop(name)[1]))
            await self._start({name: settings for name, (settings, _) in before.items()})
            raise

    async def close(self, within: float) -> None:
        """Deliver what is left, within so many seconds, and close."""
        await asyncio.gather(*(exporter.close(within) for exporter in self.exporters))
        self._working.clear()

    async def _start(self, wanted: Mapping[str, Settings]) -> None:
        for name, settings in wanted.items():
            exporters = make(name, settings, self._about)
            for exporter in exporters:
                await exporter.start()
            self._working[name] = (settings, exporters)


def settings_by_name(outputs: conf.Outputs) -> dict[str, Settings]:
    """Return the settings of each output by its name, the label `output` of its metrics."""
    named: list[tuple[str, Settings | None]] = [
        ("prometheus", outputs.prometheus),
        ("telegraf", outputs.telegraf),
        ("stdout", outputs.stdout),
        *((influxdb.output_name, influxdb) for influxdb in outputs.influxdb),
    ]
    return {name: settings for name, settings in named if settings is not None}


def make(name: str, settings: Settings, about: About) -> list[Exporter]:
    """Return the exporters of one output, not started yet."""
    match settings:
        case conf.Prometheus():
            landing = Landing(settings.path)
            where = PrometheusSettings(settings.listen.host, settings.listen.port, settings.path, settings.expire)
            return [landing, Prometheus(where, about, {"/": landing.page} if settings.path != "/" else {})]
        case conf.Influxdb():
            return [Influxdb(influxdb_settings(settings), about)]
        case _:
            return [Stream(name, sys.stdout.buffer, about)]


def influxdb_settings(settings: conf.Influxdb) -> InfluxdbSettings:
    """Return the exporter's own settings for those of the configuration."""
    return InfluxdbSettings(
        url=settings.url,
        name=settings.output_name,
        database=settings.database or "",
        retention_policy=settings.retention_policy or "",
        create_database=settings.create_database,
        username=settings.username or "",
        password=settings.password.get_secret_value() if settings.password else "",
        org=settings.org or "",
        bucket=settings.bucket or "",
        token=settings.token.get_secret_value() if settings.token else "",
        timeout=settings.timeout,
        flush_interval=settings.flush_interval,
        batch_bytes=settings.batch_bytes,
        buffer_bytes=settings.buffer,
    )
