"""One process of a load. It reads lines of JSON, its Share and then when to start, and writes what it has counted.

A third line, or the end of its input, ends it early: it never outlives the process that started it by much.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import sys

import msgspec

from compose.connections import loop_factory, raise_file_limit
from compose.load.generator import Generator
from compose.load.plan import Share
from compose.load.strain import Meter, Strain
from compose.load.tally import Counted, Tally

EVERY = 0.25
"""Seconds between two accounts of what was counted so far."""

_LONGEST_LINE = 2**20
_LAST_WORDS = 5.0


class Start(msgspec.Struct, frozen=True):
    """When to start, on the machine's monotonic clock."""

    at: float


class Account(msgspec.Struct, frozen=True):
    """What was counted so far; of a process that is ready to start, nothing. The last one has `over`."""

    counted: Counted | None = None
    strain: Strain | None = None
    over: bool = False


def main() -> int:
    """Do a share of a load as standard input says."""
    raise_file_limit()
    gc.freeze()  # what was imported stays: no need to go through it again and again
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        return runner.run(_run())


class _Output(asyncio.BaseProtocol):
    """Standard output. `closed` is done when nothing more can be written."""

    def __init__(self) -> None:
        self.closed = asyncio.get_running_loop().create_future()

    def connection_lost(self, _: Exception | None) -> None:
        """Note that it is closed."""
        self.closed.set_result(None)


async def _run() -> int:
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(limit=_LONGEST_LINE)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    writer, output = await loop.connect_write_pipe(_Output, sys.stdout)
    share = msgspec.json.decode(await reader.readline(), type=Share)
    writer.write(_line(Account()))
    if not (line := await reader.readline()):
        return 0
    await _make(share, msgspec.json.decode(line, type=Start).at, reader, writer)
    writer.close()  # once all is written
    await asyncio.wait([output.closed], timeout=_LAST_WORDS)
    return 0


async def _make(share: Share, start: float, reader: asyncio.StreamReader, writer: asyncio.WriteTransport) -> None:
    tally, meter = Tally(), Meter()
    meter.start()
    making = asyncio.create_task(Generator(share, tally).run(start))
    stopped = asyncio.create_task(reader.readline())
    while not (await asyncio.wait({making, stopped}, timeout=EVERY, return_when=asyncio.FIRST_COMPLETED))[0]:
        if not writer.get_write_buffer_size():  # else nobody reads at present, and there will be a newer one
            writer.write(_line(Account(tally.counted(), meter.read())))
    last = meter.read()
    making.cancel()
    stopped.cancel()
    await asyncio.gather(stopped, return_exceptions=True)
    with contextlib.suppress(asyncio.CancelledError):
        await making
    meter.stop()
    writer.write(_line(Account(tally.counted(), last, over=True)))


def _line(account: Account) -> bytes:
    return msgspec.json.encode(account) + b"\n"
