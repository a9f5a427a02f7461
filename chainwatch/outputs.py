"""The outputs of a configuration as exporters, and a running collector's from one configuration to the next."""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import Callable, Iterable
from io import FileIO
from pathlib import Path
from typing import NamedTuple

from chainwatch.notifying import notify_settings
from collector import configuration as conf
from collector.about import About
from collector.exporting import Exporter
from collector.page import Page
from exporters.influxdb import Influxdb
from exporters.influxdb import Settings as InfluxdbSettings
from exporters.listening import Listener, Site
from exporters.notify import Notifier
from exporters.notify import Settings as NotifySettings
from exporters.notify.notifier import Explain, nothing
from exporters.prometheus import Prometheus, PrometheusSettings
from exporters.stream import Stream
from exporters.traefik import Address as TraefikAddress
from exporters.traefik import Settings as TraefikSettings
from exporters.traefik import Traefik

Settings = conf.Prometheus | conf.LivePage | conf.Influxdb | conf.Traefik | conf.Telegraf | conf.Stdout | NotifySettings

_log = logging.getLogger("chainwatch")


class Output(NamedTuple):
    """One output: its settings, and the exporters made from them."""

    settings: Settings
    exporters: list[Exporter]


class Outputs:
    """The outputs at work, by name. `deserted` is called when all that is left are streams that nobody reads.

    `page` is what outputs serve to people; without it, none does. `explain` says of a chain what health found.
    """

    def __init__(
        self, about: About, deserted: Callable[[], None], page: Page | None = None, explain: Explain = nothing
    ) -> None:
        self._about = about
        self._deserted = deserted
        self._page = page
        self._explain = explain
        self._working: dict[str, Output] = {}
        self._leaving: set[asyncio.Task[None]] = set()

    @property
    def exporters(self) -> list[Exporter]:
        """All exporters at work."""
        return _exporters(self._working.values())

    async def apply(self, configuration: conf.Configuration, within: float) -> None:
        """Work with the outputs of this from now on; one whose settings are the same is left alone, its buffer too.

        Those that leave have so many seconds to deliver what they hold, and nobody waits for them. Raises OSError where
        one can't be opened; the outputs before are then at work as they were.
        """
        wanted = settings_by_name(configuration)
        kept = {name: output for name, output in self._working.items() if wanted.get(name) == output.settings}
        new = {name: self._made(name, settings) for name, settings in wanted.items() if name not in kept}
        # What listens or writes leaves before another one that wants its port or file, all else leaves after it.
        places = {_place(output) for output in new.values()} - {None}
        in_the_way = {
            name: output for name, output in self._working.items() if name not in kept and _place(output) in places
        }
        leaving = [output for name, output in self._working.items() if name not in kept | in_the_way]
        await _close(in_the_way.values(), within)
        try:
            await _start(new.values())
        except BaseException:
            await _close(new.values(), 0.0)
            await _start(in_the_way.values())
            raise
        self._working = kept | new
        task = asyncio.create_task(_close(leaving, within))
        self._leaving.add(task)
        task.add_done_callback(self._leaving.discard)

    async def close(self, within: float) -> None:
        """Deliver what is left, within so many seconds, and close."""
        await asyncio.gather(_close(self._working.values(), within), *self._leaving)

    def _made(self, name: str, settings: Settings) -> Output:
        match settings:
            case conf.Prometheus():
                where = PrometheusSettings(settings.listen.host, settings.listen.port, settings.path, settings.expire)
                pages = self._page.routes() if self._page else []
                return Output(settings, [Prometheus(where, self._about, pages)])
            case conf.LivePage(listen=listen):
                pages = self._page.routes(public=settings.public) if self._page else []
                return Output(settings, [Site(name, Listener("outputs.page.listen", listen.host, listen.port, pages))])
            case conf.Influxdb():
                return Output(settings, [Influxdb(influxdb_settings(settings), self._about)])
            case conf.Traefik():
                return Output(settings, [Traefik(traefik_settings(settings), self._about)])
            case NotifySettings():
                return Output(settings, [Notifier(settings, self._about, self._explain)])
            case _:
                return Output(settings, [Stream(name, _standard_output(name), self._about, lambda: self._gone(name))])

    def _gone(self, name: str) -> None:
        _log.warning("output %s: nobody reads it any more", name)
        if all(isinstance(exporter, Stream) and exporter.broken for exporter in self.exporters):
            self._deserted()


def _exporters(outputs: Iterable[Output]) -> list[Exporter]:
    return [exporter for output in outputs for exporter in output.exporters]


async def _start(outputs: Iterable[Output]) -> None:
    for exporter in _exporters(outputs):
        await exporter.start()


async def _close(outputs: Iterable[Output], within: float) -> None:
    await asyncio.gather(*(exporter.close(within) for exporter in _exporters(outputs)))


def _place(output: Output) -> int | Path | None:
    """Return what only one output at a time can have: a port, a file."""
    match output.settings:
        case conf.Prometheus(listen=listen) | conf.LivePage(listen=listen):
            return listen.port
        case conf.Traefik(to=file, listen=listen):
            return listen.port if listen else file
        case NotifySettings(directory=directory):
            return directory
    return None


def _standard_output(name: str) -> FileIO:
    """Return standard output, unbuffered. Raises OSError where it was closed before the start."""
    if sys.stdout is None:
        raise OSError(f"outputs.{name}: standard output is closed")
    return FileIO(sys.stdout.fileno(), "w", closefd=False)


def settings_by_name(configuration: conf.Configuration) -> dict[str, Settings]:
    """Return the settings of each output by its name, the label `output` of its metrics."""
    outputs = configuration.outputs
    named: list[tuple[str, Settings | None]] = [
        ("prometheus", outputs.prometheus),
        ("traefik", outputs.traefik),
        ("telegraf", outputs.telegraf),
        ("stdout", outputs.stdout),
        ("notify", notify_settings(configuration)),
        *((page.output_name, page) for page in outputs.page),
        *((influxdb.output_name, influxdb) for influxdb in outputs.influxdb),
    ]
    return {name: settings for name, settings in named if settings is not None}


def traefik_settings(settings: conf.Traefik) -> TraefikSettings:
    """Return the exporter's own settings for those of the configuration."""
    listen = settings.listen
    to = TraefikAddress(listen.host, listen.port, settings.path) if listen else settings.to
    assert to is not None, "one of the two is there"
    return TraefikSettings(settings.text, to, settings.behind, settings.older)


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
