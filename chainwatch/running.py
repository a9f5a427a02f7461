"""The collector as a process: from a configuration file to SIGTERM, with SIGHUP between."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

from chainwatch.outputs import Outputs
from collector import configuration as conf
from collector.about import About
from collector.agent import Agent, Chain, by_clock
from collector.configuration import Configuration, Mistake, WrongConfiguration, read_configuration, schedule
from collector.discovery import Discovery
from collector.remarks import Remarks
from collector.sources import SourceFactory, known_kinds
from collector.ticks import Bell

_log = logging.getLogger("chainwatch")

_SHARE = 0.5
"""Share of the time for shutting down that gathers under way may take; the rest is for delivering."""

_LONGEST_LINE = 2**16


async def run(path: Path, configuration: Configuration, stop: asyncio.Event | None = None) -> int:
    """Collect until SIGTERM, SIGINT, `stop`, or the end of what a stream's other end wants. Returns the exit code."""
    about = About()
    outputs = Outputs(about)
    stop = stop or asyncio.Event()
    reload = asyncio.Event()
    bell = Bell() if configuration.outputs.telegraf is not None else None
    within = configuration.agent.shutdown_timeout
    try:
        await outputs.apply(configuration.outputs, within)
    except OSError as error:
        _log.error("%s", error.strerror or error)
        return 1
    agent = Agent(load_source, outputs.exporters, about, (lambda _: bell.listener()) if bell else by_clock)
    about.gauge("configuration_valid").set(1)
    chains = Chains(about)
    await _load_sources(configuration)
    await agent.watch(await chains.of(configuration), configuration.agent.interval)
    with _signals(stop, reload):
        if bell:
            _ring_at_newlines(bell, stop)
        leaving = [asyncio.create_task(event.wait()) for event in (stop, *(s.broken for s in outputs.streams))]
        while not any(task.done() for task in leaving):
            reloading = asyncio.create_task(reload.wait())
            await asyncio.wait([*leaving, reloading], return_when=asyncio.FIRST_COMPLETED)
            reloading.cancel()
            if reload.is_set():
                reload.clear()
                configuration = await _reload(path, configuration, agent, outputs, chains, about)
        for task in leaving:
            task.cancel()
    loop = asyncio.get_running_loop()
    deadline = loop.time() + configuration.agent.shutdown_timeout
    await agent.stop(configuration.agent.shutdown_timeout * _SHARE)
    await outputs.close(max(0.0, deadline - loop.time()))
    await chains.close()
    return 0


async def once(configuration: Configuration) -> int:
    """Gather everything once and deliver it. Returns the exit code: 1 if a node or an output failed."""
    about = About()
    about.gauge("configuration_valid").set(1)
    outputs = Outputs(about)
    # A page that is gone before anybody could scrape it delivers nothing.
    await outputs.apply(configuration.outputs.model_copy(update={"prometheus": None}), 0)
    agent = Agent(load_source, outputs.exporters, about)
    chains = Chains(about)
    await _load_sources(configuration)
    answered = await agent.once(await chains.of(configuration))
    await chains.close()
    await outputs.close(configuration.agent.shutdown_timeout)
    lost = [
        sample
        for metric in about.registry.collect()
        for sample in metric.samples
        if sample.name == "chainwatch_readings_dropped_total" and sample.value
    ]
    return 0 if answered and not lost else 1


@cache
def load_source(kind: str) -> SourceFactory:
    """Return the source of a kind of node. The first time it reads files: not to be called on an event loop then."""
    return known_kinds()[kind]()


async def _load_sources(configuration: Configuration) -> None:
    for kind in {chain.kind for chain in configuration.chains}:
        await asyncio.to_thread(load_source, kind)


class Chains:
    """The chains of a configuration, from one configuration to the next."""

    def __init__(self, about: About) -> None:
        self._about = about
        self._at_work: list[tuple[conf.Agent, conf.Chain, Discovery]] = []

    async def of(self, configuration: Configuration) -> list[Chain]:
        """Return the chains of this configuration; one that is unchanged goes on with the addresses that it knows."""
        agent = configuration.agent
        before = self._at_work
        self._at_work = []
        for chain in configuration.chains:
            kept = next((known for known in before if known[:2] == (agent, chain)), None)
            self._at_work.append(kept or (agent, chain, Discovery(agent, chain, self._failed(chain.name))))
        await asyncio.gather(*(known[2].close() for known in before if known not in self._at_work))
        return [Chain(chain.name, schedule(agent, chain)[0], found) for agent, chain, found in self._at_work]

    async def close(self) -> None:
        """Look for no more servers."""
        await asyncio.gather(*(discovery.close() for _, _, discovery in self._at_work))

    def _failed(self, chain: str) -> Callable[[str], None]:
        remarks = Remarks(_log, chain)

        def failed(message: str) -> None:
            self._about.counter("discovery_errors_total", chain).inc()
            remarks.failed(message, message)

        return failed


async def _reload(  # noqa: PLR0917 - all that a running collector is made of
    path: Path, before: Configuration, agent: Agent, outputs: Outputs, chains: Chains, about: About
) -> Configuration:
    """Return the configuration that holds from now on: the file's, or the one before if the file's is wrong."""
    try:
        configuration = await asyncio.to_thread(read_configuration, path, warn=_warn)
        if (configuration.outputs.telegraf is None) != (before.outputs.telegraf is None):
            _log.warning("%s: outputs.telegraf: begins or ends with the next start only", path)
        await _load_sources(configuration)
        await outputs.apply(configuration.outputs, before.agent.shutdown_timeout)
    except (WrongConfiguration, OSError) as wrong:
        for line in str(wrong).splitlines():
            _log.error("%s", line)
        _log.error("%s: not taken over; the configuration before it goes on", path)
        about.counter("reload_failures_total").inc()
        about.gauge("configuration_valid").set(0)
        agent.exporters = outputs.exporters
        return before
    agent.exporters = outputs.exporters
    await agent.watch(await chains.of(configuration), configuration.agent.interval)
    about.counter("reloads_total").inc()
    about.gauge("configuration_valid").set(1)
    _log.info("%s: taken over", path)
    return configuration


def _warn(mistake: Mistake) -> None:
    _log.warning("%s", mistake)


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


def _ring_at_newlines(bell: Bell, stop: asyncio.Event) -> None:
    """Ring for each line on standard input, stop at its end.

    In a thread, for standard input may be anything: a pipe, a terminal, a file, /dev/null.
    """
    loop = asyncio.get_running_loop()

    def listen() -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed: stopped before the input ended
            while sys.stdin.buffer.readline(_LONGEST_LINE):
                asyncio.run_coroutine_threadsafe(bell.ring(), loop)
            loop.call_soon_threadsafe(stop.set)

    threading.Thread(target=listen, name="chainwatch-stdin", daemon=True).start()
