"""What is answered at each path of the page. All paths are relative to it, so that it works below a proxy's prefix."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Sequence
from functools import partial

import msgspec
from aiohttp import hdrs, web

from collector import sameorigin
from collector.health.assessment import Assessment
from collector.page.assets import ASSETS, HEADERS
from collector.page.runbooks import Runbook, Runbooks
from collector.page.stream import Stream
from collector.page.view import Assessments, Unavailable, View

_PATIENCE = 5.0  # seconds for a request to arrive
# Without a weight: that may be 0, and is seldom there.
_GZIP = re.compile(r"(?:^|,)\s*gzip\s*(?:,|$)", re.IGNORECASE)


class Forget(msgspec.Struct):
    """Which node is to be forgotten, as `POST /api/forget` has it."""

    chain: str
    node: str


class Page:
    """The page of all chains.

    `assess` tells how they are; it is asked once a second at most, and only while somebody looks. `forget` lets go of a
    node by the names of its chain and its own, and tells whether there was one to be forgotten. `runbooks` say what to
    do about what is found.
    """

    def __init__(
        self,
        assess: Callable[[], Sequence[Assessment]],
        forget: Callable[[str, str], bool],
        runbooks: Sequence[Runbook] = (),
    ) -> None:
        self._forget = forget
        self._runbooks = Runbooks(runbooks)
        assessments = Assessments(assess)
        self._views = {public: View(assessments, public=public) for public in (False, True)}
        self._streams = {public: Stream(view) for public, view in self._views.items()}

    def routes(self, *, public: bool = False) -> list[web.RouteDef]:
        """Return what a listener is to answer with the page; `public`: without addresses, versions and names."""
        routes = [
            web.get("/", _home),
            web.get("/assets/{name}", _asset),
            web.get("/runbooks", self._all_runbooks),
            web.get("/runbooks/{name}", self._runbook),
            web.get("/api/state", partial(_state, self._views[public])),
            web.get("/api/events", self._streams[public].follow),
        ]
        return routes if public else [*routes, web.post("/api/forget", self._asked_to_forget)]

    async def _all_runbooks(self, request: web.Request) -> web.StreamResponse:
        return self._runbooks.index.answer(request)

    async def _runbook(self, request: web.Request) -> web.StreamResponse:
        page = self._runbooks.get(request.match_info["name"])
        if page is None:
            raise web.HTTPNotFound(text="There is no such runbook; /runbooks has them all.\n")
        return page.answer(request)

    async def _asked_to_forget(self, request: web.Request) -> web.Response:
        """Forget a node; only the page itself may ask for it."""
        if not sameorigin.is_own(request):
            raise web.HTTPForbidden(text="Only the page itself may ask for this.\n")
        try:
            async with asyncio.timeout(_PATIENCE):
                wanted = msgspec.json.decode(await request.read(), type=Forget)
        except (TimeoutError, msgspec.MsgspecError, UnicodeDecodeError):
            raise web.HTTPBadRequest(text='Send {"chain": "...", "node": "..."}.\n') from None
        if not self._forget(wanted.chain, wanted.node):
            raise web.HTTPConflict(text="There is no such node that could be forgotten.\n")
        return web.Response(status=204, headers=HEADERS)


async def _state(view: View, request: web.Request) -> web.StreamResponse:
    headers = {**HEADERS, hdrs.CACHE_CONTROL: "no-store", hdrs.VARY: hdrs.ACCEPT_ENCODING}
    try:
        edition = view.edition()
    except Unavailable:
        return web.Response(status=503, text="Not known: see the log of chainwatch.\n", headers=headers)
    if _GZIP.search(",".join(request.headers.getall(hdrs.ACCEPT_ENCODING, ()))):
        body = edition.packed
        headers[hdrs.CONTENT_ENCODING] = "gzip"
    else:
        body = edition.whole
    return web.Response(body=body, content_type="application/json", headers=headers)


async def _home(request: web.Request) -> web.StreamResponse:
    return ASSETS["index.html"].answer(request)


async def _asset(request: web.Request) -> web.StreamResponse:
    found = ASSETS.get(request.match_info["name"])
    if found is None:
        raise web.HTTPNotFound
    return found.answer(request)
