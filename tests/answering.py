"""A server on loopback that answers from a table and remembers what it was asked."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

import orjson
from aiohttp import web


@dataclass(frozen=True)
class Answer:
    """One answer, `after` so many seconds; `closes` ends the connection after it, `cut` ends it without any."""

    body: bytes = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    closes: bool = False
    cut: bool = False
    after: float = 0.0


def json(document: object, status: int = 200) -> Answer:
    """Make the answer that is this document."""
    return Answer(orjson.dumps(document), status, {"Content-Type": "application/json"})


Answers = dict[str, Answer | Callable[[bytes], Answer]]
"""By path: an answer, or what makes one of the request's body."""


class Answering:
    """Answers a path that is in `answers` by it, every other with `otherwise`.

    `asked` lists method and path of every request, in order; `bodies` what came with it. `connections` counts those
    that a request came by.
    """

    def __init__(self, answers: Answers, otherwise: Answer = Answer(status=404)) -> None:
        self.answers = answers
        self.otherwise = otherwise
        self.asked: list[tuple[str, str]] = []
        self.bodies: list[bytes] = []
        self._seen: set[object] = set()
        self._server = web.Server(self._answer, handler_cancellation=True, access_log=None)
        self._runner = web.ServerRunner(self._server, shutdown_timeout=0.1)

    @property
    def port(self) -> int:
        """The port that it listens on."""
        port: int = self._runner.addresses[0][1]
        return port

    @property
    def url(self) -> str:
        """Its address, without a slash at the end."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def connections(self) -> int:
        """Connections by which it was asked so far."""
        return len(self._seen)

    def hang_up(self) -> None:
        """Close every connection, as a node that restarts does."""
        for handler in self._server.connections:
            handler.force_close()
            if handler.transport is not None:
                handler.transport.close()

    async def __aenter__(self) -> Self:
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        return self

    async def __aexit__(
        self, _type: type[BaseException] | None, _: BaseException | None, __: TracebackType | None
    ) -> None:
        await self._runner.cleanup()

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        self._seen.add(request.protocol)
        self.asked.append((request.method, request.path_qs))
        body = await request.read()
        self.bodies.append(body)
        found = self.answers.get(request.path_qs, self.otherwise)
        answer = found if isinstance(found, Answer) else found(body)
        await asyncio.sleep(answer.after)
        if answer.cut and request.transport is not None:
            request.transport.abort()
        response = web.Response(body=answer.body, status=answer.status, headers=answer.headers)
        if answer.closes:
            response.force_close()
        return response
