"""A replicated service as a swarm runs it: tasks with slots, at addresses of their own, and a DNS that tells them."""

from __future__ import annotations

import itertools
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import NamedTuple

import orjson
from aiohttp import web

from tests.discovery.nameserver import NameServer

INFO = orjson.dumps(
    {
        "server_version": "3d1e4a0c",
        "server_version_string": "v4.0.6",
        "chain_id": "aca376f206b8fc25a6ed44dbdc66547c36c6c33e3a119ffbeaef943642f0e906",
        "head_block_num": 100,
        "head_block_id": "00000064" + 56 * "0",
        "head_block_time": "2024-01-01T00:00:00.000",
        "head_block_producer": "producer1",
        "last_irreversible_block_num": 90,
        "last_irreversible_block_id": "0000005a" + 56 * "0",
        "virtual_block_cpu_limit": 1,
        "virtual_block_net_limit": 1,
        "block_cpu_limit": 1,
        "block_net_limit": 1,
    }
)
"""What each of them answers; there is nothing else that it offers."""


class Asked(NamedTuple):
    """One `get_info`: of which slot and address, and when."""

    slot: int
    address: str
    at: float


class Service:
    """Tasks of a service, which DNS has as `tasks.NAME`. A task that is started has an address that none had before.

    `asked` has every request for `get_info`.
    """

    def __init__(self, names: NameServer, name: str) -> None:
        self.dns = f"tasks.{name}"
        self.addresses: dict[int, str] = {}
        self.asked: list[Asked] = []
        self.port = 0
        self._name = name
        self._names = names
        network = len(names.records)
        self._free = (f"127.{network}.{third}.{last}" for third in itertools.count(1) for last in range(1, 255))
        self._sites: dict[int, web.TCPSite] = {}
        self._runner = web.ServerRunner(web.Server(self._answer, access_log=None), shutdown_timeout=0.1)
        names.records[self.dns] = []

    async def scale(self, *slots: int) -> None:
        """Let tasks of these slots alone run."""
        for slot in set(self.addresses) - set(slots):
            await self.end(slot)
        for slot in slots:
            if slot not in self.addresses:
                await self.start(slot)

    async def start(self, slot: int, address: str = "") -> None:
        """Start a task."""
        address = address or next(self._free)
        site = web.TCPSite(self._runner, address, self.port)
        await site.start()
        if not self.port:
            self.port = int(site._server.sockets[0].getsockname()[1])  # type: ignore[union-attr]
        self._sites[slot] = site
        self.addresses[slot] = address
        self._names.records[self.dns].append(address)
        self._names.pointers[address] = [f"lab_{self._name}.{slot}.ybvoz7zr1a8bo14erbxuame0h.lab_chain"]

    async def end(self, slot: int) -> None:
        """End a task; its address is nobody's."""
        address = self.addresses.pop(slot)
        self._names.records[self.dns].remove(address)
        del self._names.pointers[address]
        await self._sites.pop(slot).stop()
        server = self._runner.server
        assert server is not None
        for handler in list(server.connections):
            if handler.transport is not None and handler.transport.get_extra_info("sockname")[0] == address:
                handler.transport.close()

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        if not request.path.endswith("/get_info"):
            return web.Response(status=404)
        assert request.transport is not None
        address = request.transport.get_extra_info("sockname")[0]
        slot = next((slot for slot, has in self.addresses.items() if has == address), 0)
        self.asked.append(Asked(slot, address, time.time()))
        return web.Response(body=INFO, content_type="application/json")


@asynccontextmanager
async def service(names: NameServer, name: str, *slots: int) -> AsyncIterator[Service]:
    """Run one, with tasks of these slots at first."""
    made = Service(names, name)
    await made._runner.setup()
    try:
        await made.scale(*slots)
        yield made
    finally:
        await made.scale()
        await made._runner.cleanup()
