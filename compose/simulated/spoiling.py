"""What faults make of an answer: whole answers in its place, documents changed within, and ways of sending it badly."""

from __future__ import annotations

import asyncio
import json
import math
import random
import socket
import struct
from collections.abc import Callable, Mapping

import orjson
from aiohttp import web

from compose.simulated.faults import WHOLE, WITHIN, Parameters
from compose.simulated.serving import Answer

CHUNK = 64 * 1024
OPENING, FILLING, CLOSING = b'{"jsonrpc":"2.0","id":1,"result":"', b"x" * CHUNK, b'"}'

DEEPEST = 1_000_000
"""Objects within objects that `deep` makes at most."""

HTML = b"""<!DOCTYPE html>
<html><head><title>Welcome</title></head>
<body><h1>Welcome to the gateway</h1><p>The page you asked for is being prepared.</p></body></html>
"""
GARBAGE = random.Random(1).randbytes(4096)  # noqa: S311 - noise that is the same at every start

ODD = {
    "with space": 1,
    "comma,": 2,
    "equals=": 3,
    "line\nbreak": 4,
    "back\\slash": 5,
    'quote"': 6,
    "trailing\\": 7,
    "": 8,
    "schön ☃": 9,
    "\u0000": 10,
    "a.b": 11,
    "x" * 5000: 12,
}
"""Names that a line protocol, an exposition or a path may stumble over, each with a number."""

Faults = Mapping[str, Parameters]


def whole(faults: Faults, own: Mapping[str, Answer]) -> Answer | None:
    """Return what replaces every answer under these faults, if anything; `own` are the node's own words for some."""
    name = next((name for name in WHOLE if name in faults), None)
    if name is None or name == "huge":
        return None
    if name in own:
        return own[name]
    return {
        "unauthorized": Answer(
            b"<html><head><title>401 Authorization Required</title></head></html>\n",
            401,
            "text/html",
            "other",
            (("WWW-Authenticate", 'Basic realm="nodes"'),),
        ),
        "too_many": Answer(
            b"Too Many Requests\n",
            429,
            "text/plain",
            "other",
            (("Retry-After", str(faults.get("too_many", {}).get("retry_after", 0))),),
        ),
        "busy": Answer(b"Service Unavailable\n", 503, "text/plain", "other"),
        "error_500": Answer(b"Internal Server Error\n", 500, "text/plain", "other"),
        "html": Answer(HTML, 200, "text/html", "other"),
        "garbage": Answer(GARBAGE, 200, "application/json", "other"),
    }[name]


def within(faults: Faults, answer: Answer) -> Answer:
    """Return the answer with the document in it changed as these faults demand."""
    names = [name for name in WITHIN if name in faults]
    if not names or answer.kind == "other" or not answer.body:
        return answer
    if answer.kind == "page":
        body = answer.body
        for name in names:
            body = _PAGES.get(name, _unchanged)(body)
        return answer._replace(body=body)
    depth = min(int(faults["deep"]["depth"]), DEEPEST) if "deep" in faults else 0
    document = orjson.loads(answer.body)
    for name in names:
        change = _DOCUMENTS[name]
        document = _each_result(document, change) if answer.kind == "rpc" else change(document)
    text = json.dumps(document, ensure_ascii=False).replace(f'"{_ABYSS}"', '{"deep":' * depth + "1" + "}" * depth)
    return answer._replace(body=text.encode())


