"""The scrape endpoint: what is fresh, in the format that is asked for, whoever scrapes and however."""

from __future__ import annotations

import asyncio
import gzip
import time
from contextlib import suppress
from typing import Any, Self

import aiohttp
import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text

from collector.about import About
from collector.readings import Field, Kind, Reading, Shape
from collector.targets import Target
from exporters import listening
from exporters.prometheus import Prometheus, PrometheusSettings, Table, accepts
from tests.helpers import run

FIELDS = [Field("peers", Kind.GAUGE, "Peers."), Field("blocks_total", Kind.COUNTER), Field("hash", Kind.TEXT)]
OPENMETRICS = {"Accept": "application/openmetrics-text;version=1.0.0;q=0.6,text/plain;version=0.0.4;q=0.3,*/*;q=0.2"}


def reading(node: str, peers: float = 3, measurement: str = "chain") -> Reading:
    return Reading(Shape(measurement, {"node": node}, FIELDS), [peers, 7, "0xab"], time.time_ns())


class Serving:
    """An endpoint on loopback, and a session to scrape it with."""

    def __init__(self, **settings: object) -> None:
        self.about = About()
        self.exporter = Prometheus(PrometheusSettings(port=0, **settings), self.about)  # type: ignore[arg-type]

    async def __aenter__(self) -> Self:
        await self.exporter.start()
        self.session = aiohttp.ClientSession(auto_decompress=False)
        self.url = f"http://127.0.0.1:{self.exporter.port}/metrics"
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.session.close()
        await self.exporter.close(1)

    async def scrape(self, **headers: str) -> tuple[str, str]:
        """Return the page and its type."""
        async with self.session.get(self.url, headers={"Accept": "*/*", "Accept-Encoding": "", **headers}) as response:
            assert response.status == 200
            body = await response.read()
            if response.headers.get("Content-Encoding") == "gzip":
                body = gzip.decompress(body)
            return body.decode(), response.headers["Content-Type"]


class Hands:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 1000.0

    def read(self) -> float:
        """Return the time."""
        return self.now


def names(readings: list[Reading]) -> list[str]:
    return [dict(reading.shape.tags)["node"] for reading in readings]


def test_a_series_is_kept_for_five_intervals_of_its_own_server_and_no_longer() -> None:
    clock = Hands()
    table = Table(5.0, clock.read)
    table.put([reading("quick")], 1.0)
    table.put([reading("slow")], 10.0)
    clock.now += 4.9
    assert names(table.fresh()) == ["quick", "slow"]
    clock.now += 0.2
    assert names(table.fresh()) == ["slow"]
    table.put([reading("quick")], 1.0)
    assert names(table.fresh()) == ["slow", "quick"]
    clock.now += 45
    assert table.fresh() == []


def test_a_later_reading_takes_the_place_of_the_earlier_one() -> None:
    table = Table(5.0)
    for peers in (1, 2, 3):
        table.put([reading("a", peers)], 1.0)
    assert [reading.values[0] for reading in table.fresh()] == [3]


def test_a_table_that_nobody_scrapes_stays_bounded_while_series_come_and_go() -> None:
    clock = Hands()
    table = Table(5.0, clock.read)
    for gather in range(300):
        table.put([reading(f"signer-{gather}-{n}") for n in range(50)], 1.0)
        clock.now += 1.0
    assert len(table._rows) <= 3000
    assert len(table.fresh()) == 250


