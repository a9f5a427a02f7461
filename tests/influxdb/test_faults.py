"""Servers that fail in every way there is: nothing hangs, nothing grows, nothing that can be kept is lost."""

from __future__ import annotations

import asyncio
import random
import time

import pytest

from collector.readings import Field, Kind, Reading, Shape
from exporters.influxdb.buffer import OVERHEAD, Line
from exporters.influxdb.dialect import Outcome
from tests.helpers import run
from tests.influxdb.delivering import delivering, line, reading, serving, until
from tests.influxdb.fakes import Fault, Flood, cuts, drips, half, hangs, says, speaks_another_language, too_large_unread

PASSING: dict[str, Fault] = {
    "401": says(401),
    "403": says(403),
    "404": says(404),
    "405": says(405),
    "408": says(408),
    "429": says(429),
    "500": says(500, '{"error":"timeout"}'),
    "502": says(502, "<html>Bad Gateway</html>"),
    "503": says(503),
    "504": says(504),
    "redirect": says(307, headers={"Location": "/elsewhere"}),
    "hang": hangs,
    "cut": cuts,
    "half an error": half(500),
    "slow error": drips(503),
    "huge error": Flood(500),
    "not HTTP": speaks_another_language,
    "garbage in Retry-After": says(503, headers={"Retry-After": "soon"}),
    "negative Retry-After": says(429, headers={"Retry-After": "-60"}),
    "past Retry-After": says(429, headers={"Retry-After": "Fri, 31 Dec 1999 23:59:59 GMT"}),
}
"""Faults that have nothing to do with the lines."""


@pytest.mark.parametrize("name", PASSING)
def test_readings_survive(name: str, caplog: pytest.LogCaptureFixture) -> None:
    async def check() -> None:
        async with serving("2") as server, delivering(server, timeout=0.2) as delivery:
            server.faults.extend([PASSING[name]] * 2)
            delivery.take(*map(reading, range(5)))
            await delivery.done()
            assert server.stored == [line(n) for n in range(5)]  # once each
            assert delivery.delivered == 5
            assert delivery.dropped == 0
            assert delivery.counter("output_errors_total") >= (1 if name == "cut" else 2)  # see the test below
            assert {request.path for request in server.requests} == {"/ping", "/write"}  # no redirects

    run(check())
    said = [message for message in caplog.messages if "readings wait" in message]
    assert len(said) == 1  # of two alike
    assert all(message.isprintable() and len(message) < 500 for message in caplog.messages)


