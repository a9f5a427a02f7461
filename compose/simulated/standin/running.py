"""A node from its start to its end."""

from __future__ import annotations

import asyncio
import errno
import os
import signal
import socket
from collections.abc import Sequence

from . import faults, options, peers, web
from .api import FULL_VERSION, VERSION, Api
from .ending import DIRTY, ENDED, FAILED, EndError
from .faults import STALL, Pace
from .opening import MIB, Opened
from .options import Options
from .page import Page
from .peers import Peers
from .producing import Producing
from .saying import error, info, warn
from .shooting import Shooting
from .space import Space

GUARD = "chain-state-db-guard-size-mb"
USED = 5_450_464
"""Bytes that a young chain's state takes up, as recorded."""

ENDING = (signal.SIGTERM, signal.SIGINT)

STEP = 0.05
"""Seconds of replaying between looks at whether it is to end."""


def main(arguments: Sequence[str]) -> int:
    """Run a node until it ends; return its exit code."""
    try:
        return _main(arguments)
    except EndError as end:
        warn("chain_plugin.cpp:1077", "plugin_initialize", f"{end.name}\n{end}\n")
        if end.code == DIRTY:
            message = "database dirty flag set (likely due to unclean shutdown): replay required"
            error("main.cpp:157", "main", message)
        else:
            error("main.cpp:161", "main", f"{end.name}\n{end}\n")
        return end.code
    except OSError as why:
        error("main.cpp:174", "main", f"{type(why).__name__}: {why.strerror}: {why.filename}")
        return FAILED


def _main(arguments: Sequence[str]) -> int:
    given = options.read(arguments)
    for name, text in (("help", __doc__), ("version", VERSION), ("full-version", FULL_VERSION)):
        if given.has(name):
            print(text)  # noqa: T201 - a command's own output
            return ENDED
    pace = faults.pace(os.environ)
    faults.crash(os.environ, given.data_dir)
    info("chain_plugin.cpp:470", "plugin_initialize", "initializing chain plugin")
    _check(given)
    signal.pthread_sigmask(signal.SIG_BLOCK, ENDING)  # until it is listened to: what is open is to be closed
    opened = Opened(given)
    info("main.cpp:140", "main", f"nodeos version {VERSION} {FULL_VERSION}")
    info("main.cpp:143", "main", f"nodeos using configuration file {given.config_file}")
    info("main.cpp:144", "main", f"nodeos data directory is {given.data_dir}")
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    loop.run_until_complete(_Node(given, pace, opened).run())
    opened.close()
    info("main.cpp:185", "main", "nodeos successfully exiting")
    return ENDED


def _check(given: Options) -> None:
    """Refuse values that would be found wrong later, when the database is open."""
    for name, default in (
        ("http-server-address", "127.0.0.1:8888"),
        ("p2p-listen-endpoint", "0.0.0.0:9876"),
        ("prometheus-exporter-address", "127.0.0.1:9101"),
    ):
        given.endpoint(name, default)
    for name in ("http-validate-host", "http-keep-alive", "enable-stale-production", "pause-on-startup"):
        given.flag(name)
    for name in ("p2p-max-nodes-per-host", "max-clients", "max-body-size", GUARD):
        given.number(name, 1)
    given.number("http-max-in-flight-requests", -1, -1)


