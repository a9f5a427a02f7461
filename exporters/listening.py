"""Listeners for what an output serves: one for its own pages, or as an output that does nothing else."""

from __future__ import annotations

import asyncio
import resource
from collections.abc import Awaitable, Callable, Sequence

from aiohttp import web

from collector.readings import Reading
from collector.targets import Target

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

PATIENCE = 30.0
"""Seconds in which a page has to be read. Whoever takes longer has given up, and what waits for them is memory.

A stream of events looks after that itself, event by event: it is over when its handler returns."""

IDLE = 75
"""Seconds after which a connection is closed on which nothing was asked: the first time, or any more."""

MOST = 500
"""Connections at the same time; whoever comes beyond is closed at once. The files that a process may open are for the
nodes that are asked, too."""


class Listener:
    """Serves pages at their routes; `key` is where the configuration names the address."""

    def __init__(self, key: str, host: str, port: int, routes: Sequence[web.RouteDef]) -> None:
        self._key = key
        self._host = host
        self._routes = routes
        self._wanted = port
        self._runner: web.AppRunner | None = None
        self._server: asyncio.Server | None = None
        self._room = _room()
        self.port = port
        """The port listened on; another than the one that was given where that is 0."""

    async def open(self) -> None:
        """Open it. Raises OSError, with the address in its text, where that is not possible."""
        app = web.Application(middlewares=[_in_time])
        app.router.add_routes(self._routes)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5, keepalive_timeout=IDLE)
        await self._runner.setup()
        loop = asyncio.get_running_loop()
        try:
            self._server = await loop.create_server(
                self._connection, self._host or None, self._wanted, reuse_address=True
            )
        except OSError as error:
            await self._runner.cleanup()
            said = f"{self._key}: cannot listen on {self._host}:{self._wanted}: {error.strerror}"
            raise OSError(error.errno, said) from error
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        """Close it; who is in the middle of a page has half a second."""
        if self._server:
            self._server.close()
        if self._runner:
            await self._runner.cleanup()

    def _connection(self) -> asyncio.Protocol:
        serving = self._runner.server if self._runner else None
        if serving is None or len(serving.connections) >= self._room:
            return _Refused()
        return serving()


class _Refused(asyncio.Protocol):
    """A connection for which there is no room."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Close it."""
        transport.close()


def _room() -> int:
    """Return how many connections there may be: at most a quarter of the files that the process may open."""
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return MOST if files == resource.RLIM_INFINITY else min(MOST, files // 4)


class Site:
    """A listener as an output: what it serves is not made of readings."""

    def __init__(self, name: str, listener: Listener) -> None:
        self.name = name
        self._listener = listener

    @property
    def port(self) -> int:
        """The port listened on."""
        return self._listener.port

    async def start(self) -> None:
        """Open the listener. Raises OSError, with the address in its text, where that is not possible."""
        await self._listener.open()

    def take(self, readings: Sequence[Reading], interval: float) -> None:
        """Do nothing."""

    def follow(self, targets: Sequence[Target]) -> None:
        """Do nothing."""

    async def close(self, within: float) -> None:  # noqa: ARG002 - nothing waits here to be delivered
        """Close the listener."""
        await self._listener.close()


@web.middleware
async def _in_time(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Let go of those who don't read what they asked for."""
    response = await handler(request)
    try:
        async with asyncio.timeout(PATIENCE):
            await response.prepare(request)
            await response.write_eof()
    except TimeoutError:
        if request.transport:
            request.transport.abort()
    except ConnectionError:
        pass  # it is gone, as whoever called this will see
    return response
