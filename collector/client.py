"""HTTP to one server: one kept connection, answers of bounded size, failures by kind.

A node counts open connections (nodeos refuses beyond `--http-max-in-flight-requests` of them), so a client keeps one
to an address and no more. Nothing here limits time: the deadline of a gather is the agent's, and cancels.
"""

from __future__ import annotations

import errno
import re
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import aiohttp
import orjson
from yarl import URL

from collector.failures import BadAnswer, Failure, Refused, TooLarge, Unreachable
from collector.remarks import excerpt
from collector.targets import without_secrets

LONGEST_ANSWER = 4 * 2**20
"""Bytes of an answer beyond which reading stops: 35 times the largest document that was ever recorded."""

_CHUNK = 2**16
_KEPT = 300.0  # seconds that a connection is kept: longer than intervals are; a node that wants it shorter closes it
_HEADERS = {"Accept": "*/*", "Accept-Encoding": "identity", "User-Agent": "chainwatch"}
_JSON = {"Content-Type": "application/json"}
_BUSY = (429, 503)
_DATE = re.compile(r"[A-Z][a-z]{2}, ([0-9]{2}) ([A-Z][a-z]{2}) ([0-9]{4}) ([0-9]{2}):([0-9]{2}):([0-9]{2}) GMT")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_SMALL = 2**18  # bytes that are decoded in no time, whatever they are
_MOST_PARTS = 100_000
_MENDABLE = 2**18
# A string as a whole, or one of the bare words. A string without an end reaches to that of the document: so the end of
# one always matches, and nothing is ever looked at twice. Possessive quantifiers would say so, but match wrongly in
# Python before 3.11.5 (python/cpython#106052), which Debian 12 has.
_STRING_OR_BARE = re.compile(rb'"[^"\\]*(?:\\[\s\S][^"\\]*)*(?:"|\\?\Z)|([+-]?(?:NaN|Inf(?:inity)?)\b)')


@dataclass
class _Asked:
    """A request under way. There may be two: of the server, and of what else belongs to it."""

    what: str
    own: bool
    reused: bool = False


