"""The collector as a process: from a configuration file to SIGTERM, with SIGHUP between."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable, Coroutine, Iterator, Sequence
from concurrent.futures import CancelledError
from functools import cache
from pathlib import Path
from typing import Any

from alerts.table import NAMES
from chainwatch.notifying import explain_by
from chainwatch.outputs import Outputs, settings_by_name
from chainwatch.runbooks import all_runbooks
from collector import configuration as conf
from collector.about import VERSION, About
from collector.agent import Agent, Chain, Pushed
from collector.configuration import Configuration, Mistake, WrongConfiguration, read_configuration, schedule
from collector.discovery import Discovery
from collector.ethstats import Listening, News, block_of
from collector.health.chain import Settings
from collector.health.health import Health
from collector.health.thresholds import Thresholds
from collector.page import Page, Runbook
from collector.remarks import Remarks, excerpt
from collector.shielded import shielded_of
from collector.sources import SourceFactory, known_kinds
from collector.ticks import Bell, Ticks

_log = logging.getLogger("chainwatch")

_SHARE = 0.5
"""Share of the time for shutting down that gathers under way may take; the rest is for delivering."""

_CHUNK = 2**16


async def run(
    path: Path,
    configuration: Configuration,
    stop: asyncio.Event | None = None,
    started: Callable[[Listening], None] | None = None,
) -> int:
    """Collect until SIGTERM, SIGINT, `stop`, or the end of what a stream's other end wants. Returns the exit code.

    `started` is called once the listeners are open, with those that nodes push to.
    """
    stop, reload = stop or asyncio.Event(), asyncio.Event()
    bell = Bell() if configuration.outputs.telegraf else None
    pages = await asyncio.to_thread(all_runbooks)
    with _signals(stop, reload):
        collector = _Collector(path, configuration, stop.set, bell, pages)
        try:
            await collector.open()
        except OSError as error:
            _log.error("%s", error.strerror or error)
            return 1
        if started:
            started(collector.listening)
        await _first(stop.wait(), collector.watch())
        if bell:
            _ring_at_newlines(bell, stop.set)
        while not stop.is_set():
            await _first(stop.wait(), reload.wait())
            if reload.is_set():
                reload.clear()
                await _first(stop.wait(), collector.reload())
        await collector.close()
    return 0


async def once(configuration: Configuration) -> int:
    """Gather everything once and deliver it.

    Returns the exit code: 1 if a node or an output failed, or a shielded node is not known to be closed.
    """
    about = About()
    about.gauge("configuration_valid").set(1)
    outputs = Outputs(about, deserted=lambda: None)
    # A page that is gone before anybody could scrape it delivers nothing.
    # And what a single gather shows is nothing to wake people for.
    pages: dict[str, object] = {"prometheus": None, "page": (), "notify": None}
    if configuration.outputs.traefik and configuration.outputs.traefik.listen:
        pages["traefik"] = None
    lasting = configuration.outputs.model_copy(update=pages)
    try:
        await outputs.apply(configuration.model_copy(update={"outputs": lasting}), 0)
    except OSError as error:
        _log.error("%s", error.strerror or error)
        return 1
    if not lasting:
        _log.warning("what is gathered is delivered nowhere: only pages and notify are outputs here, or none")
    health = Health()
    health.apply(health_settings(configuration))
    agent = Agent(load_source, outputs.exporters, about, health=health)
    chains = Chains(about)
    await _load_sources(configuration)
    answered = await agent.once(await chains.of(configuration, lambda _: None))
    if not answered:
        where = "falls to this shard" if configuration.agent.shard else "was found in any file or behind any name"
        _log.error("no server %s: nothing is gathered", where)
    await chains.close()
    await outputs.close(configuration.agent.shutdown_timeout)
    lost = [
        sample
        for metric in about.registry.collect()
        for sample in metric.samples
        if sample.name == "chainwatch_readings_dropped_total" and sample.value
    ]
    return 0 if answered and all(answered) and not lost else 1


def read_to_run(path: Path, warn: Callable[[Mistake], None]) -> Configuration:
    """Return the configuration of a file, which has to name an output. Raises WrongConfiguration."""
    configuration = read_configuration(path, warn=warn, alerts=NAMES)
    if not configuration.outputs:
        raise _wrong(path, "outputs", "names none; say where the readings go")
    return configuration


@cache
def load_source(kind: str) -> SourceFactory:
    """Return the source of a kind of node. The first time it reads files: not to be called on an event loop then."""
    return known_kinds()[kind]()


def health_settings(configuration: Configuration) -> list[Settings]:
    """Return what health is to know of the chains of a configuration."""
    shard = configuration.agent.shard
    return [
        Settings(
            chain.name,
            chain.kind,
            schedule(configuration.agent, chain)[0],
            chain.block_period,
            Thresholds(**dict(chain.health)),
            shared=shard is not None and shard.of != 1,
        )
        for chain in configuration.chains
    ]


async def _load_sources(configuration: Configuration) -> None:
    for kind in {chain.kind for chain in configuration.chains}:
        await asyncio.to_thread(load_source, kind)


class Chains:
    """The chains of a configuration, from one configuration to the next."""

    def __init__(self, about: About) -> None:
        self._about = about
        self._at_work: list[tuple[conf.Agent, conf.Chain, Discovery]] = []

    async def of(self, configuration: Configuration, pushed: Callable[[str], Pushed | None]) -> list[Chain]:
        """Return the chains of this configuration; one that is unchanged goes on with the addresses that it knows.

        `pushed` gives for a chain's name what makes readings of what its nodes push.
        """
        agent = configuration.agent
        before = self._at_work
        self._at_work = []
        for chain in configuration.chains:
            kept = next((known for known in before if known[:2] == (agent, chain)), None)
            self._about.counter("discovery_errors_total", chain.name)  # at 0: else nobody sees the first one come
            self._at_work.append(kept or (agent, chain, Discovery(agent, chain, self._failed(chain.name))))
        await asyncio.gather(*(known[2].close() for known in before if known not in self._at_work))
        return [
            Chain(
                chain.name,
                schedule(agent, chain)[0],
                found,
                pushed(chain.name),
                shielded_of(agent, chain),
                found.holds,
            )
            for agent, chain, found in self._at_work
        ]

    async def close(self) -> None:
        """Look for no more servers."""
        await asyncio.gather(*(discovery.close() for _, _, discovery in self._at_work))

    def _failed(self, chain: str) -> Callable[[str], None]:
        remarks = Remarks(_log, chain)

        def failed(message: str) -> None:
            self._about.counter("discovery_errors_total", chain).inc()
            remarks.failed(message, message)

        return failed


class _Collector:
    """What runs, from one configuration to the next. By the clock, or at the rings of a bell if there is one."""

    def __init__(
        self,
        path: Path,
        configuration: Configuration,
        deserted: Callable[[], None],
        bell: Bell | None,
        pages: Sequence[Runbook],
    ) -> None:
        self._path = path
        self._configuration = configuration
        self._about = About()
        self._health = Health(by_clock=bell is None)
        page = Page(self._health.assess, self._health.forget, pages)
        self._outputs = Outputs(self._about, deserted, page, explain_by(self._health))
        self._chains = Chains(self._about)
        self.listening = Listening(self._about, told=self._told)
        """Where nodes push."""
        self._agent = Agent(load_source, [], self._about, health=self._health)
        if bell:
            rung: Callable[[object], Ticks] = lambda _: bell.listener()  # noqa: E731 - one for three
            self._agent = Agent(load_source, [], self._about, rung, rung, pushed_ticks=rung, health=self._health)

    async def open(self) -> None:
        """Open the outputs and the listeners. Raises OSError where one can't be opened."""
        await self.listening.apply(self._configuration)
        try:
            await self._deliver_to(self._configuration)
        except OSError:
            await self.listening.close()
            raise
        self._about.gauge("configuration_valid").set(1)
        chains = ", ".join(chain.name for chain in self._configuration.chains)
        outputs = ", ".join(settings_by_name(self._configuration))
        _log.info("chainwatch %s watches %s and delivers to %s", VERSION, chains, outputs)

    async def watch(self) -> None:
        """Watch the servers of the configuration from now on."""
        await _load_sources(self._configuration)
        self._health.apply(health_settings(self._configuration), self.listening.pushing)
        chains = await self._chains.of(self._configuration, self.listening.readings_of)
        await self._agent.watch(chains, self._configuration.agent.interval)

    async def reload(self) -> None:
        """Take over what the file says now; where that is wrong, all goes on as before."""
        try:
            configuration = await asyncio.to_thread(self._read)
            await _load_sources(configuration)
            await self.listening.apply(configuration)
            try:
                await self._deliver_to(configuration)
            except BaseException:
                await self.listening.apply(self._configuration)
                raise
        except Exception as error:  # noqa: BLE001 - a source that somebody added may raise anything
            for line in _told(error):
                _log.error("%s", line)
            _log.error("%s: not taken over; the configuration before it goes on", self._path)
            self._about.counter("reload_failures_total").inc()
            self._about.gauge("configuration_valid").set(0)
            return
        self._configuration = configuration
        await self.watch()
        self._about.counter("reloads_total").inc()
        self._about.gauge("configuration_valid").set(1)
        _log.info("%s: taken over", self._path)

    async def close(self) -> None:
        """Let the gathers under way end, deliver what is left, and let go of everything, all of it in time."""
        loop = asyncio.get_running_loop()
        within = self._configuration.agent.shutdown_timeout
        deadline = loop.time() + within
        await self._agent.stop(within * _SHARE)
        await self.listening.close()
        await self._outputs.close(max(0.0, deadline - loop.time()))
        await self._chains.close()

    def _told(self, chain: str, news: News) -> None:
        """Pass on what a node pushed."""
        if block := block_of(news.link, news.block):
            self._health.pushed_block(chain, news.node, block, news.at if news.arrived else None)

    def _read(self) -> Configuration:
        configuration = read_to_run(self._path, _warn)
        if bool(configuration.outputs.telegraf) != bool(self._configuration.outputs.telegraf):
            raise _wrong(self._path, "outputs.telegraf", "comes and goes with a restart only")
        return configuration

    async def _deliver_to(self, configuration: Configuration) -> None:
        await self._outputs.apply(configuration, self._configuration.agent.shutdown_timeout)
        self._agent.exporters = self._outputs.exporters


