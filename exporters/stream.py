"""Line protocol on a stream: to standard output for people and pipes, and for Telegraf's `execd` input."""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Sequence
from typing import BinaryIO

from collector.about import About
from collector.readings import Reading
from exporters.lineprotocol import encode

BUFFER_BYTES = 16 * 2**20
"""What waits at most for a reader that does not read; the readings of newer gathers are dropped beyond it."""

_Block = tuple[bytes, int, int]  # lines, readings, fields


class Stream:
    """Writes each gather's lines at once and flushes, in a thread of its own: a reader that stops stops nobody."""

    def __init__(self, name: str, stream: BinaryIO, about: About) -> None:
        self.name = name
        self._stream = stream
        self._about = about
        self._waiting: queue.SimpleQueue[_Block | None] = queue.SimpleQueue()
        self._bytes = 0
        self._lock = threading.Lock()
        self._writer = threading.Thread(target=self._write, name=f"chainwatch-{name}", daemon=True)
        self.broken = asyncio.Event()
        """Set when the other end is gone."""
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
        if self.broken.is_set() or self._bytes + len(block) > BUFFER_BYTES:
            unwritable, block = len(readings), b""
        if unwritable:
            self._about.counter("readings_dropped_total", self.name).inc(unwritable)
        if block:
            self._count(len(block))
            self._waiting.put((block, len(lines), fields))

    async def close(self, within: float) -> None:
        """Write what is queued, for so many seconds at most."""
        self._waiting.put(None)
        if self._writer.is_alive():
            await asyncio.to_thread(self._writer.join, within)

    def _write(self) -> None:
        while block := self._waiting.get():
            lines, readings, fields = block
            try:
                self._stream.write(lines)
                self._stream.flush()
            except (OSError, ValueError):  # the pipe's other end is gone, or the stream was closed
                self._about.counter("output_errors_total", self.name).inc()
                self._about.counter("readings_dropped_total", self.name).inc(readings)
                if self._loop and not self._loop.is_closed():
                    self._loop.call_soon_threadsafe(self.broken.set)
            else:
                self._about.counter("readings_delivered_total", self.name).inc(readings)
                self._about.counter("fields_delivered_total", self.name).inc(fields)
            self._count(-len(lines))

    def _count(self, size: int) -> None:
        with self._lock:
            self._bytes += size
        self._about.gauge("buffer_bytes", self.name).set(self._bytes)