class Client:
    """Asks one server, whose URL is `base`, and what else belongs to it, such as a page of metrics on another port.

    `advice` says, per kind of failure, what the operator of such a node can do about it.

    `connections` counts the connections opened to the server itself: a new one may mean that the node has restarted.
    `keeps_alive` is whether its last answer left the connection open. `doing` says what the client is at with the
    server, for a message about a deadline that passed.

    `wall` is the collector's clock, in seconds since the epoch: by it a source says when it asked.
    """

    def __init__(
        self,
        base: str = "",
        *,
        tls_name: str = "",
        advice: dict[str, str] | None = None,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self.wall = wall
        self.connections = 0
        self.keeps_alive = True
        self.doing = "doing nothing"
        self._base = without_secrets(base).rstrip("/")
        self._tls_name = tls_name or None
        self._advice = advice or {}
        self._date = ""
        self._session: aiohttp.ClientSession | None = None

    @property
    def date(self) -> float | None:
        """When the server itself says that it wrote its last answer, to the second; None where it doesn't say."""
        found = _DATE.fullmatch(self._date)
        if found is None or found[2] not in _MONTHS:
            return None
        day, year, hour, minute, second = (int(found[part]) for part in (1, 3, 4, 5, 6))
        try:
            month = _MONTHS.index(found[2]) + 1
            return datetime(year, month, day, hour, minute, second, tzinfo=UTC).timestamp()
        except ValueError:
            return None

    def open(self) -> None:
        """Make ready, so that the first request has less to do. To be called on the event loop."""
        self._session = self._session or self._opened()

    async def get(self, url: str) -> bytes:
        """Return the body of a 2xx answer. Raises Failure."""
        return await self._ask("GET", url, None)

    async def post(self, url: str, body: bytes) -> bytes:
        """Return the body of the 2xx answer to a JSON body. Raises Failure."""
        return await self._ask("POST", url, body)

    async def close(self) -> None:
        """Close the connection."""
        if self._session:
            await self._session.close()
            self._session = None

    async def _ask(self, method: str, url: str, body: bytes | None) -> bytes:
        # Whoever reads the message knows the server already: only what is elsewhere is shown with its address.
        shown = without_secrets(url)
        rest = shown.removeprefix(self._base)
        own = rest[:1] in ("", "/") or not self._base
        asked = _Asked(f"{method} {(rest if own else shown) or '/'}", own)
        try:
            return await self._ask_once(method, url, body, asked)
        except Unreachable as failure:
            # A kept connection that the node closed while it was idle is no failure: what is asked for changes
            # nothing on the node, so it is asked again on a new one.
            if failure.kind != "cut_off" or not asked.reused:
                raise
            return await self._ask_once(method, url, body, asked)

    async def _ask_once(self, method: str, url: str, body: bytes | None, request: _Asked) -> bytes:
        session = self._session = self._session or self._opened()
        request.reused = False
        asked = request.what
        self._do(request, f"connecting for {asked}")
        try:
            async with session.request(
                method,
                URL(url, encoded=True),
                data=body,
                headers=_JSON if body is not None else None,
                allow_redirects=False,
                server_hostname=self._tls_name if url.startswith("https:") else None,
                trace_request_ctx=request,
            ) as response:
                if request.own:
                    self.keeps_alive = response.headers.get("Connection", "").lower() != "close"
                    self._date = response.headers.get("Date", "")
                answer = await self._read(response, request)
                if not 200 <= response.status < 300:  # noqa: PLR2004 - the range that HTTP calls success
                    raise self._refusal(response.status, answer, asked)
                return answer
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise _failure(error, asked) from error

    async def _read(self, response: aiohttp.ClientResponse, request: _Asked) -> bytes:
        asked = request.what
        encoding = response.headers.get("Content-Encoding", "identity")
        if encoding != "identity":
            raise BadAnswer("bad_answer", f"{asked}: answers in {excerpt(encoding, 40)}, which was not asked for")
        if (response.content_length or 0) > LONGEST_ANSWER:
            response.close()
            raise TooLarge(f"{asked}: an answer of {response.content_length:,} bytes; the limit is {LONGEST_ANSWER:,}")
        chunks = []
        size = 0
        async for chunk in response.content.iter_any():
            chunks.append(chunk)
            size += len(chunk)
            self._do(request, f"reading the answer of {asked}, {size:,} bytes so far")
            if size > LONGEST_ANSWER:
                response.close()
                raise TooLarge(f"{asked}: the answer goes on beyond {LONGEST_ANSWER:,} bytes")
        return b"".join(chunks)

    def _refusal(self, status: int, body: bytes, asked: str) -> Refused:
        kind = "http"
        if status in _BUSY:
            kind = "busy"
        elif status == 401:  # noqa: PLR2004 - Unauthorized
            kind = "unauthorized"
        elif (status == 403 and b"invalid host" in body) or (status == 400 and b"HTTP HOST header" in body):  # noqa: PLR2004
            kind = "bad_host"
        elif status == 403:  # noqa: PLR2004 - Forbidden
            kind = "forbidden"
        advice = self._advice.get(kind, "")
        reason, code = _reason(body, asked)
        said = excerpt(reason) or "no reason given"
        return Refused(kind, f"{asked}: HTTP {status}: {said}{advice and '; ' + advice}", status, code)

    def _opened(self) -> aiohttp.ClientSession:
        trace = aiohttp.TraceConfig()
        trace.on_connection_create_end.append(self._created)
        trace.on_connection_reuseconn.append(self._kept)
        return aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, limit_per_host=1, ttl_dns_cache=10, keepalive_timeout=_KEPT),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=None),
            headers=_HEADERS,
            auto_decompress=False,
            cookie_jar=aiohttp.DummyCookieJar(),
            trace_configs=[trace],
            trust_env=False,
            read_bufsize=_CHUNK,
        )

    async def _created(self, _: object, context: SimpleNamespace, __: object) -> None:
        request: _Asked = context.trace_request_ctx
        self.connections += request.own
        self._do(request, f"waiting for the answer of {request.what}")

    async def _kept(self, _: object, context: SimpleNamespace, __: object) -> None:
        request: _Asked = context.trace_request_ctx
        request.reused = True
        self._do(request, f"waiting for the answer of {request.what}")

    def _do(self, request: _Asked, what: str) -> None:
        if request.own:
            self.doing = what