@pytest.mark.parametrize(
    ("accept", "openmetrics"),
    [
        ("", False),
        ("*/*", False),
        ("text/plain;version=0.0.4;q=0.5", False),
        ("application/openmetrics-text", True),
        ("Application/OpenMetrics-Text; version=1.0.0; charset=utf-8", True),
        (OPENMETRICS["Accept"], True),
        ('text/plain, application/openmetrics-text;version="1.0.0";escaping=allow-utf-8', True),
        ("application/openmetrics-text;version=2.0.0,application/openmetrics-text;version=1.0.0", True),
        ("application/openmetrics-text;version=2.0.0", False),
        ("application/openmetrics-text; version=0.0.1,text/plain;version=0.0.4;q=0.5", False),
        ("application/openmetrics-text;version=abc", False),
        ("application/openmetrics-text;q=0", False),
        ("application/openmetrics-text;q=0.000, text/plain", False),
        ("application/openmetrics-text2", False),
        (";;;,,,=;q", False),
    ],
)
def test_the_format_is_the_one_asked_for_and_text_when_in_doubt(accept: str, openmetrics: bool) -> None:
    async def scenario() -> None:
        async with Serving() as serving:
            serving.exporter.take([reading("a")], 10)
            page, content_type = await serving.scrape(Accept=accept)
            if openmetrics:
                assert content_type == "application/openmetrics-text; version=1.0.0; charset=utf-8"
                assert {family.name for family in parse_openmetrics(page)} == {"chain_peers", "chain_blocks"}  # type: ignore[no-untyped-call]
            else:
                assert content_type == "text/plain; version=0.0.4; charset=utf-8"
                assert "# EOF" not in page
                assert len(list(parse_text(page))) == 2

    run(scenario())


@given(st.lists(st.text(st.characters(max_codepoint=255), max_size=60), max_size=3))
def test_no_header_is_too_odd(headers: list[str]) -> None:
    assert accepts([*headers, ",gzip"], "gzip") in (True, False)
    assert not accepts([header.replace("gzip", "") for header in headers], "gzip")


def test_a_page_is_packed_only_for_those_who_take_it() -> None:
    async def scenario() -> None:
        async with Serving() as serving:
            serving.exporter.take([reading("a")], 10)
            for accepted, packed in (("gzip", True), ("deflate, GZIP;q=0.5", True), ("gzip;q=0", False), ("br", False)):
                headers = {"Accept-Encoding": accepted}
                async with serving.session.get(serving.url, headers=headers) as response:
                    assert ("Content-Encoding" in response.headers) == packed
                    body = await response.read()
                    assert b'chain_peers{node="a"} 3' in (gzip.decompress(body) if packed else body)
                    assert response.headers["Vary"] == "Accept, Accept-Encoding"

    run(scenario())


def test_head_and_unknown_paths_and_methods_are_answered() -> None:
    async def scenario() -> None:
        async with Serving() as serving:
            serving.exporter.take([reading("a")], 10)
            async with serving.session.head(serving.url) as response:
                assert response.status == 200
                assert int(response.headers["Content-Length"]) > 20
                assert await response.read() == b""
            async with serving.session.get(serving.url + "/nothing") as response:
                assert response.status == 404
            async with serving.session.post(serving.url, data=b"x") as response:
                assert response.status == 405

    run(scenario())


def test_a_hundred_scrapers_of_every_kind_get_whole_pages_while_series_come_and_go() -> None:
    kinds = [{}, OPENMETRICS, {"Accept-Encoding": "gzip"}, {**OPENMETRICS, "Accept-Encoding": "gzip"}]

    async def scenario() -> float:
        async with Serving() as serving:
            longest = 0.0

            async def gather() -> None:
                nonlocal longest
                for number in range(40):
                    began = time.monotonic()
                    serving.exporter.take([reading(f"node-{number % 7}-{n}", number) for n in range(100)], 0.02)
                    await asyncio.sleep(0.01)
                    longest = max(longest, time.monotonic() - began)

            async def scrape(number: int) -> None:
                await asyncio.sleep(number % 10 / 25)
                page, _ = await serving.scrape(**kinds[number % 4])
                parse = parse_openmetrics if number % 2 else parse_text
                for family in parse(page):
                    assert family.samples

            await asyncio.gather(gather(), *(scrape(number) for number in range(100)))
            delivered = {"output": "prometheus"}
            assert serving.about.registry.get_sample_value("chainwatch_readings_delivered_total", delivered)
            return longest

    assert run(scenario()) < 1.0  # gathers went on meanwhile


