"""One connection: a request out, the whole of its answer in, the next request."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import cast

import httptools

from compose.load.calls import Call

LARGEST_ANSWER = 16 * 2**20
"""Bytes of an answer, its headers included: no call that one makes a load of has so long a one."""

RESET, CLOSED, CUT, NOT_HTTP, TOO_LARGE = "reset", "closed", "cut", "not_http", "too_large"

Done = Callable[[str | None], None]
"""Told once for each `ask`: None, or how it failed."""


class Connection(asyncio.Protocol):
    """Asks over one connection, one request at a time: once as soon as it is open, and again whenever it is told to.

    `usable` says whether it can be told so; the server may end that at any time.
    """

    __slots__ = (
        "_answering",
        "_call",
        "_complete",
        "_done",
        "_framed",
        "_keep",
        "_parser",
        "_parts",
        "_received",
        "_request",
        "_status",
        "_transport",
        "_waiting",
        "usable",
    )

    def __init__(self, call: Call, request: bytes, done: Done, *, keep: bool) -> None:
        self._call = call
        self._request = request
        self._done = done
        self._keep = keep
        self._transport: asyncio.Transport | None = None
        self._parser: httptools.HttpResponseParser | None = httptools.HttpResponseParser(self)
        self._waiting = False
        self.usable = False

    def ask(self) -> None:
        """Send the request; `done` is told how it ended."""
        assert self._transport is not None
        self._waiting = True
        self._parts: list[bytes] = []
        self._received = 0
        self._status = 0  # until its headers are complete
        self._framed = False  # they say how long it is
        self._complete = False
        self._transport.write(self._request)

    def leave(self) -> None:
        """Drop the connection; if an answer is awaited, nobody is told."""
        self._waiting = False
        self._end()
        if self._transport is not None:
            self._transport.abort()

    # asyncio's side

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask, unless nobody waits for it any more."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is none by its class
        if self._parser is None:  # left meanwhile
            self._transport.abort()
            return
        self.usable = True
        self.ask()

    def data_received(self, data: bytes) -> None:
        """Take a part of an answer, or all of it."""
        if not self._waiting or self._parser is None:
            self.leave()  # an answer to no question: what follows could be taken for one to the next
            return
        self._received += len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self._finish("status_101")
            return
        except httptools.HttpParserError:
            self._finish(NOT_HTTP)
            return
        if self._complete:
            self._answered()
        elif self._received > LARGEST_ANSWER:
            self._finish(TOO_LARGE)

    def eof_received(self) -> None:
        """Close this side as well: nobody answers on a connection that is half closed."""

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell how a request ended that was not answered, or was answered until the end of the connection."""
        self.usable = False
        if not self._waiting:
            self._end()
        elif exc is not None:
            self._finish(RESET)
        elif self._status and not self._framed:
            self._keep = False
            self._answered()
        else:
            self._finish(CUT if self._received else CLOSED)

    # httptools' side

    def on_message_begin(self) -> None:
        """Ask no more where an answer follows that nobody asked for: it could be taken for the next one."""
        if self._complete:
            self._keep = False

    def on_header(self, name: bytes, _: bytes) -> None:
        """Note whether the answer's end can be told from a connection that broke."""
        if len(name) in (14, 17) and name.lower() in (b"content-length", b"transfer-encoding"):
            self._framed = True

    def on_headers_complete(self) -> None:
        """Note that an answer has begun: below 200 it is but announced."""
        assert self._parser is not None
        status = self._parser.get_status_code()
        if status >= 200 and not self._complete:  # noqa: PLR2004 - HTTP's own number
            self._status = status

    def on_body(self, part: bytes) -> None:
        """Keep a part of the body."""
        if not self._complete:
            self._parts.append(part)

    def on_message_complete(self) -> None:
        """Note that the answer is there."""
        assert self._parser is not None
        if self._status and not self._complete:
            self._complete = True
            if not self._parser.should_keep_alive():
                self._keep = False

    def _answered(self) -> None:
        body = self._parts[0] if len(self._parts) == 1 else b"".join(self._parts)
        failure = self._call.failure(self._status, body)
        if self._keep:
            self._waiting = False
            self._done(failure)
        else:
            self._finish(failure)

    def _finish(self, failure: str | None) -> None:
        """End the connection along with the request."""
        self._waiting = False
        self._end()
        if self._transport is not None:
            self._transport.close()
        self._done(failure)

    def _end(self) -> None:
        self.usable = False
        self._parser = None  # it holds this in turn: so both go at once, and no collector of garbage is needed
