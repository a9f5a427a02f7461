"""Loads made within the test's own process, each of one process's share."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

import msgspec
import uvloop

from compose.load.calls import GET_INFO, call
from compose.load.generator import Generator
from compose.load.plan import Load, Share
from compose.load.tally import Tally
from tests.compose.load.behaving import Behaving
from tests.helpers import _supervised

T = TypeVar("T")

Loops = Callable[[], asyncio.AbstractEventLoop]
USUAL = Load(
    url="http://127.0.0.1:1",
    hostname="127.0.0.1",
    host="127.0.0.1:1",
    port=1,
    tls=False,
    addresses=["127.0.0.1"],
    call=call(GET_INFO, "/", None),
    workers=20,
    requests=1000,
    processes=1,
    rate=None,
    ceiling=None,
    late=1.0,
    timeout=10.0,
    new_connections=False,
)


def run(coro: Coroutine[Any, Any, T], loops: Loops = uvloop.new_event_loop, timeout: float = 30.0) -> T:
    """Run a test as `tests.helpers.run` does, on this sort of loop: they differ in how connections end."""
    with asyncio.Runner(loop_factory=loops) as runner:
        return runner.run(_supervised(coro, timeout))


async def until(true: Callable[[], object], within: float = 10.0, every: float = 0.02) -> None:
    """Wait until something is true."""
    end = time.monotonic() + within
    while not true():
        assert time.monotonic() < end
        await asyncio.sleep(every)


def a_load(server: Behaving | int, **changes: object) -> Load:
    """Return a load of a server, or a port."""
    port = server if isinstance(server, int) else server.port
    address = f"127.0.0.1:{port}"
    changed = {"url": f"http://{address}", "host": address, "port": port, **changes}
    return msgspec.structs.replace(USUAL, **changed)


async def make(server: Behaving | int, **changes: object) -> Tally:
    """Make a load and return what was counted."""
    tally = Tally()
    await Generator(Share(a_load(server, **changes), 0), tally).run(time.monotonic())
    return tally