def test_recovery_is_said_once(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")

    async def check() -> None:
        async with serving() as server, delivering(server) as delivery:
            server.faults.extend([says(503), says(503)])
            for _ in range(3):
                delivery.take(reading())
                await delivery.done()
            assert delivery.exporter._backoff.pause() <= 0.01  # the next failure begins with a short pause

    run(check())
    assert len([message for message in caplog.messages if "delivers again after" in message]) == 1


@pytest.mark.parametrize("ping_fault", [says(503), says(429), hangs, cuts, speaks_another_language])
def test_a_server_that_can_not_say_what_it_is_is_asked_again(ping_fault: Fault) -> None:
    async def check() -> None:
        async with serving() as server, delivering(server, timeout=0.1) as delivery:
            server.ping_fault = ping_fault
            delivery.take(reading())
            await until(lambda: delivery.counter("output_errors_total") >= 2)
            assert not server.writes
            server.ping_fault = None
            await delivery.done()
            assert server.stored == [line()]

    run(check())


@pytest.mark.parametrize("ping_fault", [says(200, "<html>"), Flood(200), half(200), drips(200), says(403)])
def test_a_strange_ping_keeps_nobody_from_writing(ping_fault: Fault) -> None:
    async def check() -> None:
        async with serving() as server, delivering(server, timeout=0.1) as delivery:
            server.ping_fault = ping_fault
            delivery.take(reading())
            await delivery.done()
            assert server.stored == [line()]

    run(check())


def test_a_huge_error_is_not_read() -> None:
    async def check() -> None:
        async with serving() as server, delivering(server) as delivery:
            flood = Flood(500)
            server.faults.append(flood)
            began = time.monotonic()
            delivery.take(reading())
            await delivery.done()
            assert time.monotonic() - began < 2
            assert flood.sent < 20_000_000  # what fits between two sockets

    run(check())


def test_a_yes_counts_even_if_its_body_never_ends() -> None:
    async def check() -> None:
        async with serving() as server, delivering(server, timeout=0.2) as delivery:
            for fault in (half(200), drips(200), Flood(200)):
                server.faults.append(fault)
                delivery.take(reading())
                await delivery.done()
            assert delivery.delivered == 3
            assert len(server.writes) == 3  # none of them twice

    run(check())


@pytest.mark.parametrize("fault", [half(400), drips(400), Flood(400)])
def test_a_refusal_that_is_cut_off_loses_no_good_line(fault: Fault) -> None:
    async def check() -> None:
        async with serving() as server, delivering(server, timeout=0.2) as delivery:
            server.faults.append(fault)
            delivery.take(*(reading(n, "bad" if n == 3 else "m") for n in range(8)))
            await delivery.done()
            assert server.stored == [line(n) for n in range(8) if n != 3]
            assert delivery.dropped == 1

    run(check())


@pytest.mark.parametrize(
    ("status", "header", "least", "most"),
    [
        (429, "7", 7, 7),
        (503, "7", 7, 7),
        (401, "7", 7, 7),
        (503, "999999999", 600, 600),
        (503, "Fri, 31 Dec 9999 23:59:59 GMT", 600, 600),
        (503, "soon", 0.005, 0.01),
        (503, "-5", 0.005, 0.01),
        (503, "0", 0.005, 0.01),
    ],
)
def test_the_server_may_ask_for_a_pause(status: int, header: str, least: float, most: float) -> None:
    async def check() -> None:
        async with serving() as server, delivering(server) as delivery:
            server.fault = says(status, headers={"Retry-After": header})
            verdict, wait = await delivery.exporter._write([Line(b"m a=1 1\n", 1)])
            assert verdict.outcome is Outcome.KEPT
            assert least <= wait <= most
            delivery.exporter._server = None
            server.fault, server.ping_fault = None, says(503, headers={"Retry-After": "7"})
            assert (await delivery.exporter._write([Line(b"m a=1 1\n", 1)]))[1] == 7

    run(check())


def test_a_pause_that_was_asked_for_is_kept() -> None:
    async def check() -> None:
        async with serving() as server, delivering(server) as delivery:
            server.faults.append(says(429, headers={"Retry-After": "1"}))
            delivery.take(reading())
            await until(lambda: delivery.counter("output_errors_total") == 1)
            began = time.monotonic()
            await delivery.done()
            assert 0.9 < time.monotonic() - began < 3

    run(check())


def test_a_batch_too_large_is_halved_until_it_fits() -> None:
    async def check() -> None:
        async with serving() as server, delivering(server) as delivery:
            server.faults.extend([says(413), says(413), says(413)])
            delivery.take(*map(reading, range(100)))
            await delivery.done()
            assert server.stored == [line(n) for n in range(100)]
            assert [len(request.lines) for request in server.writes[3:]] == [12, 13, 25, 50]
            assert delivery.dropped == 0

    run(check())


def test_parts_of_a_batch_that_have_to_wait_keep_their_order() -> None:
    async def check() -> None:
        async with serving() as server, delivering(server) as delivery:
            server.faults.extend([says(413), says(413), says(503)])
            delivery.take(*map(reading, range(100)))
            await delivery.done()
            assert server.stored == [line(n) for n in range(100)]

    run(check())


def test_what_has_waited_once_does_not_wait_for_others_again() -> None:
    async def check() -> None:
        async with serving() as server, delivering(server, flush_interval=1.5) as delivery:
            server.faults.append(says(503))
            delivery.take(reading())
            await until(lambda: len(server.writes) == 1)
            began = time.monotonic()
            await delivery.done()
            assert time.monotonic() - began < 1.4

    run(check())


def test_a_batch_on_its_way_leaves_room_for_what_is_newer() -> None:
    async def check() -> None:
        async with serving() as server, delivering(server, 0, timeout=60, buffer_bytes=10_000) as delivery:
            server.fault = hangs
            delivery.take(*map(reading, range(100)))
            await until(lambda: len(server.writes) == 1)
            delivery.take(*map(reading, range(100, 120)))
            newest = delivery.exporter._buffer.take(10_000, 10_000)[-20:]
            assert [found.text.decode().rstrip() for found in newest] == [line(n) for n in range(100, 120)]

    run(check())


def test_a_batch_that_is_refused_before_it_is_sent_is_halved_too() -> None:
    async def check() -> None:
        async with serving() as server, delivering(server, batch_bytes=20_000_000) as delivery:
            server.faults.append(too_large_unread)
            shape = Shape("text", {}, [Field("noise", Kind.TEXT)])
            noise = random.Random(1).randbytes(4_000_000).hex()  # more than fits between two sockets, compressed
            delivery.take(*(Reading(shape, [noise[n::4]], n + 1) for n in range(4)))
            await delivery.done()
            assert len(server.stored) == delivery.delivered == 4
            assert [len(request.lines) for request in server.writes[1:]] == [2, 2]
            assert delivery.dropped == 0

    run(check())


def test_a_line_that_is_too_large_by_itself_is_dropped() -> None:
    async def check() -> None:
        async with serving() as server, delivering(server) as delivery:
            server.fault = says(413)
            delivery.take(reading(1), reading(2))
            await delivery.done()
            assert delivery.dropped == 2
            server.fault = None
            delivery.take(reading(3))
            await delivery.done()
            assert server.stored == [line(3)]

    run(check())


def test_a_kept_connection_that_the_server_closed_is_no_failure() -> None:
    async def check() -> None:
        async with serving() as server, delivering(server) as delivery:
            for number in range(3):
                delivery.take(reading(number))
                await delivery.done()
                server.hang_up()
            assert len(server.stored) == 3
            assert delivery.counter("output_errors_total") == 0

    run(check())


def test_a_server_that_dies_and_comes_back_gets_all_that_fits() -> None:
    async def check() -> None:
        async with (
            serving() as server,
            delivering(server, timeout=0.5, buffer_bytes=50_000, batch_bytes=5_000) as delivery,
        ):
            fits = 50_000 // (OVERHEAD + len(line(1000)) + 1)
            delivery.take(*map(reading, range(1000, 1050)))
            await delivery.done()
            before = list(server.stored)
            await server.stop()
            for number in range(2000, 3000):
                delivery.take(reading(number))
                assert delivery.gauge("buffer_bytes") <= 50_000
                if number % 100 == 0:
                    await asyncio.sleep(0.01)
            assert delivery.gauge("buffer_readings") == delivery.exporter._buffer.readings <= fits
            await server.start()
            await delivery.done()
            assert server.stored[:50] == before == [line(n) for n in range(1000, 1050)]
            after = server.stored[50:]
            assert after == sorted(set(after))  # in order, once each
            assert after[-fits // 2 :] == [line(n) for n in range(3000 - fits // 2, 3000)]  # the newest
            assert len(after) <= fits
            assert delivery.delivered == 50 + len(after)
            assert delivery.delivered + delivery.dropped == 1050

    run(check())


def test_a_server_that_hangs_holds_nobody_up(caplog: pytest.LogCaptureFixture) -> None:
    async def check() -> None:
        async with (
            serving() as server,
            delivering(server, 0, timeout=60, buffer_bytes=20_000, batch_bytes=5_000) as delivery,
        ):
            server.fault = hangs
            delivery.take(*map(reading, range(30)))
            await until(lambda: len(server.writes) == 1)
            began = time.monotonic()
            for number in range(2000):
                delivery.take(reading(number))
                assert delivery.gauge("buffer_bytes") <= 20_000  # with what is on its way
            assert time.monotonic() - began < 10
            assert delivery.dropped + delivery.gauge("buffer_readings") == 2030
        assert delivery.dropped == 2030

    run(check())
    assert len([message for message in caplog.messages if "buffer is full" in message]) == 1


def test_a_name_that_nobody_knows() -> None:
    async def check() -> None:
        async with delivering("http://nowhere.invalid:8086", 0, timeout=0.5) as delivery:
            delivery.take(reading())
            await until(lambda: delivery.counter("output_errors_total") > 0)
            assert delivery.gauge("buffer_readings") == 1

    run(check())


def test_plain_http_to_https(caplog: pytest.LogCaptureFixture) -> None:
    async def check() -> None:
        async with serving() as server, delivering(server.url.replace("http", "https"), 0) as delivery:
            delivery.take(reading())
            await until(lambda: delivery.counter("output_errors_total") > 0)
            assert delivery.gauge("buffer_readings") == 1

    run(check())
    assert "no TLS connection" in caplog.text


def test_a_defect_costs_a_pause_and_no_reading(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def check() -> None:
        async with serving() as server, delivering(server) as delivery:
            with monkeypatch.context() as patch:
                patch.setattr("exporters.influxdb.exporter.judge", lambda *_: 1 / 0)
                delivery.take(reading())
                await until(lambda: "ZeroDivisionError" in caplog.text)
            await delivery.done()
            assert delivery.delivered == 1
            assert line() in server.stored

    run(check())
