"""HTTP to one server: one kept connection, answers of bounded size, failures by kind.

A node counts open connections (nodeos refuses beyond `--http-max-in-flight-requests` of them), so a client keeps one
to an address and no more. Nothing here limits time: the deadline of a gather is the agent's, and cancels.
"""

from __future__ import annotations

import errno
import re
import ssl
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
_MENDABLE = 2**20
_BARE = re.compile(rb'("(?:[^"\\]|\\.)*")|[+-]?(?:NaN|Inf(?:inity)?)\b')


class Client:
    """Asks one server, whose URL is `base`, and what else belongs to it, such as a page of metrics on another port.

    `advice` says, per kind of failure, what the operator of such a node can do about it.

    `connections` counts the connections opened: a new one may mean that the node has restarted. `doing` says what the
    client is at, for a message about a deadline that passed.
    """

    def __init__(
        self,
        base: str = "",
        *,
        tls_name: str = "",
        advice: dict[str, str] | None = None,
        resolver: aiohttp.abc.AbstractResolver | None = None,
    ) -> None:
        self.connections = 0
        self.keeps_alive = True
        self.doing = "doing nothing"
        self._base = without_secrets(base).rstrip("/")
        self._tls_name = tls_name or None
        self._advice = advice or {}
        self._resolver = resolver
        self._session: aiohttp.ClientSession | None = None
        self._reused = False
        self._asked = ""

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
        try:
            return await self._ask_once(method, url, body)
        except Unreachable as failure:
            # A kept connection that the node closed while it was idle is no failure: what is asked for changes
            # nothing on the node, so it is asked again on a new one.
            if failure.kind != "cut_off" or not self._reused:
                raise
            return await self._ask_once(method, url, body)

    async def _ask_once(self, method: str, url: str, body: bytes | None) -> bytes:
        session = self._session = self._session or self._opened()
        self._reused = False
        # Whoever reads the message knows the server already: only what is elsewhere is shown with its address.
        asked = self._asked = f"{method} {without_secrets(url).removeprefix(self._base) or '/'}"
        self.doing = f"connecting for {asked}"
        try:
            async with session.request(
                method,
                URL(url, encoded=True),
                data=body,
                headers=_JSON if body is not None else None,
                allow_redirects=False,
                server_hostname=self._tls_name if url.startswith("https:") else None,
            ) as response:
                self.keeps_alive = response.headers.get("Connection", "").lower() != "close"
                answer = await self._read(response, asked)
                if not 200 <= response.status < 300:  # noqa: PLR2004 - the range that HTTP calls success
                    raise self._refusal(response.status, answer, asked)
                return answer
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise _failure(error, asked) from error

    async def _read(self, response: aiohttp.ClientResponse, asked: str) -> bytes:
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
            self.doing = f"reading the answer of {asked}, {size:,} bytes so far"
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
        said = excerpt(_reason(body))
        return Refused(kind, f"{asked}: HTTP {status}: {said or 'no reason given'}{advice and '; ' + advice}", status)

    def _opened(self) -> aiohttp.ClientSession:
        trace = aiohttp.TraceConfig()
        trace.on_connection_create_end.append(self._created)
        trace.on_connection_reuseconn.append(self._kept)
        return aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                limit=0, limit_per_host=1, resolver=self._resolver, ttl_dns_cache=10, keepalive_timeout=_KEPT
            ),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=None),
            headers=_HEADERS,
            auto_decompress=False,
            cookie_jar=aiohttp.DummyCookieJar(),
            trace_configs=[trace],
            trust_env=False,
            read_bufsize=_CHUNK,
        )

    async def _created(self, *_: Any) -> None:  # noqa: ANN401 - aiohttp's trace hook
        self.connections += 1
        self.doing = f"waiting for the answer of {self._asked}"

    async def _kept(self, *_: Any) -> None:  # noqa: ANN401 - aiohttp's trace hook
        self._reused = True
        self.doing = f"waiting for the answer of {self._asked}"


def decode(body: bytes | memoryview, asked: str) -> Any:  # noqa: ANN401 - JSON can be anything
    """Decode an answer that should be JSON. Raises BadAnswer, kind "not_json"."""
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        return _decode_leniently(bytes(body), asked, error)


def _decode_leniently(body: bytes, asked: str, error: orjson.JSONDecodeError) -> Any:  # noqa: ANN401 - as above
    """Decode a document that is JSON but for NaN and infinities: Go's expvar writes them bare where a gauge has one.

    Only these words are mended, outside strings, and become null. Raises BadAnswer where that was not what is wrong.
    """
    if len(body) <= _MENDABLE and _BARE.search(body):
        try:
            return orjson.loads(_BARE.sub(lambda match: match[1] or b"null", body))
        except orjson.JSONDecodeError as again:
            error = again
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
    return BadAnswer("bad_answer", f"{asked}: the answer is not HTTP: {excerpt(str(error), 80)}")


def _reason(body: bytes) -> str:
    """Return what a refusal says: the messages of nodeos's error document, or the text as it is."""
    try:
        said = orjson.loads(body)
        details = [detail["message"] for detail in said["error"]["details"][:1]]
        parts = [said["message"], said["error"]["what"], *details]
        return ": ".join(dict.fromkeys(part for part in parts if part and part != "unspecified"))
    except (orjson.JSONDecodeError, LookupError, TypeError):
        return body.decode("utf-8", "backslashreplace")
