"""Lines on a stream: all of them, or counted as dropped, and never more in memory than was promised."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from io import FileIO
from typing import NamedTuple

import pytest

from collector.about import About
from collector.readings import Field, Kind, Reading, Shape
from exporters.lineprotocol import encode
from exporters.stream import BUFFER_BYTES, Stream
from tests.helpers import run

SHAPE = Shape("chain", {"node": "a"}, [Field("text", Kind.TEXT), Field("number")])


class Pipe(NamedTuple):
    """The two ends of a pipe."""

    reader: FileIO
    writer: FileIO


@pytest.fixture
def pipe() -> Iterator[Pipe]:
    """Open a pipe."""
    reader, writer = os.pipe()
    with FileIO(reader) as reading, FileIO(writer, "w") as writing:
        yield Pipe(reading, writing)


def reading(size: int, number: int = 1) -> Reading:
    """Return a reading whose line is a little longer than `size`."""
    return Reading(SHAPE, ["x" * size, number], 17)


def figures(about: About) -> dict[str, float]:
    """Return what the stream's metrics say."""
    return {
        sample.name.removeprefix("chainwatch_"): sample.value
        for metric in about.registry.collect()
        for sample in metric.samples
        if sample.labels == {"output": "stdout"} and not sample.name.endswith("_created")
    }


def test_a_reader_that_stops_costs_bounded_memory_and_all_that_is_lost_is_counted(pipe: Pipe) -> None:
    about = About()

    async def fill() -> None:
        stream = Stream("stdout", pipe.writer, about, lambda: None)
        await stream.start()
        for _ in range(30):
            stream.take([reading(2**20)], 1.0)
        told = figures(about)
        assert BUFFER_BYTES - 2**21 < told["buffer_bytes"] <= BUFFER_BYTES
        assert told["buffer_readings"] + told["readings_dropped_total"] == 30
        await stream.close(0.05)
        assert figures(about)["readings_dropped_total"] == 30
        pipe.reader.close()
        await asyncio.to_thread(stream._writer.join, 5)  # the rest is given up

    run(fill())


def test_a_pipe_that_another_process_made_impatient_gets_every_byte(pipe: Pipe) -> None:
    """A shell's job, or ssh, may leave a pipe that refuses rather than waits."""
    os.set_blocking(pipe.writer.fileno(), False)
    about = About()
    sent = [reading(100_000, number) for number in range(5)]
    expected = b"".join(encode(each) for each in sent)

    def read() -> bytes:
        found = b""
        while len(found) < len(expected) and (chunk := os.read(pipe.reader.fileno(), 10_000)):
            found += chunk
        return found

    async def write() -> bytes:
        stream = Stream("stdout", pipe.writer, about, lambda: None)
        await stream.start()
        stream.take(sent, 1.0)
        found = await asyncio.to_thread(read)
        await stream.close(1.0)
        return found

    assert run(write()) == expected
    told = figures(about)
    assert (told["readings_delivered_total"], told["fields_delivered_total"]) == (5, 10)
    assert (told["buffer_bytes"], told["buffer_readings"]) == (0, 0)
    assert "readings_dropped_total" not in told


def test_a_reader_that_is_gone_is_told_once(pipe: Pipe) -> None:
    about = About()
    gone: list[str] = []

    async def write() -> None:
        stream = Stream("stdout", pipe.writer, about, lambda: gone.append("gone"))
        await stream.start()
        pipe.reader.close()
        for _ in range(3):
            stream.take([reading(10)], 1.0)
            await asyncio.sleep(0.02)
        assert stream.broken
        await stream.close(1.0)

    run(write())
    assert gone == ["gone"]
    assert figures(about)["readings_dropped_total"] == 3
