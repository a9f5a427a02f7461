"""The InfluxDB exporter against a real InfluxDB 1.x and a real VictoriaMetrics: what is said is what arrives."""

from __future__ import annotations

import asyncio
import json
import logging
import math
import random
import re
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from collector.readings import Field, Kind, Reading, Shape
from compose.simulated.documents import GETH_METRICS, GETH_PAGES
from exporters.influxdb.buffer import Line
from tests.helpers import run
from tests.influxdb.delivering import Delivery, delivering, until
from tests.influxdb.delivering import reading as small_reading
from tests.real.databases import InfluxDb, VictoriaMetrics, influxdb, victoria_metrics
from tests.real.servers import fetch

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def influx(tmp_path_factory: pytest.TempPathFactory) -> Iterator[InfluxDb]:
    """Run one InfluxDB for all tests that leave it as it is; each uses a database of its own."""
    with influxdb(tmp_path_factory.mktemp("influx")) as server:
        yield server


@pytest.fixture(scope="module")
def victoria(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VictoriaMetrics]:
    """Run one VictoriaMetrics for all tests; each uses measurements of its own."""
    with victoria_metrics(tmp_path_factory.mktemp("victoria")) as server:
        yield server


def flattened(document: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, float]]:
    """Yield every number of a node's document by its path, lower-cased and joined with "_"."""
    for key, value in document.items():
        name = re.sub(r"[./\s-]+", "_", f"{path}_{key}" if path else key).lower()
        if isinstance(value, dict):
            yield from flattened(value, name)
        elif isinstance(value, int | float) and not isinstance(value, bool):
            yield name, value


def recorded(version: str) -> Reading:
    """Return the whole recorded document of a geth as one reading of now."""
    document = GETH_METRICS if version == "1.8.27" else GETH_PAGES[version]
    numbers = dict(flattened(document))
    tags = {"chain": "lab", "node": version, "role": "sealer", "server": "127.0.0.1", "port": "8545"}
    return Reading(Shape("geth", tags, [Field(name) for name in numbers]), list(numbers.values()), time.time_ns())


def awkward() -> Reading:
    """Return a reading of floats that take every digit to write, and of names that need escaping."""
    rng = random.Random(4)
    values: dict[str, float] = {f"f{n}": rng.uniform(-1, 1) * 10 ** rng.randint(-300, 300) for n in range(500)}
    values |= {"smallest": 5e-324, "largest": 1.7976931348623157e308, "zero": -0.0, "wei": 10**24, "odd": 2**53 - 1}
    values |= {"a, b=c": 0.1, "é ü": 1 / 3}
    tags = {"chain": 'l a,b=c"', "ü": "é"}
    return Reading(Shape("awkward", tags, [Field(name) for name in values]), list(values.values()), time.time_ns())


def numbers(reading: Reading) -> dict[str, float]:
    """Return a reading's fields as the floats that they are written as."""
    return {name: float(value) for name, value in reading.as_dict().items()}


async def deliver(url: str, *readings: Reading, **settings: Any) -> Delivery:  # noqa: ANN401 - any setting
    """Deliver readings; return the figures after the end."""
    async with delivering(url, closing=10, **settings) as delivery:
        delivery.take(*readings)
    return delivery


async def deliver_lines(url: str, *lines: str, **settings: Any) -> Delivery:  # noqa: ANN401 - any setting
    """Deliver lines that no reading would become."""
    async with delivering(url, closing=10, flush_interval=60, **settings) as delivery:
        delivery.take(small_reading())
        for line in lines:
            delivery.exporter._buffer.append(Line(line.encode() + b"\n", 1))
    return delivery


VERSIONS = pytest.mark.parametrize(("version", "least"), [("1.8.27", 400), ("1.10.26", 2000)])


@VERSIONS
def test_every_field_of_a_node_reads_back_from_influxdb(influx: InfluxDb, version: str, least: int) -> None:
    reading = recorded(version)
    assert len(reading.values) > least
    delivery = run(deliver(influx.url, reading, database=f"geth {version}"))
    assert delivery.delivered == 1
    assert delivery.counter("fields_delivered_total") == len(reading.values)
    [point] = influx.select("SELECT * FROM geth", f"geth {version}")
    assert point == {"time": reading.time_ns, **dict(reading.shape.tags), **numbers(reading)}


