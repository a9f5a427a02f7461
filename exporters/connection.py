"""One kept connection to a server, answers of bounded size and time."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping
from io import BytesIO
from typing import Any, NamedTuple

import aiohttp
from yarl import URL

from collector.remarks import excerpt

LONGEST_ANSWER = 64 * 1024
"""Bytes of an answer beyond which reading stops: what is beyond tells nobody anything."""

_KEPT = 300.0  # seconds that an idle connection is kept


class NoAnswer(Exception):  # noqa: N818 - it is the server that erred
    """No answer came, or none that says anything of the request.

    `kind` tells failures apart for the log; the message is for the operator. The server asks to be left alone for
    `wait` seconds.
    """

    def __init__(self, kind: str, message: str, wait: float = 0.0) -> None:
        super().__init__(message)
        self.kind = kind
        self.wait = wait


class Answer(NamedTuple):
    """A status, the headers, and as much of the body as came within bounds."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Connection:
    """Sends requests to one server, one at a time. `timeout` is that of a whole request, in seconds."""

    def __init__(self, timeout: float) -> None:
        self._timeout = timeout
        self._session: aiohttp.ClientSession | None = None
        self._reused = False

    async def request(self, method: str, url: URL, *, headers: Mapping[str, str], data: bytes | None = None) -> Answer:
        """Return the answer, whatever its status. Raises NoAnswer.

        A kept connection that the server closed while it was idle is no failure: the request is sent again on a new
        one. What chainwatch asks may be repeated without harm.
        """
        try:
            return await self._once(method, url, headers, data)
        except NoAnswer as failure:
            if failure.kind != "cut_off" or not self._reused:
                raise
        return await self._once(method, url, headers, data)

    async def close(self) -> None:
        """Close the connection."""
        if self._session:
            await self._session.close()
            self._session = None

    async def _once(self, method: str, url: URL, headers: Mapping[str, str], data: bytes | None) -> Answer:
        session = self._session or self._open()
        self._reused = False
        begun: aiohttp.ClientResponse | None = None
        body = bytearray()
        try:
            async with (
                asyncio.timeout(self._timeout),
                # A file is sent in pieces: large bytes would hold the event loop up.
                session.request(
                    method, url, headers=headers, data=data and BytesIO(data), allow_redirects=False
                ) as response,
            ):
                begun = response
                async for chunk in response.content.iter_any():
                    body += chunk[: LONGEST_ANSWER - len(body)]
                    if len(body) == LONGEST_ANSWER:
                        response.close()
                        break
        except (TimeoutError, aiohttp.ClientError, OSError, ValueError) as error:
            if begun is None:
                raise self._named(error) from error
            # The server has said yes or no, even if it never finished to say why.
        return Answer(begun.status, begun.headers, bytes(body))

    def _named(self, error: Exception) -> NoAnswer:
        if isinstance(error, TimeoutError):
            return NoAnswer("timeout", f"no answer within {self._timeout:g} s")
        return NoAnswer(*_told(error))

    def _open(self) -> aiohttp.ClientSession:
        trace = aiohttp.TraceConfig()
        trace.on_connection_reuseconn.append(self._kept)
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=1, ttl_dns_cache=10, keepalive_timeout=_KEPT),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=None),
            headers={"Accept-Encoding": "identity", "User-Agent": "chainwatch"},
            auto_decompress=False,
            cookie_jar=aiohttp.DummyCookieJar(),
            trace_configs=[trace],
            trust_env=False,
        )
        return self._session

    async def _kept(self, *_: Any) -> None:  # noqa: ANN401 - aiohttp's trace hook
        self._reused = True


def _told(error: Exception) -> tuple[str, str]:
    """Return a kind and a message for what aiohttp or the system raised."""
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return "dns", "no address is known for this name"
    if isinstance(error, aiohttp.ClientSSLError | ssl.SSLError):
        return "tls", f"no TLS connection: {excerpt(str(error))}"
    if isinstance(error, aiohttp.ClientConnectorError):
        return "unreachable", f"no connection: {excerpt(str(error.os_error))}"
    if isinstance(error, aiohttp.ClientConnectionError | aiohttp.ClientPayloadError | OSError):
        return "cut_off", "the connection ended before an answer came"
    if isinstance(error, aiohttp.ClientResponseError):
        what, *_ = str(error.message).splitlines() or [""]
        return "not_http", f"the answer is not HTTP: {excerpt(what, 80)}"
    return "unsent", "the request cannot be sent: is there a character in url, token or password that HTTP forbids?"
