"""Servers on loopback that take lines, and refuse them, as InfluxDB 1.x, 2.x, 3.x and VictoriaMetrics do.

A line of the measurement `bad` does not parse for them, one of `conflict` has a type other than its field has.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from typing import NamedTuple
from urllib.parse import parse_qs

import orjson
from aiohttp import web

Fault = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]
"""What a server does instead of its work."""

VERSIONS = {"1": "1.6.7~rc0", "2": "v2.7.1", "3": "3.4.0", "3 partial": "3.4.0"}


class Request(NamedTuple):
    """One request as the server saw it."""

    method: str
    path: str
    query: dict[str, str]
    headers: Mapping[str, str]
    body: bytes

    @property
    def lines(self) -> list[str]:
        """The lines of a write."""
        return self.body.decode().splitlines()


class Fake:
    """A server of a kind: "1", "2", "3" (refuses whole batches), "3 partial", "victoria", "unknown".

    `stored` holds the lines that it has said to have taken. Writes meet the `faults` one after the other, then `fault`
    as long as there is one. `databases` are those of 1.x; `may_create` tells whether it lets them be created.
    """

    def __init__(self, kind: str = "1") -> None:
        self.kind = kind
        self.stored: list[str] = []
        self.requests: list[Request] = []
        self.faults: deque[Fault] = deque()
        self.fault: Fault | None = None
        self.ping_fault: Fault | None = None
        self.databases = {"chain"}
        self.may_create = True
        self.port = 0
        self.connections = 0
        self._runner: web.ServerRunner | None = None
        self._seen: set[object] = set()

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def writes(self) -> list[Request]:
        """The writes among the requests."""
        return [request for request in self.requests if request.path.endswith("/write")]

    async def start(self) -> None:
        """Listen: at any port the first time, at the same one from then on."""
        self._runner = web.ServerRunner(
            web.Server(self._answer, access_log=None, handler_cancellation=True), shutdown_timeout=0.01
        )
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self.port, reuse_address=True).start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        """Die, with all connections."""
        if self._runner:
            await self._runner.cleanup()
            self._runner = None

    def hang_up(self) -> None:
        """Close every connection."""
        assert self._runner is not None
        assert self._runner.server is not None
        for handler in self._runner.server.connections:
            handler.force_close()
            if handler.transport is not None:
                handler.transport.close()

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        if request.protocol not in self._seen:
            self._seen.add(request.protocol)
            self.connections += 1
        fault = self.ping_fault if request.path.endswith("/ping") else None
        if request.path.endswith("/write"):
            fault = self.faults.popleft() if self.faults else self.fault
        body = await request.content.read() if fault is None else b""
        self.requests.append(Request(request.method, request.path, dict(request.query), request.headers, body))
        if fault:
            return await fault(request)
        if request.path == "/ping":
            return self._ping()
        if request.path == "/query" and self.kind == "1":
            return self._query(parse_qs(body.decode())["q"][0])
        if request.path == "/write" or (request.path == "/api/v2/write" and self.kind != "1"):
            return self._write(request, body.decode().splitlines())
        return web.Response(status=404, text="404 page not found\n")

    def _ping(self) -> web.Response:
        if self.kind == "victoria":
            return web.Response(status=204, headers={"X-Server-Hostname": "vm"})
        if self.kind == "unknown":
            return web.Response(status=404, text="no such page")
        return web.Response(status=204, headers={"X-Influxdb-Build": "OSS", "X-Influxdb-Version": VERSIONS[self.kind]})

    def _query(self, statement: str) -> web.Response:
        if not self.may_create:
            return _json(
                403, {"error": f"error authorizing query: bob not authorized to execute statement '{statement}'"}
            )
        self.databases.add(statement.removeprefix('CREATE DATABASE "').removesuffix('"'))
        return _json(200, {"results": [{"statement_id": 0}]})

    def _write(self, request: web.BaseRequest, lines: list[str]) -> web.Response:
        database = request.query.get("db", "")
        if self.kind == "1" and database not in self.databases:
            return _json(404, {"error": f'database not found: "{database}"'})
        bad = [line for line in lines if line.startswith("bad")]
        conflicts = [line for line in lines if line.startswith("conflict")]
        good = [line for line in lines if line not in bad and line not in conflicts]
        said = f"unable to parse '{bad[0]}': missing fields" if bad else ""
        status = 204
        document: dict[str, object] | None = None
        if self.kind == "1" and bad and not good and not conflicts:
            status, document = 400, {"error": "\n".join(_unparsed(bad))}
        elif self.kind == "1" and conflicts:
            status, document = 400, {"error": f"partial write: field type conflict: input dropped={len(conflicts)}"}
        elif self.kind == "1" and bad:
            status, document = 400, {"error": "partial write: " + "\n".join(_unparsed(bad)) + " dropped=0"}
        elif self.kind in ("2", "unknown") and bad:
            good, status, document = [], 400, {"code": "invalid", "message": said}
        elif self.kind in ("2", "unknown") and conflicts:
            text = "failure writing points to database: partial write: field type conflict: input "
            text += f"dropped={len(conflicts)} for database: 0f3c for retention policy: autogen"
            status, document = 422, {"code": "unprocessable entity", "message": text}
        elif self.kind == "3" and bad + conflicts:
            first = (bad + conflicts)[0]
            good, status = [], 400
            document = {"error": "parsing failed for write_lp endpoint", "data": _refused(lines, first)}
        elif self.kind == "3 partial" and bad + conflicts:
            refused = [_refused(lines, line) for line in bad + conflicts]
            status, document = 400, {"error": "partial write of line protocol occurred", "data": refused}
        self.stored += good
        return web.Response(status=204) if document is None else _json(status, document)


def _unparsed(lines: list[str]) -> list[str]:
    return [f"unable to parse '{line}': missing fields" for line in lines]


def _refused(lines: list[str], line: str) -> dict[str, object]:
    return {"original_line": line, "line_number": lines.index(line) + 1, "error_message": "No fields were provided"}


def _json(status: int, document: object) -> web.Response:
    return web.Response(status=status, body=orjson.dumps(document), content_type="application/json")


def says(status: int, text: str = "", headers: Mapping[str, str] | None = None) -> Fault:
    """Answer with this."""

    async def fault(request: web.BaseRequest) -> web.StreamResponse:
        await request.read()
        return web.Response(status=status, text=text, headers=headers)

    return fault


async def too_large_unread(request: web.BaseRequest) -> web.StreamResponse:
    """Refuse a body by its length, without reading it."""
    return web.Response(status=413, headers={"Connection": "close"})


async def hangs(request: web.BaseRequest) -> web.StreamResponse:
    """Never answer."""
    await asyncio.sleep(60)
    return web.Response()


async def cuts(request: web.BaseRequest) -> web.StreamResponse:
    """End the connection without an answer."""
    await request.read()
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


async def speaks_another_language(request: web.BaseRequest) -> web.StreamResponse:
    """Answer with something else than HTTP."""
    await request.read()
    assert request.transport is not None
    request.transport.write(b"220 mail.example.org ESMTP\r\n")
    await asyncio.sleep(60)
    return web.Response()


def half(status: int) -> Fault:
    """Promise a long body, send a part of it and end the connection."""

    async def fault(request: web.BaseRequest) -> web.StreamResponse:
        await request.read()
        response = web.StreamResponse(status=status, headers={"Content-Length": "1000"})
        await response.prepare(request)
        await response.write(b'{"error":"part')
        assert request.transport is not None
        request.transport.abort()
        return response

    return fault


def drips(status: int) -> Fault:
    """Send a body a byte at a time, for ever."""

    async def fault(request: web.BaseRequest) -> web.StreamResponse:
        await request.read()
        response = web.StreamResponse(status=status)
        await response.prepare(request)
        while True:
            await response.write(b"x")
            await asyncio.sleep(0.02)

    return fault


class Flood:
    """Answers with an error of 200 MB; `sent` counts the bytes that went out."""

    def __init__(self, status: int) -> None:
        self.status = status
        self.sent = 0

    async def __call__(self, request: web.BaseRequest) -> web.StreamResponse:
        """Send it, until the other side has had enough."""
        await request.read()
        response = web.StreamResponse(status=self.status)
        response.content_length = 200_000_000
        await response.prepare(request)
        while self.sent < 200_000_000:
            await response.write(b"x" * 100_000)
            self.sent += 100_000
        return response
