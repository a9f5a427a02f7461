"""The ways to tell somebody: what real servers are sent, and what becomes of every answer they may give."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collector.configuration.alerting import Channel
from exporters.notify.notice import Facts, Message, Status
from exporters.notify.ways import NotSent, Way, way_of
from exporters.notify.ways.slack import escaped
from exporters.notify.ways.telegram import LONGEST, cut, text_of
from tests.answering import Answer, Answering
from tests.answering import json as document
from tests.exporters.notify.notices import FACTS, message, notice
from tests.helpers import run

SECRET = "hunter2-and-more"

Settings = dict[str, object]


def webhook(url: str) -> Settings:
    return {"webhook": {"url": f"{url}/hook", "token": SECRET}}


def slack(url: str) -> Settings:
    return {"slack": {"url": f"{url}/services/{SECRET}"}}


def telegram(url: str) -> Settings:
    return {"telegram": {"api": url, "chat": "-100", "token": SECRET}}


def pagerduty(url: str) -> Settings:
    return {"pagerduty": {"api": url, "key": SECRET}}


HTTP_WAYS = [webhook, slack, telegram, pagerduty]

OK = document({"ok": True})


def made(settings: Settings) -> Way:
    return way_of(Channel.model_validate(settings), "https://monitor.example")


def sent(
    kind: Callable[[str], Settings], told: Message, answer: Answer = OK
) -> tuple[list[str], list[dict[str, Any]], NotSent | None]:
    """Send a message to a server that answers so; return the paths, the documents, and what went wrong."""

    async def scenario() -> tuple[list[str], list[dict[str, Any]], NotSent | None]:
        failure = None
        async with Answering({}, otherwise=answer) as server:
            way = made(kind(server.url))
            try:
                await way.send(told)
            except NotSent as error:
                failure = error
            await way.close()
            return [path for _, path in server.asked], [json.loads(body) for body in server.bodies], failure

    return run(scenario())


def test_a_webhook_gets_what_alertmanager_would_send_it() -> None:
    _, [told], failure = sent(webhook, message(notice(), notice(subject="sealer-2")))
    assert failure is None
    assert told["version"] == "4"
    assert told["status"] == "firing"
    assert told["receiver"] == "team"
    assert told["groupLabels"] == {"chain": "lab"}
    assert told["commonLabels"] == {"alertname": "NodeBehind", "chain": "lab", "severity": "warning"}
    assert told["commonAnnotations"]["summary"] == "A node is behind."
    assert told["truncatedAlerts"] == 0
    first, second = told["alerts"]
    assert first["fingerprint"] != second["fingerprint"]
    assert {**first, "fingerprint": ""} == {
        "status": "firing",
        "labels": {"alertname": "NodeBehind", "chain": "lab", "subject": "sealer-1", "severity": "warning"},
        "annotations": {"summary": FACTS.summary, "description": FACTS.text, "runbook_url": FACTS.runbook},
        "startsAt": "2023-11-14T22:13:20Z",
        "endsAt": "0001-01-01T00:00:00Z",
        "generatorURL": FACTS.runbook,
        "fingerprint": "",
    }


def test_a_webhook_is_told_both_ends_of_what_has_passed_in_two_requests() -> None:
    _, told, _ = sent(webhook, message(notice(Status.PASSED), notice(Status.RESOLVED, "sealer-2")))
    assert [document["status"] for document in told] == ["firing", "resolved"]
    firing, resolved = ([alert["labels"]["subject"] for alert in document["alerts"]] for document in told)
    assert (firing, resolved) == (["sealer-1"], ["sealer-1", "sealer-2"])
    assert told[1]["alerts"][0]["endsAt"] == "2023-11-14T23:15:25Z"


def test_slack_shows_names_as_they_are() -> None:
    [path], [told], _ = sent(slack, message())
    assert path == f"/services/{SECRET}"
    [attachment] = told["attachments"]
    assert told["text"] == attachment["title"] == "WARNING lab/sealer-1: NodeBehind"
    assert "&lt;the&gt; others &amp; more." in attachment["text"]
    assert escaped("<!channel> <@U1>") == "&lt;!channel&gt; &lt;@U1&gt;"


def test_telegram_gets_plain_text() -> None:
    [path], [told], _ = sent(telegram, message(notice(Status.RESOLVED)))
    assert path == f"/bot{SECRET}/sendMessage"
    assert "parse_mode" not in told
    assert told["chat_id"] == "-100"
    assert told["text"].splitlines() == [
        "RESOLVED lab/sealer-1: NodeBehind",
        FACTS.text,
        "It lasted 1 h 2 min, from 2023-11-14 22:13:20 UTC to 2023-11-14 23:15:25 UTC.",
    ]


def test_telegram_that_is_none_is_no_success() -> None:
    _, _, failure = sent(telegram, message(), Answer(b"<html>Welcome to the hotel</html>"))
    assert failure is not None
    assert failure.kind == "not telegram"


def test_pagerduty_gets_an_incident_with_a_key_that_stays() -> None:
    [path], [trigger], _ = sent(pagerduty, message())
    _, [again], _ = sent(pagerduty, message(notice(Status.STILL)))
    _, [resolve], _ = sent(pagerduty, message(notice(Status.RESOLVED)))
    assert path == "/v2/enqueue"
    assert trigger["routing_key"] == SECRET
    assert (trigger["event_action"], resolve["event_action"]) == ("trigger", "resolve")
    assert trigger["dedup_key"] == again["dedup_key"] == resolve["dedup_key"]
    assert trigger["payload"]["severity"] == "warning"
    assert trigger["payload"]["source"] == "sealer-1"
    assert (trigger["payload"]["component"], trigger["payload"]["group"]) == ("sealer-1", "lab")
    assert trigger["links"][0]["href"] == FACTS.runbook
    _, passed, _ = sent(pagerduty, message(notice(Status.PASSED)))
    assert [event["event_action"] for event in passed] == ["trigger", "resolve"]
    _, [alone], _ = sent(pagerduty, message(notice(subject="", chain="")))
    assert alone["payload"]["source"] == "chainwatch"
    assert None not in alone["payload"].values()


@pytest.mark.parametrize("way", HTTP_WAYS)
@pytest.mark.parametrize(
    ("answer", "kind", "wait", "refused"),
    [
        (Answer(SECRET.encode(), 400), "400", 0.0, True),
        (Answer(b"gone", 404), "404", 0.0, False),
        (Answer(b"", 302, {"Location": "http://127.0.0.1:1/elsewhere"}), "302", 0.0, False),
        (Answer(SECRET.encode() * 10_000, 500), "500", 0.0, False),
        (Answer(b"", 429, {"Retry-After": "17"}), "429", 17.0, False),
        (document({"ok": False, "parameters": {"retry_after": 33}}, 429), "429", 33.0, False),
        (document({"parameters": {"retry_after": "soon"}}, 429), "429", 0.0, False),
        (document([1], 503), "503", 0.0, False),
        (Answer(cut=True), "cut_off", 0.0, False),
    ],
)
def test_what_an_answer_means(
    way: Callable[[str], Settings], answer: Answer, kind: str, wait: float, refused: bool
) -> None:
    """No secret is in what is said of it, even where the answer repeats it."""
    _, _, failure = sent(way, message(), answer)
    assert failure is not None
    assert (failure.kind, failure.wait, failure.refused) == (kind, wait, refused)
    assert SECRET not in str(failure)
    assert len(str(failure)) < 400


@pytest.mark.parametrize("way", HTTP_WAYS)
def test_nobody_there(way: Callable[[str], Settings]) -> None:
    async def scenario() -> str:
        made_way = made(way("http://127.0.0.1:1"))
        with pytest.raises(NotSent) as failure:
            await made_way.send(message())
        await made_way.close()
        return str(failure.value)

    said = run(scenario())
    assert said.startswith("no connection")
    assert SECRET not in said


@given(st.text(max_size=9_000), st.integers(1, 10), st.sampled_from(Status))
@settings(max_examples=60, deadline=None)
def test_a_message_fits_into_telegram(text: str, count: int, status: Status) -> None:
    """Whatever texts hold, and in the units that Telegram counts."""
    facts = Facts(FACTS.severity, FACTS.summary, text[:500], FACTS.runbook)
    told = text_of(message(*[notice(status, text[:300], facts=facts, times=3)] * count, left_out=7))
    assert len(told.encode("utf-16-le", "replace")) <= 2 * LONGEST
    assert told.count("NodeBehind") >= (count if not text else 0)


@given(st.text(), st.integers(2, 20))
def test_a_cut_never_halves_a_character(text: str, most: int) -> None:
    shortened = cut(text, most)
    assert len(shortened.encode("utf-16-le", "replace")) <= 2 * most
    if shortened != text:
        assert shortened.endswith("…")
