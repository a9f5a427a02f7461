"""A listener of its own for the pages of an output."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from aiohttp import web

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

PATIENCE = 30.0
"""Seconds in which a page has to be read. Whoever takes longer has given up, and what waits for them is memory."""


class Listener:
    """Serves pages by their paths; `key` is where the configuration names the address."""

    def __init__(self, key: str, host: str, port: int, pages: Mapping[str, Handler]) -> None:
        self._key = key
        self._host = host
        self._pages = dict(pages)
        self._wanted = port
        self._runner: web.AppRunner | None = None
        self.port = port
        """The port listened on; another than the one that was given where that is 0."""

    async def open(self) -> None:
        """Open it. Raises OSError, with the address in its text, where that is not possible."""
        app = web.Application(middlewares=[_in_time])
        for path, handler in self._pages.items():
            app.router.add_get(path, handler)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5, keepalive_timeout=75)
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, self._host, self._wanted).start()
        except OSError as error:
            await self._runner.cleanup()
            said = f"{self._key}: cannot listen on {self._host}:{self._wanted}: {error.strerror}"
            raise OSError(error.errno, said) from error
        self.port = self._runner.addresses[0][1]

    async def close(self) -> None:
        """Close it; who is in the middle of a page has half a second."""
        if self._runner:
            await self._runner.cleanup()


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
