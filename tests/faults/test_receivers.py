"""Receivers of alerts that answer with anything but HTTP: what is told of it is one line, and nothing grows."""

from __future__ import annotations

import asyncio
import tracemalloc
from contextlib import suppress

import pytest

from collector.configuration.alerting import Channel
from exporters.notify.ways import NotSent, way_of
from tests.exporters.notify.notices import message
from tests.helpers import run

SECRET = "hunter2-and-more"


async def sent(answer: bytes, endless: bytes = b"") -> NotSent | None:
    """Send an alert to a server that answers so, and goes on without end if there is more."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            await reader.readuntil(b"\r\n\r\n")
            writer.write(answer)
            await writer.drain()
            while endless:
                writer.write(endless)
                await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    url = f"http://u:{SECRET}@127.0.0.1:{server.sockets[0].getsockname()[1]}/{SECRET}"
    way = way_of(Channel.model_validate({"webhook": {"url": url}}))
    try:
        await way.send(message())
    except NotSent as failure:
        return failure
    finally:
        await way.close()
        server.close()
    return None


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (b"", "cut_off"),
        (b"\0" * 100, "not_http"),
        (b"220 mail.example ready\r\n", "not_http"),
        (b"HTTP/1.1 200 OK\r\nContent-Le", "cut_off"),
        (f"HTTP/1.1 500 {SECRET}\r\nContent-Length: 30\r\n\r\n{SECRET}".encode(), "500"),
        (b"HTTP/1.1 999 ?\r\nContent-Length: 0\r\n\r\n", "999"),
    ],
)
def test_an_answer_that_is_none(answer: bytes, kind: str) -> None:
    failure = run(sent(answer))
    assert failure is not None
    assert failure.kind == kind
    assert SECRET not in str(failure)
    assert "\n" not in str(failure)


@pytest.mark.parametrize("status", [200, 500])
def test_an_answer_without_end(status: int) -> None:
    head = f"HTTP/1.1 {status} x\r\nContent-Length: 99999999999\r\n\r\n".encode()
    tracemalloc.start()
    failure = run(sent(head, b"x" * 2**16))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (failure is None) == (status == 200)  # it has said yes, and never finished to say why
    assert peak < 16 * 2**20
