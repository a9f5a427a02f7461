"""Server-sent events: the whole state first, then what changes, once a second.

Nothing waits here for a browser: it is sent an edition, and the next once it has taken that one. What it missed in
between is not kept for it; it gets the whole state again. So a slow browser costs one edition's memory and sees fewer.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator

from aiohttp import hdrs, web

from collector.page import view
from collector.page.assets import HEADERS
from collector.page.view import Edition, Unavailable, View

MOST = 50
"""Browsers that may follow one view at the same time."""

PATIENCE = 30.0
"""Seconds in which an event has to be taken. Whoever takes longer is gone, or might as well be."""

RETRY = 1000
"""Milliseconds after which a browser whose stream has ended asks again."""


_TROUBLE = b"event: trouble\ndata: {}\n\n"
"""That the collector lives, but can't say how the chains are. Once it can, the whole state comes."""


class Stream:
    """Sends the editions of a view to all who follow it."""

    def __init__(self, view: View) -> None:
        self._view = view
        self._following = 0

    async def follow(self, request: web.Request) -> web.StreamResponse:
        """Answer with the stream, until the browser or the listener closes it."""
        if self._following >= MOST:
            headers = {**HEADERS, hdrs.RETRY_AFTER: "10", hdrs.CACHE_CONTROL: "no-store"}
            return web.Response(status=503, text="Too many are looking already.\n", headers=headers)
        response = web.StreamResponse(headers={**HEADERS, hdrs.CACHE_CONTROL: "no-store"})
        response.content_type = "text/event-stream"
        response.headers["X-Accel-Buffering"] = "no"  # nginx would keep events to itself
        # The browser asks again after `RETRY`, whatever ended the stream.
        with self._one_more(), contextlib.suppress(ConnectionError):
            await self._send(request, response)
        return response

    async def _send(self, request: web.Request, response: web.StreamResponse) -> None:
        writer = await response.prepare(request)
        transport = request.transport
        if writer is None or transport is None or request.method == hdrs.METH_HEAD:
            return
        # An event counts as taken when the kernel has all of it.
        transport.set_write_buffer_limits(high=0)
        known = 0
        while True:
            event, left = _TROUBLE, view.PERIOD
            try:
                edition = self._view.edition()
                event = _event(edition, known) if edition.number != known else b""
                known, left = edition.number, edition.left
            except Unavailable:
                known = 0
            if event:
                try:
                    async with asyncio.timeout(PATIENCE):
                        await response.write(event)
                        await writer.drain()
                except TimeoutError:
                    transport.abort()
                    return
            await asyncio.sleep(left)

    @contextlib.contextmanager
    def _one_more(self) -> Iterator[None]:
        self._following += 1
        try:
            yield
        finally:
            self._following -= 1


def _event(edition: Edition, known: int) -> bytes:
    """Return the event that takes one who knows an edition (0: none) to this one."""
    change = edition.change if known and known == edition.number - 1 else None
    head = b"event: change" if change else b"retry: %d\nevent: state" % RETRY
    return b"%b\nid: %d\ndata: %b\n\n" % (head, edition.number, change or edition.whole)