async def send(request: web.BaseRequest, answer: Answer, current: Callable[[], Faults]) -> web.StreamResponse:
    """Send an answer as badly as the faults demand; `current` returns them, so that removing one shows at once."""
    faults = current()
    if not ("huge" in faults or "slow" in faults or "half" in faults):
        return PlainResponse(
            body=answer.body, status=answer.status, content_type=answer.content_type, headers=dict(answer.headers)
        )
    response = PlainStream(status=answer.status, headers=dict(answer.headers))
    response.content_type = answer.content_type
    if next((name for name in WHOLE if name in faults), "") == "huge":
        await response.prepare(request)
        await _pour(response, int(faults["huge"]["bytes"]), current)
        return response
    body = answer.body[: len(answer.body) // 2] if "half" in faults else answer.body
    response.content_length = len(answer.body)
    await response.prepare(request)
    sent = 0
    while sent < len(body) and "slow" in (faults := current()):
        await response.write(body[sent : sent + 1])
        sent += 1
        await asyncio.sleep(float(faults["slow"]["delay"]))
    await response.write(body[sent:])
    if len(body) < len(answer.body) and request.transport:
        request.transport.close()
    return response


def broken_off(request: web.BaseRequest, *, reset: bool) -> web.StreamResponse:
    """Close or reset the connection without a byte of an answer; what is returned is not sent any more."""
    if request.transport:
        if reset:
            connection = request.transport.get_extra_info("socket")
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            request.transport.abort()
        else:
            request.transport.close()
    return web.Response()


class PlainStream(web.StreamResponse):
    """An answer with no headers of this machine's: its date, and what it is served by, are the node's to say."""

    async def _prepare_headers(self) -> None:
        own = [name for name in ("Date", "Server") if name not in self.headers]
        await super()._prepare_headers()
        for name in own:
            del self.headers[name]


class PlainResponse(PlainStream, web.Response):
    """Such an answer whose body is known."""


async def _pour(response: web.StreamResponse, size: int, current: Callable[[], Faults]) -> None:
    left = size - len(OPENING) - len(CLOSING) if size else math.inf
    await response.write(OPENING)
    while left > 0 and "huge" in current():
        await response.write(FILLING if left >= CHUNK else FILLING[: int(left)])
        left -= CHUNK
        await asyncio.sleep(0)  # writing to a fast reader never waits: others must have their turn
    await response.write(CLOSING)


def _each_result(document: object, change: Callable[[object], object]) -> object:
    """Change the results in JSON-RPC answers, leaving their envelopes in order."""
    if isinstance(document, list):
        return [_each_result(one, change) for one in document]
    if isinstance(document, dict) and "result" in document:
        return {**document, "result": change(document["result"])}
    return document


def _wrong_types(value: object) -> object:
    if isinstance(value, dict):
        return {
            key: _wrong_types(inner) if isinstance(inner, dict) else _wrong_type(inner) for key, inner in value.items()
        }
    return _wrong_type(value)


def _wrong_type(value: object) -> object:
    if isinstance(value, bool):
        return "maybe"
    if isinstance(value, (int, float)):
        return "many"
    if isinstance(value, str):
        return -1.5
    return [] if isinstance(value, dict) else {"list": None}


def _number_for_tree(value: object) -> object:
    if isinstance(value, dict) and any(isinstance(inner, (dict, list)) for inner in value.values()):
        return {key: 42 if isinstance(inner, (dict, list)) else inner for key, inner in value.items()}
    return 42 if isinstance(value, (dict, list)) else value


_ABYSS = "5d7e9f3a-deep"


def _deep(value: object) -> object:
    """Put a mark where the depth is to go: neither json nor orjson writes it itself."""
    if isinstance(value, dict):
        return {**value, "deep": _ABYSS}
    return _ABYSS


def _nan(value: object) -> object:
    return _replaced(value, [])


def _replaced(value: object, done: list[bool]) -> object:
    if done:
        return value
    if isinstance(value, dict):
        return {key: _replaced(inner, done) for key, inner in value.items()}
    if isinstance(value, list):
        return [_replaced(inner, done) for inner in value]
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        done.append(True)
        return math.nan
    return value


def _odd_names(value: object) -> object:
    if isinstance(value, dict):
        inner = next((key for key, inner in value.items() if isinstance(inner, dict)), None)
        subtree = {inner: {**value[inner], **ODD}} if inner is not None else {}
        return {**value, **subtree, **ODD}
    return value


_DOCUMENTS: Mapping[str, Callable[[object], object]] = {
    "wrong_types": _wrong_types,
    "number_for_tree": _number_for_tree,
    "deep": _deep,
    "nan": _nan,
    "odd_names": _odd_names,
}


def _unchanged(page: bytes) -> bytes:
    return page


def _samples(page: bytes, change: Callable[[bytes], bytes], limit: int) -> bytes:
    lines = page.split(b"\n")
    for i, line in enumerate(lines):
        if line and not line.startswith(b"#") and limit:
            name, _, value = line.rpartition(b" ")
            lines[i] = name + b" " + change(value)
            limit -= 1
    return b"\n".join(lines)


_PAGES: Mapping[str, Callable[[bytes], bytes]] = {
    "wrong_types": lambda page: _samples(page, lambda _: b"many", -1),
    "number_for_tree": lambda _: b"42\n",
    "nan": lambda page: _samples(page, lambda _: b"NaN", 1),
    "odd_names": lambda page: page + b'odd{with_quote="\\"",line="a\\nb",back="\\\\",comma=",}"} 1\nno such name 2\n',
}
