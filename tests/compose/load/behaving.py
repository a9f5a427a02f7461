"""A server that behaves as it is told, request by request, and counts what it did."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections import Counter
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Self, cast

import orjson

INFO = orjson.dumps({"server_version": "01dab51a", "head_block_num": 21, "head_block_producer": "eosio"})
RPC = orjson.dumps({"jsonrpc": "2.0", "id": 1, "result": "0x4"})

DELAY = 0.8
"""Seconds after which `delay` answers."""


def answer(body: bytes, status: int = 200, headers: str = "") -> bytes:
    """Return an answer of HTTP."""
    return b"HTTP/1.1 %d Whatever\r\nServer: nodeos\r\nContent-Length: %d\r\n%b\r\n%b" % (
        status,
        len(body),
        headers.encode(),
        body,
    )


CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n0\r\n\r\n" % (len(INFO), INFO)
UNTIL_CLOSED = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n" + INFO

WRITTEN: dict[str, bytes] = {
    "ok": answer(INFO),
    "rpc": answer(RPC),
    "created": answer(INFO, 201),
    "chunked": CHUNKED,
    "announced": b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" + answer(INFO),
    "503": answer(b'{"code":503,"message":"Busy"}', 503),
    "429": answer(b'{"code":429}', 429),
    "404": answer(b"not here", 404),
    "redirect": answer(b"", 302, "Location: http://127.0.0.1:1/\r\n"),
    "rpc_error": answer(b'{"jsonrpc":"2.0","id":1,"error":{"code":-32601,"message":"the method does not exist"}}'),
    "no_json": answer(b"<html>welcome</html>"),
    "half_json": answer(INFO[:-5]),
    "not_asked": answer(b'{"head":1}'),
    "no_http": b"SSH-2.0-OpenSSH_9.2\r\n\r\n",
}
"""Answers after which the connection goes on."""

CLOSING: dict[str, bytes] = {
    "last": answer(INFO, 200, "Connection: close\r\n"),
    "until_closed": UNTIL_CLOSED,
    "close": b"",
    "cut": answer(INFO)[:-20],
    "cut_headers": answer(INFO)[:30],
    "cut_chunks": CHUNKED[:-5],
    "upgrade": b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
}
"""What is written before the connection is closed."""

FAILURES = {
    "503": "status_503",
    "429": "status_429",
    "404": "status_404",
    "redirect": "status_302",
    "upgrade": "status_101",
    "rpc_error": "rpc_error_-32601",
    "no_json": "not_json",
    "half_json": "not_json",
    "not_asked": "not_asked",
    "no_http": "not_http",
    "close": "closed",
    "cut": "cut",
    "cut_headers": "cut",
    "cut_chunks": "cut",
    "reset": "reset",
    "reset_within": "reset",
    "hang": "timeout",
    "drip": "timeout",
}
"""As what each is to be counted. What is not in here is an answer."""


class Behaving:
    """Answers the requests with one behaviour after the other, as `behaviours` yields them.

    `did` counts what it did, `asked` the requests, `connections` those that came; `requests` are the latest's bytes.
    """

    def __init__(self, behaviours: Iterator[str] | Callable[[], str]) -> None:
        self.next = behaviours if callable(behaviours) else lambda: next(behaviours)
        self.did: Counter[str] = Counter()
        self.connections = 0
        self.open: set[_Connection] = set()
        self.request = b""

    @property
    def asked(self) -> int:
        """How many requests have come."""
        return self.did.total()

    @property
    def failures(self) -> dict[str, int]:
        """What is to have been counted as failed, by kind."""
        kinds: Counter[str] = Counter()
        for behaviour, count in self.did.items():
            if behaviour in FAILURES:
                kinds[FAILURES[behaviour]] += count
        return dict(kinds)

    @property
    def ok(self) -> int:
        """What is to have been counted as answered."""
        return self.asked - sum(self.failures.values())

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    async def __aenter__(self) -> Self:
        self._server = await asyncio.get_running_loop().create_server(
            lambda: _Connection(self), "127.0.0.1", 0, backlog=1024
        )
        self.port: int = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, _type: type[BaseException] | None, _: BaseException | None, __: TracebackType | None
    ) -> None:
        self._server.close()
        for connection in list(self.open):
            connection.transport.abort()
        await asyncio.sleep(0)
        await self._server.wait_closed()


class _Connection(asyncio.Protocol):
    transport: asyncio.Transport

    def __init__(self, server: Behaving) -> None:
        self._server = server
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        self._server.connections += 1
        self._server.open.add(self)

    def connection_lost(self, _: Exception | None) -> None:
        self._server.open.discard(self)

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, ended, body = self._received.partition(b"\r\n\r\n")
        if not ended or len(body) < _length(head):
            return
        self._server.request, self._received = self._received, b""
        behaviour = self._server.next()
        self._server.did[behaviour] += 1
        self._behave(behaviour)

    def _behave(self, behaviour: str) -> None:
        loop = asyncio.get_running_loop()
        if behaviour in WRITTEN:
            self.transport.write(WRITTEN[behaviour])
        elif behaviour in CLOSING:
            self.transport.write(CLOSING[behaviour])
            self.transport.close()
        elif behaviour == "delay":
            loop.call_later(DELAY, self.transport.write, WRITTEN["ok"])
        elif behaviour == "split":
            whole = WRITTEN["ok"]
            self.transport.write(whole[:20])
            loop.call_later(0.01, self.transport.write, whole[20:90])
            loop.call_later(0.02, self.transport.write, whole[90:])
        elif behaviour == "drip":
            self.transport.write(WRITTEN["ok"][:60])
        elif behaviour == "reset":
            self._reset()
        elif behaviour == "reset_within":
            self.transport.write(WRITTEN["ok"][:-20])
            loop.call_later(0.02, self._reset)
        else:
            assert behaviour == "hang", behaviour

    def _reset(self) -> None:
        connection: socket.socket | None = self.transport.get_extra_info("socket")
        if connection is not None and connection.fileno() >= 0:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.transport.abort()


def _length(head: bytes) -> int:
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    return 0
