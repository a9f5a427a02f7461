"""Line protocol on a stream: to standard output for people and pipes, and for Telegraf's `execd` input."""

from __future__ import annotations

import asyncio
import queue
import select
import threading
from collections.abc import Callable, Sequence
from io import FileIO

from collector.about import About
from collector.readings import Reading
from collector.targets import Target
from exporters.lineprotocol import encode

BUFFER_BYTES = 16 * 2**20
"""What waits at most for a reader that does not read; the readings of newer gathers are dropped beyond it."""

_Block = tuple[bytes, int, int]  # lines, readings, fields


class Stream:
    """Writes each gather's lines at once, in a thread of its own: a reader that stops stops nobody.

    The stream is unbuffered: a thread that waits within a buffered one for good keeps its lock, and Python aborts at
    exit for want of it. `gone` is called on the event loop, once, when the other end is gone.
    """

    def __init__(self, name: str, stream: FileIO, about: About, gone: Callable[[], None]) -> None:
        self.name = name
        self.broken = False
        """Whether the other end is gone."""
        self._stream = stream
        self._about = about
        self._gone = gone
        self._waiting: queue.SimpleQueue[_Block | None] = queue.SimpleQueue()
        self._bytes = self._readings = 0
        self._given_up = False
        self._lock = threading.Lock()
        self._writer = threading.Thread(target=self._write, name=f"chainwatch-{name}", daemon=True)
        self._loop: asyncio.AbstractEventLoop | None = None

    async def start(self) -> None:
        """Begin to write."""
        self._loop = asyncio.get_running_loop()
        self._about.gauge("buffer_limit_bytes", self.name).set(BUFFER_BYTES)
        self._writer.start()

    def take(self, readings: Sequence[Reading], interval: float) -> None:  # noqa: ARG002 - lines don't age
        """Queue the readings' lines."""
        lines = [line for reading in readings if (line := encode(reading))]
        fields = sum(len(reading.values) for reading in readings)
        block = b"".join(lines)
        unwritable = len(readings) - len(lines)
        if self.broken or self._bytes + len(block) > BUFFER_BYTES:
            unwritable, block = len(readings), b""
        if unwritable:
            self._about.counter("readings_dropped_total", self.name).inc(unwritable)
        if block:
            self._count(len(block), len(lines))
            self._waiting.put((block, len(lines), fields))

    def follow(self, targets: Sequence[Target]) -> None:
        """Do nothing: what was written was said of its time."""

    async def close(self, within: float) -> None:
        """Write what is queued, for so many seconds at most."""
        self._waiting.put(None)
        if self._writer.is_alive():
            await asyncio.to_thread(self._writer.join, within)
        if self._readings:
            self._given_up = True
            self._about.counter("readings_dropped_total", self.name).inc(self._readings)

    def _write(self) -> None:
        while (block := self._waiting.get()) and not self._given_up:
            lines, readings, fields = block
            try:
                write_all(self._stream, lines)
            except OSError:
                self._about.counter("output_errors_total", self.name).inc()
                self._about.counter("readings_dropped_total", self.name).inc(readings)
                self._break()
            else:
                self._about.counter("readings_delivered_total", self.name).inc(readings)
                self._about.counter("fields_delivered_total", self.name).inc(fields)
            self._count(-len(lines), -readings)

    def _break(self) -> None:
        if not self.broken and self._loop and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._gone)
        self.broken = True

    def _count(self, size: int, readings: int) -> None:
        with self._lock:
            self._bytes += size
            self._readings += readings
        self._about.gauge("buffer_bytes", self.name).set(self._bytes)
        self._about.gauge("buffer_readings", self.name).set(self._readings)


def write_all(stream: FileIO, data: bytes) -> None:
    """Write all of it: a pipe may take a part at a time, or nothing for now where another process made it so.

    Raises OSError where the other end is gone.
    """
    rest = memoryview(data)
    while rest:
        written = stream.write(rest)
        if written is None:
            select.select((), (stream,), ())
        else:
            rest = rest[written:]
