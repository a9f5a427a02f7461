"""The alerts as Grafana's own rules: their form by Grafana's documentation, and what they ask by real InfluxDBs."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from typing import Any, Literal, get_args

import pytest
from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from alerts import grafana
from alerts.alert import Alert, Compared, Limits, Signalled
from alerts.channels import UnsupportedError
from alerts.chosen import Scoped, by_default
from alerts.table import alerts as every_alert
from collector.catalogue import M
from collector.configuration.alerting import Alerts
from dashboards.drawing.asking import Database, Flux, InfluxQl
from dashboards.queries.expressions import Age, Increase, Ratio, Value
from tests.alerts.grafana_rules import firing
from tests.real.databases import FLUX, InfluxDb, influxdb
from tests.real.servers import fetch

ADDRESS = "https://monitor.example"
LANGUAGES = get_args(grafana.Language)
UID = r"^[A-Za-z0-9_-]{1,40}$"
DURATION = r"^\d+[smhd]$"

LEFT_OUT = {"Watchdog", "NodeosCrashing", "NodeosOccupied", "SnapshotsFailing"}
"""What only Prometheus can say."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", alias_generator=to_camel)


class _Query(_Strict):
    ref_id: str = Field(pattern="^[A-E]$")
    relative_time_range: dict[Literal["from", "to"], int]
    datasource_uid: str
    model: dict[str, Any]
    query_type: str = ""


class _Rule(_Strict):
    uid: str = Field(pattern=UID)
    title: str = Field(min_length=1, max_length=190)
    condition: Literal["C"]
    data: list[_Query]
    no_data_state: Literal["OK", "Alerting"]
    exec_err_state: Literal["OK", "Error"]
    for_: str = Field(alias="for", pattern=DURATION)
    labels: dict[str, str]
    annotations: dict[Literal["summary", "description", "runbook_url"], str]
    is_paused: Literal[False]


class _Group(_Strict):
    org_id: Literal[1]
    name: str
    folder: str
    interval: str = Field(pattern=DURATION)
    rules: list[_Rule]


class _File(_Strict):
    api_version: Literal[1]
    groups: list[_Group]


def rules(language: grafana.Language) -> dict[str, dict[str, Any]]:
    """Return the rules by their titles."""
    made = grafana.rules(by_default(), language, "the-uid", ADDRESS)
    return {rule["title"]: rule for group in made["groups"] for rule in group["rules"]}


@pytest.mark.parametrize("language", LANGUAGES)
def test_they_have_the_form_of_a_file_that_grafana_reads(language: grafana.Language) -> None:
    made = grafana.rules(by_default(), language, "the-uid", ADDRESS)
    read = _File.model_validate(json.loads(json.dumps(made)))
    found = [rule for group in read.groups for rule in group.rules]
    assert len({rule.uid for rule in found}) == len({rule.title for rule in found}) == len(found)
    for rule in found:
        assert [part.ref_id for part in rule.data if part.datasource_uid == "the-uid"] in (["A"], ["A", "D"])
        assert {part.datasource_uid for part in rule.data} == {"the-uid", "__expr__"}
        assert rule.data[-1].ref_id == rule.condition
        assert rule.annotations["runbook_url"].startswith(f"{ADDRESS}/runbooks/")


@pytest.mark.parametrize("language", LANGUAGES)
def test_grafana_finds_no_variable_of_its_environment_in_them(language: grafana.Language) -> None:
    """It would put nothing in for `$labels`, in labels and, by version, in annotations."""
    for rule in rules(language).values():
        assert "$" not in json.dumps([rule["labels"], rule["annotations"], rule["title"]])
        if language != "promql":
            queries = [part["model"]["query"] for part in rule["data"] if part["datasourceUid"] == "the-uid"]
            assert not [query for query in queries if "$" in query]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_alert_is_there_but_those_that_the_language_has_no_words_for(language: grafana.Language) -> None:
    names = {alert.name for alert in every_alert(Limits())}
    assert set(rules(language)) == names - ({"Watchdog"} if language == "promql" else LEFT_OUT)


def test_a_chain_with_thresholds_of_its_own_has_rules_of_its_own() -> None:
    alert = next(alert for alert in every_alert(Limits()) if alert.name == "StateDatabaseFilling")
    for language in LANGUAGES:
        made = grafana.rules([Scoped(alert, ("a/b",)), Scoped(alert, ("a/b",), but=False)], language, "u", ADDRESS)
        others, own = made["groups"][0]["rules"]
        assert others["uid"] != own["uid"]
        assert "a/b" in own["title"]
        assert "!~" in json.dumps(others["data"])
        assert re.search(r"=~ ?[\"/\\]", json.dumps(own["data"]))


