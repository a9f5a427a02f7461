"""HTTP as nodeos's server speaks it: keep-alive, any method, no word to what is not HTTP."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import NamedTuple

SERVER = "nodeos/v4.0.6"
LARGEST_HEAD = 8192
LONGEST_LENGTH = 15
"""Digits of a Content-Length."""

REASONS = {
    200: "OK",
    201: "Created",
    400: "Bad Request",
    404: "Not Found",
    413: "Payload Too Large",
    500: "Internal Server Error",
    503: "Service Unavailable",
}
JSON = "application/json"


class Asked(NamedTuple):
    """One request: its path to the letter, the Host it names, its body, and the address that it was sent to."""

    path: str
    host: str
    body: bytes
    local: str


class Answer(NamedTuple):
    """What is answered."""

    body: bytes
    status: int = 200
    kind: str = JSON


Answering = Callable[[Asked], "Answer | asyncio.Future[Answer]"]


def refusal(status: int, message: str, error: tuple[int, str, str], *detail: str | int) -> Answer:
    """Return an error in nodeos's form: `error` is its code, name and what, `detail` a message and where it arose."""
    code, name, what = error
    details = [dict(zip(("message", "file", "line_number", "method"), detail, strict=True))] if detail else []
    about = {"code": code, "name": name, "what": what, "details": details}
    body = {"code": status, "message": message, "error": about}
    return Answer(json.dumps(body, separators=(",", ":")).encode(), status)


class Limits:
    """What a server allows; `open` counts its connections, idle ones too, as nodeos does."""

    def __init__(self, body: int = 2 * 1024 * 1024, connections: int = -1, *, keep_alive: bool = True) -> None:
        self.body = body
        self.connections = connections
        self.keep_alive = keep_alive
        self.open = 0


class Connection(asyncio.Protocol):
    """One client's connection: requests are answered one after the other."""

    def __init__(self, answering: Answering, limits: Limits, everyone: set[Connection]) -> None:
        self._answering = answering
        self._limits = limits
        self._everyone = everyone
        self._read = bytearray()
        self._waiting: asyncio.Future[Answer] | None = None
        self._local = ""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Count the client."""
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        host, port = transport.get_extra_info("sockname")[:2]
        self._local = f"{host}:{port}"
        self._limits.open += 1
        self._everyone.add(self)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - the protocol's own form
        """Forget the client, and that it waits."""
        self._limits.open -= 1
        self._everyone.discard(self)
        if self._waiting:
            self._waiting.cancel()

    def data_received(self, data: bytes) -> None:
        """Answer what has come in whole; what is no HTTP gets no answer."""
        self._read += data
        try:
            while not self._waiting and not self.transport.is_closing() and (asked := self._next()):
                self._answer(*asked)
        except ValueError:
            self.transport.close()
        if len(self._read) > LARGEST_HEAD + self._limits.body:  # behind a request that is long in coming
            self.transport.close()

    def _next(self) -> tuple[Asked, bool] | None:
        """Take the next request and whether the connection is to stay; None until it is all there."""
        end = self._read.find(b"\r\n\r\n")
        if end < 0:
            if len(self._read) > LARGEST_HEAD or not (self._read[:1] or b"G").isalpha():
                raise ValueError("no HTTP, or none that ends")
            return None
        path, version, headers = _head(bytes(self._read[:end]))
        size = headers.get("content-length", "0")
        if not size.isdecimal() or len(size) > LONGEST_LENGTH or "transfer-encoding" in headers:
            raise ValueError("no length of the body")
        body = end + len(b"\r\n\r\n")
        if int(size) > self._limits.body:
            self._write(TOO_LARGE, keep=False)
            return None
        if len(self._read) < body + int(size):
            return None
        asked = Asked(path, headers.get("host", ""), bytes(self._read[body : body + int(size)]), self._local)
        del self._read[: body + int(size)]
        return asked, self._keeps(version, headers)

    def _answer(self, asked: Asked, keep: bool) -> None:
        if 0 <= self._limits.connections < self._limits.open:
            self._write(_busy(self._limits.open), keep=False)
            return
        answer = self._answering(asked)
        if isinstance(answer, Answer):
            self._write(answer, keep=keep)
        else:
            self._waiting = answer
            answer.add_done_callback(lambda done: self._late(done, keep=keep))

    def _keeps(self, version: str, headers: dict[str, str]) -> bool:
        asked = headers.get("connection", "").lower()
        return self._limits.keep_alive and (asked == "keep-alive" if version == "HTTP/1.0" else asked != "close")

    def _late(self, done: asyncio.Future[Answer], *, keep: bool) -> None:
        self._waiting = None
        if done.cancelled() or self.transport.is_closing():
            return
        self._write(done.result(), keep=keep)
        self.data_received(b"")

    def _write(self, answer: Answer, *, keep: bool) -> None:
        connection = "" if keep else "Connection: close\r\n"
        head = (
            f"HTTP/1.1 {answer.status} {REASONS[answer.status]}\r\n{connection}Server: {SERVER}\r\n"
            f"Content-Type: {answer.kind}\r\nContent-Length: {len(answer.body)}\r\n\r\n"
        )
        self.transport.write(head.encode() + answer.body)
        if not keep:
            self.transport.close()


TOO_LARGE = refusal(413, "Payload Too Large", (0, "exception", "unspecified"))


def _busy(count: int) -> Answer:
    return refusal(503, "Busy", (503, "Busy", f"Too many requests in flight: {count}"))


def _head(raw: bytes) -> tuple[str, str, dict[str, str]]:
    """Take a request's first lines apart: its path, version and headers. ValueError where they are no HTTP."""
    first, *lines = raw.decode("latin-1").split("\r\n")
    _, path, version = first.split(" ")
    if not version.startswith("HTTP/1."):
        raise ValueError("no HTTP")
    headers = {}
    for line in lines:
        name, separator, value = line.partition(":")
        if not separator:
            raise ValueError("no header")
        headers[name.lower()] = value.strip()
    return path, version, headers