def _told(error: Exception) -> list[str]:
    """Return the lines that say what is wrong with a new configuration."""
    match error:
        case WrongConfiguration():
            return [str(mistake) for mistake in error.mistakes]
        case OSError():
            return [error.strerror or str(error)]
    return [f"a defect of chainwatch, or of a source: {excerpt(repr(error))}"]


def _wrong(path: Path, key: str, message: str) -> WrongConfiguration:
    return WrongConfiguration([Mistake(str(path), 0, key, message)])


def _warn(mistake: Mistake) -> None:
    _log.warning("%s", mistake)


async def _first(*work: Coroutine[Any, Any, object]) -> None:
    """Do several things until the first of them is done; the others are given up."""
    tasks = [asyncio.create_task(each) for each in work]
    done, others = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
    for task in done:
        task.result()


@contextlib.contextmanager
def _signals(stop: asyncio.Event, reload: asyncio.Event) -> Iterator[None]:
    loop = asyncio.get_running_loop()
    meaning = {signal.SIGTERM: stop, signal.SIGINT: stop, signal.SIGHUP: reload}
    for number, event in meaning.items():
        loop.add_signal_handler(number, event.set)
    try:
        yield
    finally:
        for number in meaning:
            loop.remove_signal_handler(number)


def _ring_at_newlines(bell: Bell, ended: Callable[[], None]) -> None:
    """Ring for each newline on standard input; `ended` is called at its end.

    In a thread, for standard input may be anything: a pipe, a terminal, a file, /dev/null. Unbuffered, for the reason
    that `exporters.stream` gives.
    """
    loop = asyncio.get_running_loop()

    def listen(descriptor: int) -> None:
        with contextlib.suppress(RuntimeError, CancelledError):  # the collector has stopped before the input ended
            while chunk := _read(descriptor):
                if newlines := chunk.count(b"\n"):
                    asyncio.run_coroutine_threadsafe(bell.ring(newlines), loop).result()
            loop.call_soon_threadsafe(ended)

    if sys.stdin is None:  # it was closed before the start
        ended()
        return
    threading.Thread(target=listen, args=[sys.stdin.fileno()], name="chainwatch-stdin", daemon=True).start()


def _read(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, _CHUNK)
    except OSError:  # such as a terminal that is gone
        return b""