def test_a_page_serves_all_who_scrape_within_half_a_second_and_no_longer() -> None:
    async def scenario() -> None:
        async with Serving() as serving:
            serving.exporter.take([reading("a", 1)], 10)
            assert 'chain_peers{node="a"} 1\n' in (await serving.scrape())[0]
            serving.exporter.take([reading("a", 2)], 10)
            assert 'chain_peers{node="a"} 1\n' in (await serving.scrape())[0]
            await asyncio.sleep(0.55)
            assert 'chain_peers{node="a"} 2\n' in (await serving.scrape())[0]

    run(scenario())


def test_a_series_of_a_server_that_is_gone_leaves_the_page() -> None:
    async def scenario() -> None:
        async with Serving(expire=2.0) as serving:
            serving.exporter.take([reading("gone")], 0.1)
            serving.exporter.take([reading("here")], 10)
            assert 'node="gone"' in (await serving.scrape())[0]
            await asyncio.sleep(0.55)
            page, _ = await serving.scrape()
            assert 'node="gone"' not in page
            assert 'node="here"' in page

    run(scenario())


def server(node: str, address: str = "10.0.0.1", **more: Any) -> Target:  # noqa: ANN401
    return Target("lab", "nodeos", node, f"http://{address}:8888", **more)


def series(measurement: str, node: str = "", **tags: str) -> Reading:
    known = {"chain": "lab", "node": node, **tags}
    return Reading(Shape(measurement, known, [Field("peers", Kind.GAUGE)]), [3], time.time_ns())


def test_the_series_of_a_server_that_is_not_followed_any_more_leave_at_once_and_no_others() -> None:
    async def scenario() -> None:
        async with Serving() as serving:
            exporter = serving.exporter
            exporter.take([series("ethstats", "pushes"), series("chain", "pushes")], 10)
            exporter.follow([server("stays"), server("goes")])
            for node in ("stays", "goes"):
                readings = [series("chain", node), series("nodeos", node, server="10.0.0.1", port="8888")]
                # Pushed by the node, or tried from outside: no matter of the server's.
                more = [series("ethstats", node), series("chain_shielded", node, address="203.0.113.5:8888")]
                exporter.take([*readings, *more, series("chainwatch", node)], 10)
            exporter.take([series("chainwatch"), series("chainwatch", output="prometheus")], 10)
            before = samples((await serving.scrape())[0])
            exporter.follow([server("stays")])
            gone = before - samples((await serving.scrape())[0])  # within the half second that a page is kept
            assert {name for name, _ in gone} == {"chain_peers", "nodeos_peers", "chainwatch_peers"}
            assert {dict(tags)["node"] for _, tags in gone} == {"goes"}
            exporter.follow([server("stays"), server("goes")])
            exporter.take([series("chain", "goes")], 10)
            await asyncio.sleep(0.55)
            assert ("chain_peers", (("chain", "lab"), ("node", "goes"))) in samples((await serving.scrape())[0])

    run(scenario())


def test_of_a_server_that_came_back_the_series_with_the_old_address_and_labels_leave() -> None:
    async def scenario() -> None:
        async with Serving() as serving:
            exporter = serving.exporter
            role = {"role": "worker"}
            exporter.follow([server("a", "10.0.0.1", **role), server("b", "10.0.0.2")])
            exporter.take([series("chain", "a", **role), series("chain", "b")], 10)
            exporter.take([series("nodeos", "a", **role, server="10.0.0.1", port="8888")], 10)
            exporter.take([series("nodeos", "b", server="10.0.0.2", port="8888")], 10)
            exporter.take([series("chain_node", "a", **role, version="1"), series("chainwatch", "a")], 10)
            before = samples((await serving.scrape())[0])
            exporter.follow([server("a", "10.0.0.3", **role), server("b", "10.0.0.2")])
            moved = samples((await serving.scrape())[0])
            [(name, tags)] = before - moved
            assert (name, dict(tags)["server"], dict(tags)["node"]) == ("nodeos_peers", "10.0.0.1", "a")
            exporter.follow([server("a", "10.0.0.3", role="boot"), server("b", "10.0.0.2")])
            gone = moved - samples((await serving.scrape())[0])
            assert {(name, dict(tags)["node"]) for name, tags in gone} == {
                ("chain_peers", "a"),
                ("chain_node_peers", "a"),
            }

    run(scenario())


