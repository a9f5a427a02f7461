"""The heartbeat is called while chainwatch works, and only then."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path

import pytest

from alerts.alert import Limits
from alerts.table import alerts
from collector.about import About
from collector.catalogue import BY_NAME
from collector.readings import Reading, Shape
from exporters.notify import Notifier, Settings
from exporters.notify.heartbeat import Heartbeat
from tests.answering import Answer, Answering
from tests.exporters.notify.notices import until
from tests.exporters.notify.stage import BEGAN, Stage
from tests.helpers import run

SECRET = "0f3a-hunter2"


def test_it_is_called_while_there_is_no_trouble(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)

    async def scenario() -> None:
        trouble = ""
        about = About()
        async with Answering({}, otherwise=Answer()) as server:
            heart = Heartbeat(f"{server.url}/ping/{SECRET}", 60.0, lambda: trouble, about)
            assert await heart.beat()
            trouble = "no gather of lab has succeeded"
            assert not await heart.beat()
            assert not await heart.beat()
            assert server.asked == [("GET", f"/ping/{SECRET}")]
            trouble = ""
            assert await heart.beat()
            server.otherwise = Answer(f"/ping/{SECRET} was not found".encode(), 404)
            assert not await heart.beat()
            await heart.close()
        [metric] = [each for each in about.registry.collect() if each.name == "chainwatch_heartbeat_timestamp_seconds"]
        assert metric.samples[0].value > BEGAN

    run(scenario())
    assert caplog.text.count("is not called: no gather of lab has succeeded") == 1
    assert "is called again" in caplog.text
    assert "HTTP 404" in caplog.text
    assert SECRET not in caplog.text


def test_what_begins_is_given_time_and_what_fails_is_tried_again_soon(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Else a start, or a call that is lost, costs whoever waits for the next one twice its interval."""
    monkeypatch.setattr("exporters.notify.heartbeat._SOON", 0.05)
    caplog.set_level(logging.INFO)

    async def scenario() -> None:
        trouble = "nothing is heard of the gathers"
        async with Answering({}, otherwise=Answer(status=503)) as server:
            heart = Heartbeat(server.url, 60.0, lambda: trouble, About())
            work = asyncio.create_task(heart.run())
            await asyncio.sleep(0.2)
            assert not server.asked
            assert not caplog.text
            trouble = ""
            await until(lambda: len(server.asked) > 1)
            server.otherwise = Answer()
            await until(lambda: "answers again" in caplog.text)
            known = len(server.asked)
            await asyncio.sleep(0.2)
            assert len(server.asked) == known
            work.cancel()
            await heart.close()

    run(scenario())


def test_a_start_that_never_ends_is_told(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setattr("exporters.notify.heartbeat._SOON", 0.05)
    monkeypatch.setattr("exporters.notify.heartbeat._GRACE", 0.2)

    async def scenario() -> None:
        heart = Heartbeat("http://127.0.0.1:1", 60.0, lambda: "nothing is heard of the gathers", About())
        work = asyncio.create_task(heart.run())
        await until(lambda: "is not called: nothing is heard of the gathers" in caplog.text)
        work.cancel()
        await heart.close()

    run(scenario())


def test_nobody_there(caplog: pytest.LogCaptureFixture) -> None:
    async def scenario() -> None:
        heart = Heartbeat(f"http://127.0.0.1:1/{SECRET}", 60.0, lambda: "", About())
        assert not await heart.beat()
        await heart.close()

    run(scenario())
    assert "no connection" in caplog.text
    assert SECRET not in caplog.text


def reading(name: str, value: float, at: float, **labels: str) -> Reading:
    metric = BY_NAME[name]
    return Reading(Shape(metric.measurement, labels, [metric.as_field]), [value], int(at * 1e9))


def test_what_is_trouble(tmp_path: Path) -> None:
    """Nothing heard, a chain without a gather, gathers too old, an output that fails or is full."""

    async def scenario() -> None:
        now = BEGAN
        table = alerts(Limits())
        settings = Settings(
            channels={},
            alerts={
                "": tuple(alert for alert in table if not alert.of_chain),
                "lab": tuple(alert for alert in table if alert.of_chain),
            },
            directory=tmp_path,
            gathered=frozenset({"lab"}),
        )
        notifier = Notifier(settings, About(), now=lambda: now)

        def after(seconds: float, *readings: Reading) -> str:
            nonlocal now
            now += seconds
            notifier.take(readings, 10.0)
            notifier.judge()
            return notifier.trouble()

        def gathered(ago: float, **labels: str) -> Reading:
            return reading("chainwatch_gather_success_timestamp_seconds", now - ago, now, chain="lab", **labels)

        assert after(10) == "nothing is heard of the gathers"
        assert after(10, reading("chainwatch_reloads_total", 0, now)) == "no gather of lab has succeeded"
        assert after(10, gathered(0, node="a")) == ""
        assert after(61) == "nothing is heard of the gathers"
        after(10, gathered(400, node="a"))
        assert after(40, gathered(440, node="a")) == "GathersStale of lab"
        full = [
            reading("chainwatch_buffer_bytes", 81, now, output="db"),
            reading("chainwatch_buffer_limit_bytes", 100, now, output="db"),
        ]
        after(10, gathered(0, node="a"), *full)
        assert after(40, gathered(0, node="a"), *full) == "OutputBufferFilling of db"

    run(scenario())


def test_gathers_that_are_far_apart_are_no_trouble(tmp_path: Path) -> None:
    async def scenario() -> None:
        now = BEGAN
        notifier = Notifier(Settings(channels={}, alerts={}, directory=tmp_path), About(), now=lambda: now)
        notifier.take([reading("chainwatch_reloads_total", 0, now)], 300.0)
        now += 310
        assert notifier.trouble() == ""
        now += 600
        assert notifier.trouble() == "nothing is heard of the gathers"

    run(scenario())


def test_gathers_are_looked_at_even_if_nobody_wants_their_alert(tmp_path: Path) -> None:
    """`alerts.rules: {GathersStale: {off: true}}` is no reason to call it, nor never to."""

    async def scenario() -> None:
        settings = Settings(channels={}, alerts={"lab": ()}, directory=tmp_path, gathered=frozenset({"lab"}))
        notifier = Notifier(settings, About(), now=lambda: BEGAN)
        notifier.take([reading("chainwatch_reloads_total", 0, BEGAN)], 10.0)
        assert notifier.trouble() == "no gather of lab has succeeded"
        success = "chainwatch_gather_success_timestamp_seconds"
        notifier.take([reading(success, BEGAN, BEGAN, chain="lab", node="a")], 10.0)
        assert notifier.trouble() == ""

    run(scenario())


def test_a_channel_that_is_not_told_is_trouble(tmp_path: Path) -> None:
    async def scenario() -> None:
        stage = Stage(tmp_path)
        stage.findings["behind", "sealer-1"] = 3.0
        stage.receiver.there = False
        await stage.after(100)
        assert stage.notifier.trouble() == "channel team is not told"
        stage.receiver.there = True
        await stage.after(400)
        assert stage.notifier.trouble() == ""

    run(scenario())
