"""The notifier at work, with its tasks and real receivers: it holds nobody up, and ends in time."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Mapping
from pathlib import Path

import pytest

from alerts.alert import Limits
from alerts.table import alerts
from collector.about import About
from collector.configuration.alerting import Channel
from collector.health.assessment import Assessment, Finding, Severity
from collector.health.readings import HealthReadings
from exporters.notify import Notifier, Settings
from exporters.notify.figures import Assessed
from exporters.notify.lives import Lives
from exporters.notify.notice import Identity, Message, Status
from exporters.notify.outbox import Outbox
from exporters.notify.statefile import StateFile
from exporters.notify.ways.webhook import Webhook
from tests.answering import Answer, Answering
from tests.exporters.notify.notices import FACTS, until
from tests.exporters.notify.stage import BEGAN, KEEPS, Stage
from tests.helpers import run


def settings(directory: Path, urls: Mapping[str, str], heartbeat: str = "") -> Settings:
    table = alerts(Limits())
    return Settings(
        channels={
            name: Channel.model_validate({"severity": "info", "webhook": {"url": url}}) for name, url in urls.items()
        },
        alerts={"lab": tuple(alert for alert in table if alert.of_chain)},
        directory=directory,
        runbooks="https://monitor.example",
        heartbeat=heartbeat,
    )


def halted() -> list[Finding]:
    return [Finding("halted", Severity.CRITICAL, "", "No block for 60 s.", time.time(), 60.0)]


FORKED = Finding("fork", Severity.CRITICAL, "", "Two branches.", 0.0, 3.0)


def told(server: Answering) -> list[tuple[str, str]]:
    """Return what a webhook was told: alert and description."""
    documents = [json.loads(body) for body in server.bodies if body]
    return [
        (each["labels"]["alertname"], each["annotations"]["description"])
        for document in documents
        for each in document["alerts"]
    ]


def take(notifier: Notifier, readings: HealthReadings, *findings: Finding) -> None:
    assessment = Assessment(chain="lab", kind="ethereum", at=time.time(), interval=10.0, sentence="", findings=findings)
    notifier.take(readings.readings(assessment), 10.0)


@pytest.mark.parametrize("fails", [False, True])
def test_health_says_it_in_its_own_words(tmp_path: Path, fails: bool) -> None:
    """And where it has none, or fails, the description of the alert stands in."""

    def explain(chain: str) -> Mapping[tuple[str, str], str]:
        if fails:
            raise KeyError(chain)
        return {("halted", ""): "No block has come for 60 s, though 2 of 3 sealers are up."}

    async def scenario() -> None:
        async with Answering({}, otherwise=Answer()) as server:
            notifier = Notifier(settings(tmp_path / str(fails), {"hook": server.url}), About(), explain)
            await notifier.start()
            take(notifier, HealthReadings("lab"), *halted())
            await until(lambda: told(server))
            await notifier.close(1.0)
            [(alert, text)] = told(server)
            assert alert == "ChainHalted"
            assert text.startswith("The newest block of lab is 60 s" if fails else "No block has come for 60 s, though")
            [document] = [json.loads(body) for body in server.bodies]
            runbook = document["alerts"][0]["annotations"]["runbook_url"]
            assert runbook == "https://monitor.example/runbooks/ChainHalted"

    run(scenario())


def test_a_receiver_that_hangs_holds_up_neither_gathers_nor_other_channels(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with Answering({}, otherwise=Answer(after=60.0)) as hangs, Answering({}, otherwise=Answer()) as well:
            notifier = Notifier(settings(tmp_path, {"hangs": hangs.url, "well": well.url}), About())
            await notifier.start()
            readings = HealthReadings("lab")
            take(notifier, readings, *halted())
            await until(lambda: told(well) and hangs.asked)
            began = time.monotonic()
            for _ in range(100):
                take(notifier, readings, *halted())
            assert time.monotonic() - began < 10
            await notifier.close(0.3)
            assert time.monotonic() - began < 3

    run(scenario())


def test_what_begins_to_fire_as_it_closes_is_told_and_kept(tmp_path: Path) -> None:
    """Whoever is told waits for the disk, which is written to until the last."""

    async def scenario() -> None:
        async with Answering({}, otherwise=Answer()) as server:
            notifier = Notifier(settings(tmp_path, {"hook": server.url}), About())
            await notifier.start()
            await asyncio.sleep(0.1)
            take(notifier, HealthReadings("lab"), *halted())
            began = time.monotonic()
            await notifier.close(5.0)
            assert time.monotonic() - began < 4
            assert [alert for alert, _ in told(server)] == ["ChainHalted"]
        state = await asyncio.to_thread(StateFile(tmp_path).read)
        assert state.channels["hook"].records[0].record.told

    run(scenario())


def test_what_is_being_told_as_it_closes_is_not_told_twice(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with Answering({}, otherwise=Answer(after=0.5)) as server:
            notifier = Notifier(settings(tmp_path, {"hook": server.url}), About())
            await notifier.start()
            take(notifier, HealthReadings("lab"), *halted())
            await until(lambda: server.asked)
            await notifier.close(5.0)
            assert len(server.asked) == 1
        state = await asyncio.to_thread(StateFile(tmp_path).read)
        assert state.channels["hook"].records[0].record.told

    run(scenario())


def test_without_any_time_left_it_still_notes_what_it_knows_and_lets_go(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with Answering({}, otherwise=Answer()) as server:
            notifier = Notifier(settings(tmp_path, {"hook": server.url}), About())
            await notifier.start()
            take(notifier, HealthReadings("lab"), *halted())
            await until(lambda: told(server))
            take(notifier, HealthReadings("lab"), *halted(), FORKED)
            await notifier.close(0.0)
            [channel] = notifier._channels
            assert isinstance(channel._way, Webhook)
            assert channel._way._posting._connection._session is None
        state = await asyncio.to_thread(StateFile(tmp_path).read)
        assert {each.identity.alert for each in state.firing} == {"ChainHalted", "ChainForked"}

    run(scenario())


def test_a_channel_that_is_no_more_has_nothing_waiting(tmp_path: Path) -> None:
    """After a reload without it, and one that goes on says anew what waits."""

    def waiting(about: About) -> list[float]:
        return [
            sample.value
            for metric in about.registry.collect()
            for sample in metric.samples
            if sample.name == "chainwatch_notifications_waiting"
        ]

    async def scenario() -> None:
        about = About()
        notifier = Notifier(settings(tmp_path, {"hook": "http://127.0.0.1:1"}), about)
        await notifier.start()
        take(notifier, HealthReadings("lab"), *halted())
        await until(lambda: waiting(about) == [1])
        await notifier.close(1.0)
        assert waiting(about) == [0]
        await notifier.start()
        assert waiting(about) == [1]
        await notifier.close(1.0)

    run(scenario())


def test_it_starts_again_after_it_was_closed(tmp_path: Path) -> None:
    """As an output does that had to make way for another, which could not be opened."""

    async def scenario() -> None:
        async with Answering({}, otherwise=Answer()) as server:
            notifier = Notifier(settings(tmp_path, {"hook": server.url}), About())
            await notifier.start()
            await notifier.close(1.0)
            await notifier.start()
            take(notifier, HealthReadings("lab"), *halted())
            await until(lambda: told(server))
            await notifier.close(1.0)

    run(scenario())


def test_the_heartbeat_is_not_called_if_nothing_is_heard(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("exporters.notify.heartbeat._GRACE", 0.0)

    async def scenario() -> None:
        async with Answering({}, otherwise=Answer()) as server:
            notifier = Notifier(settings(tmp_path, {}, server.url), About())
            await notifier.start()
            await until(lambda: "is not called: nothing is heard" in caplog.text)
            await notifier.close(1.0)
            assert server.asked == []

    run(scenario())


def test_counters_say_what_became_of_alerts(tmp_path: Path) -> None:
    async def scenario() -> None:
        stage = Stage(tmp_path)
        stage.receiver.there = False
        stage.findings = {("behind", "a"): 3.0, ("behind", "b"): 3.0}
        await stage.after(50)
        [waiting] = [each for each in stage.about.registry.collect() if "notifications_waiting" in each.name]
        assert waiting.samples[0].value == 2
        stage.receiver.there = True
        await stage.after(100)
        counted = {
            sample.labels["result"]: sample.value
            for metric in stage.about.registry.collect()
            for sample in metric.samples
            if sample.name == "chainwatch_notifications_total"
        }
        assert counted["sent"] == 2
        assert counted["failed"] >= 2
        assert counted["dropped"] == 0

    run(scenario())


def test_room_is_bounded_and_what_found_none_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("exporters.notify.outbox.MOST", 5)
    monkeypatch.setattr("exporters.notify.lives.MOST", 50)

    async def scenario() -> None:
        stage = Stage(tmp_path)
        stage.receiver.there = False
        stage.findings = {("behind", f"old-{number}"): 3.0 for number in range(3)}
        await stage.after(100)
        stage.findings = {}
        await stage.after(KEEPS + 30)
        stage.findings = {("behind", f"new-{number}"): 3.0 for number in range(100)}
        await stage.after(100)
        [channel] = stage.at_work
        assert len(channel.outbox.records) == 5
        assert len(stage.notifier._lives.firing) == 50
        dropped = channel.outbox.dropped
        await stage.restart()
        stage.receiver.there = True
        await stage.after(1_800)
        assert dropped >= 48
        assert stage.receiver.left_out == dropped + stage.at_work[0].outbox.dropped
        assert "too many alerts at once" in caplog.text
        assert "no room for more alerts" in caplog.text
        assert [each for each in stage.receiver.told if each.subject.startswith("new")]

    run(scenario())


def test_a_message_is_of_one_chain_the_worst_first() -> None:
    outbox = Outbox("team", Severity.INFO)
    firing = {
        Identity("A", "lab", "1"): FACTS,
        Identity("B", "main", ""): FACTS,
        Identity("C", "lab", ""): type(FACTS)(Severity.CRITICAL, "", ""),
    }
    assert outbox.follow(firing, {}, BEGAN)
    assert not outbox.follow(firing, {}, BEGAN)
    message = outbox.message(BEGAN, 10)
    assert message is not None
    assert [notice.identity.alert for notice in message.notices] == ["C", "A"]
    outbox.sent(message, BEGAN)
    rest = outbox.message(BEGAN, 10)
    assert rest is not None
    assert [(notice.identity.alert, notice.status) for notice in rest.notices] == [("B", Status.FIRING)]


def test_while_it_is_sent_it_is_over_and_fires_again() -> None:
    """What happens meanwhile is told afterwards, by turns."""
    for steps, statuses in [
        ((), [Status.FIRING]),
        (("over",), [Status.FIRING, Status.RESOLVED]),
        (("over", "again"), [Status.FIRING]),
    ]:
        outbox = Outbox("team", Severity.INFO, every=900.0)
        identity = Identity("A", "lab", "1")
        outbox.follow({identity: FACTS}, {}, BEGAN)
        sent: list[Status] = []
        now = BEGAN
        while (message := outbox.message(now, 10)) is not None:
            if not sent:
                for step in steps:
                    now += 1
                    outbox.follow({identity: FACTS} if step == "again" else {}, {}, now)
            outbox.sent(message, now)
            sent.append(message.notices[0].status)
        assert sent == statuses


def test_while_its_end_is_sent_it_fires_again() -> None:
    outbox = Outbox("team", Severity.INFO, every=900.0)
    identity = Identity("A", "lab", "1")
    outbox.follow({identity: FACTS}, {}, BEGAN)
    first = outbox.message(BEGAN, 10)
    assert first is not None
    outbox.sent(first, BEGAN)
    outbox.follow({}, {identity: BEGAN + 50}, BEGAN + 60)
    end = outbox.message(BEGAN + 60, 10)
    assert end is not None
    assert end.notices[0].until == BEGAN + 50
    outbox.follow({identity: FACTS}, {}, BEGAN + 61)
    outbox.sent(end, BEGAN + 62)
    assert outbox.message(BEGAN + 899, 10) is None
    again = outbox.message(BEGAN + 900, 10)
    assert again is not None
    assert (again.notices[0].status, again.notices[0].since) == (Status.FIRING, BEGAN + 61)


def test_what_has_passed_passes_again_while_it_is_sent() -> None:
    outbox = Outbox("team", Severity.INFO, every=900.0)
    identity = Identity("A", "lab", "1")
    for moment, firing in enumerate([{identity: FACTS}, {}]):
        outbox.follow(firing, {}, BEGAN + moment)
    first = outbox.message(BEGAN + 2, 10)
    assert first is not None
    for moment, firing in enumerate([{identity: FACTS}, {}], 3):
        outbox.follow(firing, {}, BEGAN + moment)
    outbox.sent(first, BEGAN + 5)
    assert outbox.message(BEGAN + 904, 10) is None
    again = outbox.message(BEGAN + 905, 10)
    assert again is not None
    assert [(each.notices[0].status, each.notices[0].since) for each in (first, again)] == [
        (Status.PASSED, BEGAN),
        (Status.PASSED, BEGAN + 3),
    ]


BEHIND = next(alert for alert in alerts(Limits()) if alert.name == "NodeBehind")
NODE = Identity("NodeBehind", "lab", "sealer-1")


def judged(lives: Lives, now: float, assessed: Assessed, *holding: Identity) -> dict[Identity, float]:
    """Judge what holds; return what is over."""
    return lives.judge(dict.fromkeys(holding, 3.0), lambda _: assessed, lambda *_: FACTS, now)


def test_it_is_not_over_before_its_chain_was_looked_at_again() -> None:
    lives = Lives({("lab", "NodeBehind"): BEHIND})
    assessed = Assessed(BEGAN)
    for moment in (0, 40):
        judged(lives, BEGAN + moment, assessed, NODE)
    assert list(lives.firing) == [NODE]
    assert judged(lives, BEGAN + 10_000, assessed) == {}
    assessed.again(BEGAN + 10_010)
    assert judged(lives, BEGAN + 10_010, assessed) == {}
    assert judged(lives, BEGAN + 10_010 + KEEPS, assessed) == {NODE: BEGAN + 10_010}


def test_after_a_start_it_takes_several_looks_however_long_they_take() -> None:
    lives = Lives({("lab", "NodeBehind"): BEHIND}, {"lab": 4})
    lives.restore(NODE, BEGAN, FACTS)
    assessed = Assessed(BEGAN)
    for look in range(1, 5):
        assessed.again(BEGAN + 600 * look)
        over = judged(lives, BEGAN + 600 * look, assessed)
        assert list(over) == ([NODE] if look == 4 else [])


def test_it_is_on_disk_before_anybody_is_told(tmp_path: Path) -> None:
    """Else nobody would be told of its end, were the process to end now."""
    known: list[str] = []

    class Reads:
        most = 100

        async def send(self, message: Message) -> None:
            state = await asyncio.to_thread(StateFile(tmp_path).read)
            assert [notice.identity.alert for notice in message.notices] == ["ChainHalted"]
            known.extend(each.identity.alert for each in state.firing)

        async def close(self) -> None:
            pass

    async def scenario() -> None:
        configured = settings(tmp_path, {"hook": "http://nobody.example"})
        notifier = Notifier(configured, About(), ways=lambda *_: Reads())
        await notifier.start()
        take(notifier, HealthReadings("lab"), *halted())
        await until(lambda: known)
        await notifier.close(1.0)
        assert known == ["ChainHalted"]

    run(scenario())
