"""The exporter against servers that work as they should, each in its own way of saying no."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collector.readings import Field, Kind, Reading, Shape
from exporters.influxdb.buffer import OVERHEAD
from tests.helpers import run
from tests.influxdb.delivering import delivering, line, reading, serving, until
from tests.influxdb.fakes import cuts, says

KINDS = ["1", "2", "3", "3 partial", "victoria", "unknown"]


@pytest.mark.parametrize("kind", KINDS)
def test_readings_arrive(kind: str) -> None:
    async def check() -> None:
        async with serving(kind) as server, delivering(server) as delivery:
            delivery.take(*map(reading, range(3)))
            await delivery.done()
            assert server.stored == [line(0), line(1), line(2)]
            assert delivery.delivered == 3
            assert delivery.counter("fields_delivered_total") == 6
            assert delivery.dropped == 0
            assert delivery.gauge("buffer_bytes") == 0
            assert delivery.counter("output_errors_total") == (1 if kind == "unknown" else 0)  # its /ping
            assert 0 < delivery.counter("output_seconds_total") < 5
            assert len(server.writes) == 1

    run(check())


@pytest.mark.parametrize("kind", KINDS)
def test_good_lines_arrive_whatever_stands_between_them(kind: str) -> None:
    async def check() -> None:
        async with serving(kind) as server, delivering(server) as delivery:
            readings = [reading(n, "bad" if n in {3, 4, 11} else "m") for n in range(20)]
            delivery.take(*readings)
            await delivery.done()
            good = [line(n) for n in range(20) if n not in {3, 4, 11}]
            assert sorted(server.stored) == sorted(good)
            expected = 0 if kind == "victoria" else 3  # it does not say
            assert delivery.dropped == expected
            assert delivery.delivered == 20 - expected
            assert delivery.counter("fields_delivered_total") == 2 * (20 - expected)

    run(check())


@pytest.mark.parametrize("kind", ["1", "2", "3", "3 partial"])
def test_conflicts_are_counted(kind: str) -> None:
    async def check() -> None:
        async with serving(kind) as server, delivering(server) as delivery:
            delivery.take(*(reading(n, "conflict" if n % 3 == 0 else "m") for n in range(9)))
            await delivery.done()
            assert delivery.dropped == 3
            assert delivery.delivered == 6
            assert len(server.stored) == 6

    run(check())


@given(bad=st.lists(st.booleans(), min_size=1, max_size=40), kind=st.sampled_from(["1", "2", "3", "unknown"]))
@settings(max_examples=25)
def test_exactly_the_good_lines_arrive_once_each(bad: list[bool], kind: str) -> None:
    async def check() -> None:
        async with serving(kind) as server, delivering(server) as delivery:
            delivery.take(*(reading(n, "bad" if is_bad else "m") for n, is_bad in enumerate(bad)))
            await delivery.done()
            assert server.stored == [line(n) for n, is_bad in enumerate(bad) if not is_bad]
            assert delivery.dropped == sum(bad)
            assert delivery.delivered == len(bad) - sum(bad)

    run(check())


def test_one_bad_line_among_thousands_costs_few_requests() -> None:
    async def check() -> None:
        async with serving("2") as server, delivering(server) as delivery:
            delivery.take(*(reading(n, "bad" if n == 1234 else "m") for n in range(4096)))
            await delivery.done()
            assert len(server.stored) == 4095
            assert len(server.writes) == 1 + 2 * 12

    run(check())


def test_a_bad_line_is_quoted_short_and_printable(caplog: pytest.LogCaptureFixture) -> None:
    async def check() -> None:
        async with serving("2") as server, delivering(server) as delivery:
            fields = [Field(f"field{n}") for n in range(200)]
            shape = Shape("bad\u202e", {"tag": "\u0085x"}, fields)
            delivery.take(Reading(shape, [1] * 200, 1), Reading(shape, [1] * 200, 2))
            await delivery.done()
            assert delivery.dropped == 2

    run(check())
    told = [record.getMessage() for record in caplog.records if "refuses" in record.getMessage()]
    assert len(told) == 1  # the second only counts
    assert "bad\\u202e,tag=" in told[0]
    assert told[0].isprintable()
    assert len(told[0]) < 700


def test_batches_are_bounded() -> None:
    async def check() -> None:
        async with serving() as server:
            async with delivering(
                server, flush_interval=0.2, batch_bytes=10 * (len(line()) + 1 + OVERHEAD)
            ) as delivery:
                delivery.take(*(reading() for _ in range(25)))
                await until(lambda: len(server.writes) == 2)
                assert [len(request.lines) for request in server.writes] == [10, 10]
                await delivery.done()
                assert [len(request.lines) for request in server.writes] == [10, 10, 5]
            async with delivering(server) as delivery:
                delivery.take(*(reading() for _ in range(5_001)))
                await delivery.done()
                assert [len(request.lines) for request in server.writes[3:]] == [5_000, 1]

    run(check())


def test_readings_wait_for_each_other_and_go_at_once_when_a_batch_is_full() -> None:
    async def check() -> None:
        async with serving() as server, delivering(server, flush_interval=0.8, batch_bytes=50_000) as delivery:
            began = time.monotonic()
            delivery.take(reading(1))
            await asyncio.sleep(0.05)
            delivery.take(reading(2))
            await delivery.done()
            assert time.monotonic() - began > 0.75
            assert len(server.writes) == 1
            began = time.monotonic()
            delivery.take(*map(reading, range(400)))
            await until(lambda: len(server.writes) > 1)
            assert time.monotonic() - began < 0.75

    run(check())


def test_requests_are_compressed_on_one_connection_and_ask_for_plain_answers() -> None:
    async def check() -> None:
        async with serving() as server, delivering(server) as delivery:
            for turn in range(3):
                delivery.take(*map(reading, range(2000)))
                await until(lambda turn=turn: len(server.stored) == 2000 * (turn + 1))  # type: ignore[misc]
            assert server.connections == 1
            for request in server.writes:
                assert request.headers["Content-Encoding"] == "gzip"
                assert int(request.headers["Content-Length"]) < len(request.body) / 4
            assert {request.headers["Accept-Encoding"] for request in server.requests} == {"identity"}

    run(check())


@pytest.mark.parametrize(
    ("kind", "chosen", "path", "query"),
    [
        ("1", {"database": "chain"}, "/write", {"db": "chain", "precision": "ns"}),
        ("1", {"org": "o", "bucket": "chain/week"}, "/write", {"db": "chain", "rp": "week", "precision": "ns"}),
        ("2", {"org": "o", "bucket": "b"}, "/api/v2/write", {"org": "o", "bucket": "b", "precision": "ns"}),
        ("2", {"database": "d"}, "/write", {"db": "d", "precision": "ns"}),
        ("3", {"org": "", "bucket": "b"}, "/api/v2/write", {"org": "", "bucket": "b", "precision": "ns"}),
        ("victoria", {"database": "d"}, "/write", {"db": "d", "precision": "ns"}),
        ("unknown", {"org": "o", "bucket": "b"}, "/api/v2/write", {"org": "o", "bucket": "b", "precision": "ns"}),
    ],
)
def test_the_server_decides_where_lines_go(kind: str, chosen: dict[str, Any], path: str, query: dict[str, str]) -> None:
    async def check() -> None:
        async with serving(kind) as server, delivering(server, **chosen) as delivery:
            delivery.take(reading())
            await delivery.done()
            assert [(request.path, request.query) for request in server.writes] == [(path, query)]

    run(check())


def test_what_was_found_is_said_once(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)

    async def check() -> None:
        async with serving() as server, delivering(server) as delivery:
            for fault in (None, cuts, None):
                server.faults.extend([fault, fault] if fault else [])
                delivery.take(reading())
                await delivery.done()
            assert [request.path for request in server.requests].count("/ping") == 2

    run(check())
    told = [record.getMessage() for record in caplog.records if "found" in record.getMessage()]
    assert len(told) == 1
    assert "InfluxDB 1.6.7~rc0" in told[0]
    assert "database 'chain' at /write" in told[0]


def test_a_server_may_come_back_as_another(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)

    async def check() -> None:
        async with serving("1") as server, delivering(server, org="o", bucket="chain/autogen") as delivery:
            delivery.take(reading(1))
            await delivery.done()
            await server.stop()
            server.kind = "2"
            delivery.take(reading(2))
            await until(lambda: delivery.counter("output_errors_total") > 0)
            await server.start()
            await delivery.done()
            assert [request.path for request in server.writes] == ["/write", "/api/v2/write"]

    run(check())
    assert [message for message in caplog.messages if "found InfluxDB v2.7.1" in message]


def test_an_address_that_is_gone_makes_it_look_again() -> None:
    async def check() -> None:
        async with serving("2") as server, delivering(server, org="o", bucket="chain/autogen") as delivery:
            delivery.take(reading(1))
            await delivery.done()
            server.kind = "1"  # behind the same proxy
            delivery.take(reading(2))
            await delivery.done()
            assert [request.path for request in server.writes] == ["/api/v2/write", "/api/v2/write", "/write"]

    run(check())


def test_secrets_go_to_the_server_and_nowhere_else(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)

    async def check() -> None:
        async with serving("2") as server:
            server.fault = says(401, '{"code":"unauthorized","message":"unauthorized access"}')
            async with delivering(server, 0, org="o", bucket="b", token="s3cr3t") as delivery:
                delivery.take(reading())
                await until(lambda: len(server.writes) > 2)
            assert {request.headers["Authorization"] for request in server.requests} == {"Token s3cr3t"}
        async with serving("1") as server:
            server.fault = says(403)
            url = server.url.replace("//", "//bob:s3cr3t@")
            async with delivering(url, 0) as delivery:
                delivery.take(reading())
                await until(lambda: len(server.writes) > 2)
            assert {request.headers["Authorization"] for request in server.requests} == {"Basic Ym9iOnMzY3IzdA=="}
        async with serving() as server, delivering(server, 0, token="s3cr3t\r\nX: y") as delivery:
            delivery.take(reading())
            await until(lambda: delivery.counter("output_errors_total") > 1)
            assert not server.requests

    run(check())
    assert "s3cr3t" not in caplog.text
    assert "check the token" in caplog.text
    assert "cannot be sent" in caplog.text


def test_a_missing_database_is_created() -> None:
    async def check() -> None:
        async with serving() as server, delivering(server, database="new") as delivery:
            delivery.take(reading(1))
            await delivery.done()
            delivery.take(reading(2))
            await delivery.done()
            assert server.databases == {"chain", "new"}
            assert server.stored == [line(1), line(2)]
            assert [request.path for request in server.requests] == ["/ping", "/write", "/query", "/write", "/write"]
            assert delivery.dropped == 0

    run(check())


def test_a_database_that_may_not_be_created(caplog: pytest.LogCaptureFixture) -> None:
    async def check() -> None:
        async with serving() as server, delivering(server, database="new") as delivery:
            server.may_create = False
            delivery.take(reading())
            await until(lambda: len(server.writes) > 3)
            assert delivery.gauge("buffer_readings") == 1
            server.databases.add("new")
            await delivery.done()
            assert server.stored == [line()]

    run(check())
    assert len([m for m in caplog.messages if "may not be created: HTTP 403: error authorizing query" in m]) == 1


def test_databases_are_not_created_against_the_settings(caplog: pytest.LogCaptureFixture) -> None:
    async def check() -> None:
        async with serving() as server, delivering(server, 0, database="new", create_database=False) as delivery:
            delivery.take(reading())
            await until(lambda: len(server.writes) > 1)
            assert {request.path for request in server.requests} == {"/ping", "/write"}

    run(check())
    assert "create the database" in caplog.text


def test_a_missing_bucket_is_said_with_what_to_do(caplog: pytest.LogCaptureFixture) -> None:
    async def check() -> None:
        async with serving("2") as server, delivering(server, org="o", bucket="b") as delivery:
            server.fault = says(404, '{"code":"not found","message":"bucket \\"b\\" not found"}')
            delivery.take(reading())
            await until(lambda: len(server.writes) > 1)
            server.fault = None
            await delivery.done()
            assert server.stored == [line()]

    run(check())
    assert 'bucket "b" not found; create the bucket, or check url, org and bucket' in caplog.text


def test_what_the_end_leaves_is_delivered() -> None:
    async def check() -> None:
        async with serving() as server, delivering(server, flush_interval=60) as delivery:
            delivery.take(*map(reading, range(3)))
            began = time.monotonic()
            await delivery.exporter.close(5)
            assert time.monotonic() - began < 4
            assert len(server.stored) == 3
            assert delivery.delivered == 3
            assert delivery.dropped == 0

    run(check())


def test_what_the_end_can_not_deliver_is_counted_and_said(caplog: pytest.LogCaptureFixture) -> None:
    async def check() -> None:
        async with serving() as server, delivering(server) as delivery:
            server.fault = says(503)
            delivery.take(*map(reading, range(3)))
            began = time.monotonic()
            await delivery.exporter.close(0.2)
            assert 0.15 < time.monotonic() - began < 1
            assert delivery.dropped == 3
            assert delivery.gauge("buffer_readings") == delivery.gauge("buffer_bytes") == 0
            assert delivery.counter("output_errors_total") > 1  # it was tried until the end

    run(check())
    assert "dropped for want of time at the end: 3 of the readings" in caplog.text


def test_the_end_waits_for_no_pause() -> None:
    async def check() -> None:
        async with serving() as server, delivering(server) as delivery:
            server.faults.append(says(503, headers={"Retry-After": "600"}))
            delivery.take(reading())
            await until(lambda: len(server.writes) == 1)
            await asyncio.sleep(0.05)
            assert len(server.writes) == 1
            await delivery.exporter.close(5)
            assert server.stored == [line()]

    run(check())


def test_an_exporter_that_was_never_started_closes() -> None:
    async def check() -> None:
        async with delivering("http://127.0.0.1:1", 0):
            pass

    run(check())


def test_what_line_protocol_can_not_hold_is_dropped_and_said(caplog: pytest.LogCaptureFixture) -> None:
    async def check() -> None:
        async with serving() as server, delivering(server) as delivery:
            long = Shape("m", {"tag": "x" * 70_000}, [Field("f")])
            empty = Shape("m", {}, [])
            delivery.take(Reading(long, [1], 1), Reading(empty, [], 1), reading())
            await delivery.done()
            assert server.stored == [line()]
            assert delivery.dropped == 1

    run(check())
    assert "line protocol can't hold it" in caplog.text


def test_text_arrives() -> None:
    async def check() -> None:
        async with serving() as server, delivering(server) as delivery:
            shape = Shape("chain", {}, [Field("head_block_hash", Kind.TEXT), Field("peers")])
            delivery.take(Reading(shape, ["0xab", 3], 5))
            await delivery.done()
            assert server.stored == ['chain head_block_hash="0xab",peers=3 5']

    run(check())