@pytest.mark.parametrize("labels", [(("rack", "7"),), ()])
def test_of_a_server_that_is_given_a_label_or_loses_one_there_are_never_two_series(
    labels: tuple[tuple[str, str], ...],
) -> None:
    async def scenario() -> None:
        async with Serving() as serving:
            exporter = serving.exporter
            old, new = server("a", labels=(("rack", "7"),)), server("a")
            if labels:
                old, new = new, old
            exporter.follow([old])
            exporter.take([series("chain", "a", **dict(old.labels)), series("chainwatch", "a")], 10)
            exporter.follow([new])
            exporter.take([series("chain", "a", **dict(new.labels))], 10)
            found = {(name, dict(tags).get("rack", "")) for name, tags in samples((await serving.scrape())[0])}
            assert found == {("chain_peers", dict(labels).get("rack", "")), ("chainwatch_peers", "")}

    run(scenario())


def samples(page: str) -> set[tuple[str, tuple[tuple[str, str], ...]]]:
    return {
        (sample.name, tuple(sorted(sample.labels.items()))) for family in parse_text(page) for sample in family.samples
    }


def test_a_reader_that_does_not_read_keeps_nobody_from_scraping_nor_from_stopping() -> None:
    async def scenario() -> float:
        serving = Serving()
        async with serving:
            for number in range(60):
                serving.exporter.take([reading(f"{number}-{n}-{'x' * 200}") for n in range(300)], 60)
            reader, writer = await asyncio.open_connection("127.0.0.1", serving.exporter.port, limit=1024)
            writer.write(b"GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n")
            await reader.read(10)
            page, _ = await serving.scrape()
            assert len(page) > 5_000_000
            began = time.monotonic()
            await serving.exporter.close(1)
            took = time.monotonic() - began
            writer.close()
            return took

    assert run(scenario()) < 3


def test_a_reader_that_does_not_read_is_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listening, "PATIENCE", 0.5)

    async def scenario() -> None:
        async with Serving() as serving:
            for number in range(60):
                serving.exporter.take([reading(f"{number}-{n}-{'x' * 200}") for n in range(300)], 60)
            reader, writer = await asyncio.open_connection("127.0.0.1", serving.exporter.port, limit=1024)
            writer.write(b"GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n" * 5)
            await reader.read(10)
            await asyncio.sleep(1.5)
            received = 0
            with suppress(ConnectionResetError):
                while part := await asyncio.wait_for(reader.read(2**16), 1):
                    received += len(part)
            assert received < 5_000_000
            writer.close()
            assert len((await serving.scrape())[0]) > 5_000_000

    run(scenario())


def test_other_pages_are_served_beside_and_a_port_in_use_is_named() -> None:
    async def hello(_: web.Request) -> web.Response:
        return web.Response(text="hello")

    async def scenario() -> None:
        first = Prometheus(PrometheusSettings(port=0), About(), [web.get("/", hello), web.get("/metrics", hello)])
        await first.start()
        async with aiohttp.ClientSession() as session, session.get(f"http://127.0.0.1:{first.port}/") as response:
            assert await response.text() == "hello"
            async with session.get(f"http://127.0.0.1:{first.port}/metrics") as metrics:  # of its own
                assert await metrics.text() != "hello"
        second = Prometheus(PrometheusSettings(port=first.port), About())
        with pytest.raises(OSError, match=f"cannot listen on 127.0.0.1:{first.port}"):
            await second.start()
        await second.close(1)
        await first.close(1)

    run(scenario())