class _Node:
    """What runs between the opening of the files and their closing."""

    def __init__(self, given: Options, pace: Pace, opened: Opened) -> None:
        self._given = given
        self._pace = pace
        self._opened = opened
        self._end = asyncio.Event()
        self._stall = given.data_dir / STALL
        self._servers: list[asyncio.AbstractServer] = []
        self._clients: set[web.Connection] = set()
        self._tasks: list[asyncio.Task[None]] = []

    async def run(self) -> None:
        """Run until a signal, a full disk or an address in use."""
        loop = asyncio.get_running_loop()
        for number in ENDING:
            loop.add_signal_handler(number, self._end.set)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDING)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)  # nodeos reads its logging's configuration again
        await self._replay()
        if not self._end.is_set():
            await self._serve()
        await asyncio.sleep(self._pace.closing)

    async def _replay(self) -> None:
        chain = self._opened.chain
        if chain.log.end <= chain.head.number:
            return
        message = f"existing block log, attempting to replay from {chain.head.number + 1} to {chain.log.end} blocks"
        info("controller.cpp:520", "replay", message)
        began = chain.head.number
        while not self._end.is_set():
            if not chain.replay(max(1, int(self._pace.applying * STEP))):
                break
            await asyncio.sleep(STEP)
        info("controller.cpp:533", "replay", f"{chain.head.number - began} irreversible blocks replayed")

    async def _serve(self) -> None:
        given, chain = self._given, self._opened.chain
        space = Space(given, (given.data_dir, self._opened.state_dir, self._opened.blocks_dir))
        if self._guarded() or space.exceeded():
            return
        info("chain_plugin.cpp:1113", "plugin_startup", f"Blockchain started; head block is #{chain.head.number}")
        connections = self._peers()
        producing = Producing(given, chain, stalled=self._stall.exists, failed=self._failed)
        shooting = Shooting(chain, given.path("snapshots-dir", "snapshots"))
        api = Api(given, chain, connections, producing, shooting, size=self._opened.size)
        try:
            await self._listen(api, Page(chain, connections, producing), connections)
        except OSError as why:
            number = why.errno or 0
            reason = os.strerror(number) if number > 0 else why.strerror  # asyncio has a text of its own
            error("http_plugin.cpp:330", "plugin_startup", f"unable to listen: {reason}")
            self._end.set()
        else:
            for name in given.texts("p2p-peer-address"):
                connections.connect(name)
            self._tasks += [asyncio.ensure_future(producing.run()), asyncio.ensure_future(self._watch(space))]
        await self._end.wait()
        info("net_plugin.cpp:3939", "plugin_shutdown", "shutdown..")
        for task in self._tasks:
            task.cancel()
        connections.stop()
        for server in self._servers:
            server.close()
        for client in list(self._clients):
            client.transport.abort()

    async def _listen(self, api: Api, page: Page, connections: Peers) -> None:
        given = self._given
        limits = web.Limits(
            given.number("max-body-size", 2 * MIB),
            given.number("http-max-in-flight-requests", -1, -1),
            keep_alive=given.flag("http-keep-alive", default=True),
        )
        if given.plugins & {"http", "chain_api", "net_api", "producer_api", "db_size_api", "prometheus"}:
            await self._serve_http("http-server-address", "127.0.0.1:8888", api.answer, limits)
        if "prometheus" in given.plugins:
            await self._serve_http("prometheus-exporter-address", "127.0.0.1:9101", page.answer, web.Limits())
        listening = given.endpoint("p2p-listen-endpoint", "0.0.0.0:9876")
        if listening:
            self._servers.append(await peers.listen(connections, *listening))

    async def _serve_http(self, name: str, default: str, answering: web.Answering, limits: web.Limits) -> None:
        endpoint = self._given.endpoint(name, default)
        if endpoint is None:
            return
        loop = asyncio.get_running_loop()
        host, port = endpoint
        serving = loop.create_server(lambda: web.Connection(answering, limits, self._clients), host, port)
        self._servers.append(await serving)
        info("http_plugin.cpp:258", "plugin_initialize", f"configured http to listen on {host}:{port}")

    def _peers(self) -> Peers:
        given, chain = self._given, self._opened.chain
        listening = given.text("p2p-listen-endpoint", "0.0.0.0:9876")
        address = given.text("p2p-server-address") or listening.replace("0.0.0.0:", f"{socket.gethostname()}:")
        connections = Peers(
            chain,
            self._pace,
            address=address,
            agent=given.text("agent-name", "EOS Test Agent"),
            per_host=given.number("p2p-max-nodes-per-host", 1),
            clients=given.number("max-clients", 25),
            stalled=self._stall.exists,
            failed=self._failed,
        )
        info("net_plugin.cpp:3831", "plugin_startup", f"my node_id is {connections.node_id}")
        return connections

    def _guarded(self) -> bool:
        """Return whether the database is smaller than what is to be left free of it."""
        if self._opened.size - USED >= self._given.number(GUARD, 128) * MIB:
            return False
        error(
            "chain_plugin.cpp:1211",
            "log_guard_exception",
            "Database has reached an unsafe level of usage, shutting down to avoid corrupting the database.  Please "
            'increase the value set for "chain-state-db-size-mb" and restart the process!',
        )
        return True

    async def _watch(self, space: Space) -> None:
        while not self._end.is_set():
            await asyncio.sleep(space.interval)
            if space.exceeded():
                self._end.set()

    def _failed(self, why: OSError) -> None:
        what = "the disk is full" if why.errno in {errno.ENOSPC, errno.EFBIG, errno.EDQUOT} else why.strerror
        error("block_log.cpp:580", "append", f"a block could not be written: {what}; shutting down")
        self._end.set()