@pytest.mark.parametrize("names", [("production-eu", "production-us"), ("a.b", "a-b"), ("é", "è")])
def test_chains_with_names_alike_have_rules_of_their_own(names: tuple[str, str]) -> None:
    """Grafana takes no file in which two rules have one uid, and would not start."""
    chosen = [Scoped(alert, names[:1], but=False) for alert in every_alert(Limits())]
    chosen += [Scoped(alert, names[1:], but=False) for alert in every_alert(Limits())]
    made = grafana.rules(chosen, "promql", "u", ADDRESS)
    uids = [rule["uid"] for group in made["groups"] for rule in group["rules"]]
    assert len(set(uids)) == len(uids)
    assert all(re.fullmatch(UID, uid) for uid in uids)


def test_a_dollar_in_names_and_secrets_is_one() -> None:
    """Grafana puts variables of its environment into titles, contact points and policies; `$$` is a `$` to it."""
    alert = next(alert for alert in every_alert(Limits()) if alert.name == "NodeSyncing")
    made = grafana.rules([Scoped(alert, ("a$b",), but=False)], "promql", "u", ADDRESS)
    assert made["groups"][0]["rules"][0]["title"] == "NodeSyncing-a$$b"
    channel = {"name": "pay$day", "chains": ["a$b"], "webhook": {"url": "https://h.example/$x", "token": "t$$1"}}
    section = Alerts.model_validate({"channels": [channel]})
    [point] = grafana.contact_points(section)["contactPoints"]
    settings = point["receivers"][0]["settings"]
    assert point["name"] == "pay$$day"
    assert (settings["url"], settings["authorization_credentials"]) == ("https://h.example/$$x", "t$$$$1")
    [route] = grafana.policies(section)["policies"][0]["routes"]
    assert (route["receiver"], route["object_matchers"][1][2]) == ("pay$$day", r"a\$$b")


def test_each_channel_is_a_contact_point_and_a_policy() -> None:
    section = Alerts.model_validate(
        {
            "channels": [
                {"name": "team", "webhook": {"url": "https://h.example/x", "token": "t"}},
                {"severity": "critical", "chains": ["te.st"], "slack": {"url": "https://s.example/x"}},
                {"telegram": {"chat": "@lab", "token": "1:x"}},
                {"mail": {"to": ["a@x.example", "b@x.example"], "from": "c@x.example", "server": "m:587"}},
                {"severity": "info", "pagerduty": {"key": "k"}},
            ]
        }
    )
    points = grafana.contact_points(section)["contactPoints"]
    assert [(point["name"], point["receivers"][0]["type"]) for point in points] == [
        ("team", "webhook"),
        ("slack-2", "slack"),
        ("telegram-3", "telegram"),
        ("mail-4", "email"),
        ("pagerduty-5", "pagerduty"),
    ]
    assert all(re.fullmatch(UID, point["receivers"][0]["uid"]) for point in points)
    settings = {point["name"]: point["receivers"][0]["settings"] for point in points}
    assert "&lt;" in settings["slack-2"]["text"], "a node is not called <!channel>"
    assert settings["telegram-3"]["parse_mode"] == "None", "nor is one called <b"
    [root] = grafana.policies(section)["policies"]
    assert [route["receiver"] for route in root["routes"]] == [point["name"] for point in points]
    assert root["routes"][1]["object_matchers"] == [["severity", "=~", "critical"], ["chain", "=~", r"te\.st"]]
    assert root["routes"][4]["object_matchers"] == [["severity", "=~", "critical|warning|info"]]


def test_what_grafana_cannot_do_is_told() -> None:
    channel = {"pagerduty": {"key": "k", "api": "https://events.eu.example"}}
    with pytest.raises(UnsupportedError, match="api"):
        grafana.contact_points(Alerts.model_validate({"channels": [channel]}))


# --- with real databases ---

MOMENTS = (200, 100, 5)
"""Seconds ago at which something was written."""

Points = list[tuple[Value, tuple[float, float, float]]]
"""What each metric was at these moments."""