@VERSIONS
def test_every_field_of_a_node_reads_back_from_victoria_metrics(
    victoria: VictoriaMetrics, version: str, least: int
) -> None:
    reading = recorded(version)
    assert len(reading.values) > least
    run(deliver(victoria.url, reading))
    series = victoria.export(f'{{__name__=~"geth_.*",node="{version}"}}')
    labels = {**dict(reading.shape.tags), "db": "chain"}
    found = {one["metric"].pop("__name__").removeprefix("geth_"): one["values"] for one in series}
    assert all(one["metric"] == labels for one in series)
    assert all(one["timestamps"] == [reading.time_ns // 1_000_000] for one in series)
    assert found == stored_by(victoria, numbers(reading))
    for name, value in numbers(reading).items():
        assert math.isclose(found[name][0], value, rel_tol=1.01e-12), name


def stored_by(victoria: VictoriaMetrics, values: Mapping[str, float]) -> dict[str, list[float]]:
    """Return what VictoriaMetrics has of values that it was given as JSON, in its own format.

    It keeps 12 significant digits at least, not all 17: what it got by line protocol can be no nearer than this.
    """
    batch = f"given{time.monotonic_ns()}"
    document = [
        {"metric": {"__name__": batch, "name": name}, "values": [value], "timestamps": [time.time_ns() // 1_000_000]}
        for name, value in values.items()
    ]
    lines = "\n".join(json.dumps(one) for one in document)
    assert fetch(f"{victoria.url}/api/v1/import", lines.encode()).status == 204
    return {one["metric"]["name"]: one["values"] for one in victoria.export(batch)}


def test_awkward_numbers_and_names_read_back_from_influxdb(influx: InfluxDb) -> None:
    reading = awkward()
    run(deliver(influx.url, reading, database="awkward"))
    [point] = influx.select("SELECT * FROM awkward", "awkward")
    assert point == {"time": reading.time_ns, **dict(reading.shape.tags), **numbers(reading)}


def test_awkward_numbers_and_names_read_back_from_victoria_metrics(victoria: VictoriaMetrics) -> None:
    reading = awkward()
    run(deliver(victoria.url, reading))
    series = victoria.export('{__name__=~"awkward_.*"}')
    assert all(one["metric"]["chain"] == 'l a,b=c"' for one in series)
    found = {one["metric"]["__name__"].removeprefix("awkward_"): one["values"] for one in series}
    assert found == stored_by(victoria, numbers(reading))


def test_text_reads_back_from_influxdb(influx: InfluxDb) -> None:
    text = 'a "b" \\ c\nd, é='
    shape = Shape("text", {}, [Field("hash", Kind.TEXT), Field("peers")])
    run(deliver(influx.url, Reading(shape, [text, 3], 1), database="text"))
    assert influx.select("SELECT * FROM text", "text") == [{"time": 1, "hash": text.replace("\n", "\\n"), "peers": 3}]


def test_the_servers_are_known(influx: InfluxDb, victoria: VictoriaMetrics, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    run(deliver(influx.url, small_reading(), database="known"))
    run(deliver(victoria.url, small_reading(), org="o", bucket="b"))
    assert re.search(r"found InfluxDB 1\.\d+\.\S+; lines go to database 'known' at /write", caplog.text)
    assert "the database 'known' was missing: created" in caplog.text
    assert "found VictoriaMetrics; lines go to bucket 'b' at /api/v2/write" in caplog.text


def test_a_bucket_is_a_database_and_its_policy_in_influxdb_1(influx: InfluxDb) -> None:
    influx.query('CREATE DATABASE "bucket"')
    influx.query('CREATE RETENTION POLICY "week" ON "bucket" DURATION 100000h REPLICATION 1')
    reading = recorded("1.8.27")
    delivery = run(deliver(influx.url, reading, org="o", bucket="bucket/week"))
    assert delivery.delivered == 1
    assert len(influx.select("SELECT * FROM bucket.week.geth", "bucket")) == 1


NOW = time.time_ns()
THEN = 1_700_000_000_000_000_000  # the time of small readings
REFUSED_LINES: dict[str, tuple[tuple[str, ...], int]] = {
    "good lines only": ((), 0),
    "lines that don't parse": (("bad", "m,a a=1 1", f"ok value=1 {NOW}", "worse"), 3),
    "a field of two types": ((f'm,t=1 value="x" {THEN}', f"m,t=2 value=1 {THEN}", f'm,t=3 value="y" {THEN}'), 2),
    "before the retention policy": (("ok value=1 1000", f"ok value=1 {NOW}"), 2),
}
"""Lines beside a good one of the year 2023, and how many are refused."""


@pytest.mark.parametrize("name", REFUSED_LINES)
def test_lines_that_influxdb_refuses_are_counted(influx: InfluxDb, name: str) -> None:
    lines, refused = REFUSED_LINES[name]
    influx.query(f'CREATE DATABASE "{name}"' + (" WITH DURATION 1h" if "retention" in name else ""))
    delivery = run(deliver_lines(influx.url, *lines, database=name))
    assert (delivery.dropped, delivery.delivered) == (refused, 1 + len(lines) - refused)
    found = sum(len(influx.select(f"SELECT value FROM {measurement}", name)) for measurement in ("m", "ok"))
    assert found == delivery.delivered


def test_all_lines_refused(influx: InfluxDb) -> None:
    influx.query('CREATE DATABASE "hopeless"')

    async def check() -> None:
        async with delivering(influx.url, 10, flush_interval=60, database="hopeless") as delivery:
            for number in range(3000):
                delivery.exporter._buffer.append(Line(f"bad{number}\n".encode(), 1))
        assert (delivery.dropped, delivery.delivered) == (3000, 0)
        assert delivery.counter("output_errors_total") < 20  # the explanation of each is too long to read at first

    run(check())


def test_a_line_that_victoria_metrics_finds_too_long(victoria: VictoriaMetrics) -> None:
    long = Shape("long", {}, [Field(f"field_{n}") for n in range(30_000)])
    readings = [small_reading(n, "beside") for n in range(4)]
    delivery = run(deliver(victoria.url, *readings, Reading(long, [1.5] * 30_000, NOW), batch_bytes=2_000_000))
    assert (delivery.dropped, delivery.delivered) == (1, 4)
    [series] = victoria.export("beside_value")
    assert set(series["values"]) == {0, 1, 2, 3}  # it may store a line twice that was sent twice


def test_users_of_influxdb(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with influxdb(tmp_path, authorised=True) as server:
        assert server.query("CREATE USER root WITH PASSWORD 'pw' WITH ALL PRIVILEGES").status == 200
        root = {"Authorization": "Basic cm9vdDpwdw=="}
        assert server.query("CREATE USER bob WITH PASSWORD 'pw'", headers=root).status == 200

        delivery = run(deliver(server.url, small_reading(), username="root", password="pw"))
        assert delivery.delivered == 1
        delivery = run(deliver(server.url, small_reading(), org="o", bucket="chain/autogen", token="root:pw"))
        assert delivery.delivered == 1

        async def refused(**settings: str) -> None:
            async with delivering(server.url, 0, **dict[str, Any](settings)) as delivery:
                delivery.take(small_reading())
                await until(lambda: delivery.counter("output_errors_total") > 0)
                await asyncio.sleep(0.1)
                assert delivery.gauge("buffer_readings") == 1

        run(refused(username="root", password="wrong"))
        assert "HTTP 401: authorization failed; check the token, or username and password" in caplog.text
        run(refused(username="bob", password="pw"))
        assert 'HTTP 403: "bob" user is not authorized to write' in caplog.text
        run(refused(username="bob", password="pw", database="new"))
        assert "the database 'new' is missing and may not be created: HTTP 403" in caplog.text


def test_nothing_is_lost_while_influxdb_restarts(tmp_path: Path) -> None:
    async def check(server: InfluxDb) -> None:
        async with delivering(server.url, closing=20, flush_interval=0.02) as delivery:
            for number in range(300):
                delivery.take(small_reading(number))
                if number == 100:
                    await asyncio.to_thread(server.stop)
                if number == 200:
                    await asyncio.to_thread(server.start)
                await asyncio.sleep(0.002)
        assert (delivery.delivered, delivery.dropped) == (300, 0)
        assert delivery.counter("output_errors_total") > 0

    with influxdb(tmp_path) as server:
        run(check(server), timeout=60)
        assert [point["value"] for point in server.select("SELECT value FROM m", "chain")] == list(range(300))
