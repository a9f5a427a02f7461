"""One listening port, which serves one chain or several, each under a path of its own: nodes push to PATH/api."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping

from aiohttp import hdrs, web

from collector.about import About
from collector.configuration import Address
from collector.ethstats.door import REFUSED, Door, Doors
from collector.ethstats.limits import Limits
from collector.ethstats.page import Page
from collector.ethstats.session import Session
from collector.remarks import Remarks, excerpt

_log = logging.getLogger("chainwatch")

_silent = logging.Logger("ethstats")  # noqa: LOG001 - nobody is to hear of every bad request
_silent.disabled = True


class Listener:
    """Serves the chains of `pages`, by the path before /api, no slash at its end; they may change at any time."""

    def __init__(self, address: Address, about: About, limits: Limits | None = None) -> None:
        self.address = address
        self.pages: Mapping[str, Page] = {}
        self.port = address.port
        """The port listened on; another than the address's where that is 0."""
        self._limits = limits or Limits()
        self._about = about
        self._remarks = Remarks(_log, f"ethstats at {address}")
        self._doors = Doors(self._limits, self._refused)
        self._runner: web.AppRunner | None = None
        self._server: asyncio.Server | None = None
        for kind in REFUSED:
            about.counter("ethstats_refused_connections_total", kind)

    async def start(self) -> None:
        """Listen. Raises OSError, with the address in its text, where that is not possible."""
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._answer)
        self._runner = web.AppRunner(
            app,
            access_log=None,
            logger=_silent,
            shutdown_timeout=0.5,
            lingering_time=0,
            keepalive_timeout=0.7 * self._limits.hello_within,
        )
        await self._runner.setup()
        make = self._runner.server
        assert make is not None
        try:
            self._server = await asyncio.get_running_loop().create_server(
                lambda: Door(make, self._doors), self.address.host or None, self.address.port, reuse_address=True
            )
        except OSError as error:
            await self._runner.cleanup()
            raise OSError(error.errno, f"ethstats.listen: cannot listen on {self.address}: {error.strerror}") from error
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        """Listen no more, and end every connection."""
        if self._server is not None:
            self._server.close()
        self._doors.close()
        if self._runner is not None:
            await self._runner.cleanup()

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        door = request.transport.get_protocol() if request.transport else None
        if not isinstance(door, Door):  # it is gone already
            raise web.HTTPBadRequest
        try:
            if request.headers.get(hdrs.UPGRADE, "").lower().strip() == "websocket":
                return await self._push(request, door)
            door.renew()
            for path, answer in (("/nodes.json", Page.json), ("", Page.html)):
                if request.path.endswith(path):
                    page = self.pages.get(request.path.removesuffix(path).rstrip("/"))
                    if page is not None:
                        return await answer(page, request)
        except web.HTTPException:
            raise
        except Exception as error:
            _log.debug("ethstats at %s: a defect", self.address, exc_info=True)
            self._remarks.failed("defect", f"a defect: {excerpt(repr(error))}")
            raise
        raise web.HTTPNotFound

    async def _push(self, request: web.Request, door: Door) -> web.StreamResponse:
        page = self.pages.get(request.path.removesuffix("/api")) if request.path.endswith("/api") else None
        if page is None:
            raise web.HTTPNotFound
        # Old geths take neither extensions nor subprotocols; to who asks for one it is given, it means nothing here.
        offered = request.headers.get(hdrs.SEC_WEBSOCKET_PROTOCOL, "").split(",")
        protocols = [name for name in map(str.strip, offered) if name]
        socket = web.WebSocketResponse(
            compress=False, autoping=False, max_msg_size=self._limits.message, protocols=protocols
        )
        try:
            await socket.prepare(request)
        except ValueError:  # a key that is none
            raise web.HTTPBadRequest from None
        await Session(socket, door, page.chain).run()
        return socket

    def _refused(self, why: str) -> None:
        self._about.counter("ethstats_refused_connections_total", why).inc()