def points_of(alert: Alert, *, fires: bool) -> Points:
    """Return readings at which an alert fires, or does not yet."""
    match alert.condition:
        case Signalled(signal):
            where = {"signal": signal}
            stands = (1.0, 1.0, 1.0 if fires else 0.0)
            return [
                (Value(M.chain_health_finding, ("chain", "subject"), where=where), stands),
                (Value(M.chain_health_finding_value, ("chain", "subject"), where=where), (3.0, 3.0, 3.0)),
            ]
        case Compared(expression, comparison, limit, unless):
            at_limit = (comparison in (">=", "==")) == fires
            found = _of(expression, limit if at_limit else limit + (1 if fires else -1), fires=fires)
            return found + (_of(unless.expression, 0.0, fires=False) if isinstance(unless, Compared) else [])
    raise AssertionError(alert)


def _of(expression: object, value: float, *, fires: bool) -> Points:
    match expression:
        case Ratio(over, under):
            return [*_of(over, value * 1000, fires=fires), *_of(under, 1000.0, fires=fires)]
        case Increase():
            return [(expression, (7.0, 7.0, 7.0 + value))]
        case Age():
            now = time.time()
            moment = now - value
            return [(expression, (moment, moment, moment) if fires else (now - 200, now - 100, now - 5))]
        case Value():
            return [(expression, (value, value, value))]
    raise AssertionError(expression)


def lines(alerts: list[Alert], *, fires: bool) -> Iterator[str]:
    """Yield the readings of all alerts as line protocol; those of one metric together."""
    now = int(time.time())
    yield f"chainwatch,instance=c gather_up=1 {now - 5}"
    for alert in alerts:
        for value, figures in points_of(alert, fires=fires):
            of = {label: label[0] for label in value.by} | dict(value.where)
            tags = "".join(f",{name}={text}" for name, text in of.items())
            for ago, figure in zip(MOMENTS, figures, strict=True):
                yield f"{value.metric.measurement}{tags} {value.metric.field}={figure:.6f} {now - ago}"


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, InfluxDb]]:
    """Run an InfluxDB as old as there is, and one with Flux."""
    with ExitStack() as stack:
        yield {
            name: stack.enter_context(influxdb(tmp_path_factory.mktemp(name), binary=name))
            for name in ("influxd", FLUX)
        }


def written(server: InfluxDb, name: str, alerts: list[Alert], *, fires: bool) -> None:
    """Write the readings into a database of this name."""
    assert server.query(f"CREATE DATABASE {name}").status == 200
    body = "\n".join(lines(alerts, fires=fires)).encode()
    answer = fetch(f"{server.url}/write?db={name}&precision=s", body)
    assert answer.status == 204, answer.text


@pytest.mark.real
@pytest.mark.parametrize(("binary", "language"), [("influxd", "influxql"), (FLUX, "influxql"), (FLUX, "flux")])
def test_each_fires_at_its_figures_and_not_before(
    servers: Mapping[str, InfluxDb], binary: str, language: grafana.Language
) -> None:
    """Once with readings at which all are to fire, and once with those right below it."""
    server, made = servers[binary], rules(language)
    tried = [alert for alert in every_alert(Limits()) if alert.name not in {*LEFT_OUT, "CollectorDown"}]
    for fires in (True, False):
        name = f"{language}_{fires}"
        written(server, name, tried, fires=fires)
        for alert in tried:
            told = firing(made[alert.name], database(server, name, language))
            labels = {**({"chain": "c"} if alert.of_chain else {}), **{label: label[0] for label in alert.of}}
            found = [{key: value for key, value in one.items() if key in labels} for one in told]
            assert found == ([labels] if fires else []), (alert.name, fires, made[alert.name]["data"])


@pytest.mark.real
@pytest.mark.parametrize(("binary", "language"), [("influxd", "influxql"), (FLUX, "flux")])
def test_of_nothing_only_the_collector_is_missed(
    servers: Mapping[str, InfluxDb], binary: str, language: grafana.Language
) -> None:
    server = servers[binary]
    assert server.query("CREATE DATABASE empty").status == 200
    told = {name: firing(rule, database(server, "empty", language)) for name, rule in rules(language).items()}
    assert {name: one for name, one in told.items() if one} == {"CollectorDown": [{}]}
    written(server, f"alive_{language}", [_stale()], fires=False)
    assert firing(rules(language)["CollectorDown"], database(server, f"alive_{language}", language)) == []


def _stale() -> Alert:
    return next(alert for alert in every_alert(Limits()) if alert.name == "GathersStale")


def database(server: InfluxDb, name: str, language: str) -> Database:
    """Return a database as Grafana would ask it."""
    return Flux(server.url, name) if language == "flux" else InfluxQl(server.url, name)