def decode(body: bytes | memoryview, asked: str) -> Any:  # noqa: ANN401 - JSON can be anything
    """Decode an answer that should be JSON. Raises BadAnswer, kind "not_json", and TooLarge."""
    check_parts(body, asked)
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        return _decode_leniently(bytes(body), asked, error)


def check_parts(body: bytes | memoryview, asked: str) -> None:
    """Raise TooLarge for a document of so many parts that decoding it would keep the other nodes waiting."""
    if len(body) > _SMALL:
        text = bytes(body)
        # An object or list costs four times as much as a key.
        if 4 * (text.count(b"{") + text.count(b"[")) + text.count(b":") > _MOST_PARTS:
            raise TooLarge(f"{asked}: a document of far more parts than any node has reason to send")


def _decode_leniently(body: bytes, asked: str, error: orjson.JSONDecodeError) -> Any:  # noqa: ANN401 - as above
    """Decode a document that is JSON but for NaN and infinities: Go's expvar writes them bare where a gauge has one.

    Only these words are mended, outside strings, and become null. Raises BadAnswer where that was not what is wrong.
    """
    if len(body) <= _MENDABLE:
        mended = _STRING_OR_BARE.sub(lambda match: b"null" if match[1] else match[0], body)
        try:
            return orjson.loads(mended)
        except orjson.JSONDecodeError as again:
            error = again if mended != body else error
    what = excerpt(body, 80) or "nothing"
    raise BadAnswer("not_json", f"{asked}: the answer is not JSON ({error.msg}): {what}") from error


def kind_of(value: object) -> str:
    """Name what a decoded answer is, for a message; its content may be of any size."""
    return _JSON_TYPES.get(type(value), "something else")


_JSON_TYPES = {
    dict: "an object", list: "a list", str: "a string", int: "a number", float: "a number", bool: "a boolean",
    type(None): "null",
}  # fmt: skip


def _failure(error: Exception, asked: str) -> Failure:  # noqa: PLR0911 - a list of cases
    """Name what aiohttp or the system raised."""
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return Unreachable("dns", f"{asked}: no address is known for this name ({excerpt(str(error.os_error))})")
    if isinstance(error, aiohttp.ClientSSLError | ssl.SSLError):
        return Unreachable("tls", f"{asked}: no TLS connection: {excerpt(str(error))}")
    if isinstance(error, aiohttp.ClientConnectorError):
        if error.os_error.errno == errno.ECONNREFUSED:
            return Unreachable("refused", f"{asked}: connection refused; does the node run and listen there?")
        return Unreachable("unreachable", f"{asked}: no connection: {excerpt(str(error.os_error))}")
    if isinstance(error, aiohttp.ServerDisconnectedError | aiohttp.ClientPayloadError | aiohttp.ClientOSError):
        return Unreachable("cut_off", f"{asked}: the connection ended before the answer did")
    if isinstance(error, aiohttp.InvalidURL):
        return Unreachable("unreachable", f"{asked}: this is no URL that can be asked")
    if isinstance(error, OSError):
        return Unreachable("unreachable", f"{asked}: no connection: {excerpt(str(error))}")
    said = error.message if isinstance(error, aiohttp.ClientResponseError) else str(error)  # str would name the URL
    return BadAnswer("bad_answer", f"{asked}: the answer is not HTTP: {excerpt(said, 80)}")


def _reason(body: bytes, asked: str) -> tuple[str | bytes, int | None]:
    """Return what a refusal says, and its code: of nodeos's error document, or else the text as it is and None."""
    try:
        check_parts(body, asked)
        said = orjson.loads(body)
        details = [detail["message"] for detail in said["error"]["details"][:1]]
        parts = [said["message"], said["error"]["what"], *details]
        code = said["error"].get("code")
        reason = ": ".join(dict.fromkeys(part for part in parts if part and part != "unspecified"))
        return reason, code if type(code) is int else None
    except (orjson.JSONDecodeError, LookupError, TypeError, AttributeError, TooLarge):
        return body, None
