"""From a node's answer to line protocol: the recorded document of geth 1.10.26, 2,300 figures in 118 kB.

Beside it: decoding alone, which no way can do without, and influxdb-client's Point with the same fields.
"""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path

import orjson
from influxdb_client.client.write.point import Point

from benchmarks.timing import compare, report
from collector.paths import field_name
from collector.readings import Reading
from collector.remarks import Remarks
from collector.shapes import Shapes
from collector.sources.ethereum.metrics import flat_names
from collector.sources.ethereum.raw import RawMetrics
from collector.targets import Target
from exporters.lineprotocol import encode

RECORDED = Path(__file__).parent.parent / "compose/simulated/recorded/geth-1.10.26-http-debug-metrics.json"
TARGET = Target("bench", "ethereum", "node", "http://127.0.0.1:8545", metrics=("*",))


def main() -> None:
    """Print the times, everything of the document selected."""
    body = RECORDED.read_bytes()
    shapes = Shapes(TARGET.tags)
    raw = RawMetrics(TARGET, shapes, Remarks(logging.getLogger("bench"), "bench"))

    document = orjson.loads(body)
    asyncio.run(_learn(raw, body))
    names = flat_names(document)
    known = {key: field_name(names((key,)) or ()) for key, value in document.items() if isinstance(value, int | float)}

    def ours() -> bytes:
        shapes.begin()
        return encode(_readings(raw, body))

    def point() -> str:
        document = orjson.loads(body)
        line = Point("geth").tag("server", "127.0.0.1").tag("port", "8545").tag("node", "node").time(1)
        for key, name in known.items():  # names at hand, as ours are after the first gather
            line.field(name, document[key])
        return str(line.to_line_protocol())

    assert ours().count(b"=") - 4 == point().count("=") - 3 == len(known), "not the same fields"
    decoding, mine, theirs = "decoding alone (orjson)", "decoding and line (chainwatch)", "decoding and Point"
    times = compare({decoding: lambda: orjson.loads(body), mine: ours, theirs: point})
    report(f"gathering {len(known):,} fields into line protocol", times, decoding)
    print(f"  chainwatch is {times[theirs] / times[mine]:.1f} times as fast as influxdb-client's Point")


async def _learn(raw: RawMetrics, body: bytes) -> None:
    for _ in range(5):  # the form is learned at the first gather, and decoded by it once it has proved to hold
        await raw.readings(body, flat=True)


def _readings(raw: RawMetrics, body: bytes) -> Reading:
    """Return the reading; once the form is learned there is nothing to wait for, so no loop is needed."""
    try:
        raw.readings(body, flat=True).send(None)
    except StopIteration as done:
        [reading] = done.value
        assert isinstance(reading, Reading)
        return reading
    raise AssertionError("the form was learned already")


if __name__ == "__main__":
    main()
