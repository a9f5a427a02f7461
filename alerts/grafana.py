"""The alerts as rules that Grafana itself evaluates, for who has InfluxDB and Grafana, and no Prometheus.

Files for Grafana's provisioning folder: rules, and from the channels contact points and notification policies. What is
asked of InfluxDB is asked as dashboards ask it; the figures compared are the same as in Prometheus' rules. A rule is

    A  what is looked at, in the database's language      D  what else decides, or is told of, if anything does
    B  the last value of A, for each chain and subject    E  the last value of D
    C  the comparison: 1 fires

What can't be said of InfluxDB is otherwise, or left out: see `rules`. No Grafana could be had to try these files; what
they ask was tried with InfluxDB, and their form is held against Grafana's documentation. Where Grafana looks for
variables of its environment, a `$` is doubled, or there is none.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

from grafanalib.core import (  # type: ignore[import-untyped]  # grafanalib has no types
    ALERTRULE_STATE_DATA_ERROR,
    ALERTRULE_STATE_DATA_OK,
    EXP_REDUCER_FUNC_DROP_NN,
    EXP_REDUCER_FUNC_LAST,
    EXP_TYPE_MATH,
    EXP_TYPE_REDUCE,
    AlertExpression,
    AlertFileBasedProvisioning,
    AlertGroup,
    AlertRulev9,
)

from alerts.alert import Alert, Compared, Group, Signalled, Unit
from alerts.alertmanager import TEXT_OF_SLACK, Pace
from alerts.channels import UnsupportedError, named, severities, way_of
from alerts.chosen import Scoped
from alerts.entrypoint import OF_ENTRYPOINT
from alerts.promql import condition_in_promql
from alerts.rulefile import runbook_url, severity
from collector.catalogue import M
from collector.configuration.alerting import Alerts, Channel, Mail, PagerDuty, Slack, Telegram, Webhook
from collector.health.assessment import Severity
from dashboards.queries import influx
from dashboards.queries.expressions import Age, Expression, Increase, Value
from dashboards.queries.flux import flux
from dashboards.queries.influxql import influxql
from dashboards.queries.promql import Scope as PromScope
from dashboards.queries.promql import duration

Language = Literal["promql", "influxql", "flux"]

FOLDER = "chainwatch"
"""The folder of Grafana's that rules are in, beside the dashboards."""

SINCE = 300.0
"""Seconds for which the last value of something counts as its value, where it is gathered at least every 100 s."""

_EVERY = "30s"
_EXPRESSIONS = "__expr__"
"""What Grafana calls the datasource that its own expressions have."""

_DEFAULT_RECEIVER = "grafana-default-email"
"""The contact point that every Grafana begins with."""

_LONGEST_UID = 40

_FINDING = ("chain", "subject")
_WITHOUT_INFLUXDB = {alert.name for alert in OF_ENTRYPOINT}
"""Alerts of pages that Prometheus alone reads."""

_COLLECTOR_DOWN = "CollectorDown"
_TITLE = (
    '[{{ .Status | toUpper }}{{ if eq .Status "firing" }}: {{ .Alerts.Firing | len }}{{ end }}] '
    "{{ .GroupLabels.alertname }}{{ with .GroupLabels.chain }} on {{ . }}{{ end }}"
)


@dataclass(frozen=True)
class _Asked:
    """What a rule asks: the queries A and D, the comparison of their last values, and which of them is told."""

    queries: Sequence[str]
    math: str
    told: Literal["B", "E"] = "B"
    fires_on_nothing: bool = False

    @property
    def named(self) -> Iterator[tuple[str, str]]:
        """The queries with their names."""
        return zip("AD", self.queries, strict=False)


def since(slowest: float) -> float:
    """Return the same for any interval of gathers, the longest that there is: for three of them."""
    return max(SINCE, 3 * slowest)


def rules(
    chosen: Iterable[Scoped], language: Language, datasource: str, address: str, *, since: float = SINCE
) -> dict[str, Any]:
    """Return the rules, for the datasource of this uid; runbooks are at `address`.

    `since`: for so many seconds what was written last is taken for what is; more than two gathers have to be in it.

    In InfluxDB's languages, CollectorDown fires where nothing has come; GathersStale fires where ChainSilent does, too;
    Watchdog, and the alerts of nodeos's entrypoint, are left out. Where the database does not answer, CollectorDown
    says so, and all others stay as they are.
    """
    chosen = tuple(each for each in chosen if each.alert.severity is not None)
    groups = []
    for group in get_args(Group):
        made = [
            _rule(each, asked, address, [_query(*it, language, datasource, since) for it in asked.named])
            for each in chosen
            if each.alert.group == group and (asked := _asked(each, language, since)) is not None
        ]
        if made:
            shell = AlertGroup(f"chainwatch-{group}", folder=FOLDER, evaluateInterval=_EVERY).to_json_data()
            groups.append({"orgId": 1, **shell, "rules": made})
    found: dict[str, Any] = AlertFileBasedProvisioning(groups).to_json_data()
    return found


def contact_points(alerts: Alerts) -> dict[str, Any]:
    """Return the channels as contact points, with their secrets: a file for Grafana alone. Raises UnsupportedError.

    Mail goes by the server that Grafana itself is configured with.
    """
    points = [
        {"orgId": 1, "name": name, "receivers": [{"uid": _uid(name), **_receiver(name, channel)}]}
        for name, channel in named(alerts)
    ]
    found: dict[str, Any] = _no_variables({"apiVersion": 1, "contactPoints": points})
    return found


def policies(alerts: Alerts, *, pace: Pace | None = None) -> dict[str, Any]:
    """Return who is told of what, at Alertmanager's pace. Grafana knows no inhibition: nothing silences anything.

    They take the place of all policies that there are.
    """
    pace = pace or Pace()
    root = {
        "orgId": 1,
        "receiver": _DEFAULT_RECEIVER,
        "group_by": ["alertname", "chain"],
        "group_wait": duration(pace.wait),
        "group_interval": duration(pace.every),
        "repeat_interval": duration(pace.repeat),
        "routes": [_policy(name, channel, pace) for name, channel in named(alerts)],
    }
    found: dict[str, Any] = _no_variables({"apiVersion": 1, "policies": [root]})
    return found


def _rule(each: Scoped, asked: _Asked, address: str, queries: list[dict[str, Any]]) -> dict[str, Any]:
    alert = each.alert
    scoped = "" if each.but else "-" + "-".join(each.chains)
    labels = {"severity": severity(alert)}
    if alert.signal:
        labels["signal"] = alert.signal
    if alert.of and alert.of != ("subject",):
        labels["subject"] = _subject(alert)
    made = AlertRulev9(
        title=alert.name + scoped,
        uid=_uid(alert.name + scoped),
        condition="C",
        triggers=[*_last_of(asked), _expression("C", EXP_TYPE_MATH, asked.math)],
        evaluateFor=duration(alert.lasts),
        labels=labels,
        annotations={
            "summary": alert.summary,
            "description": _description(alert, asked.told),
            "runbook_url": runbook_url(alert, address),
        },
        noDataAlertState=ALERTRULE_STATE_DATA_OK,
        errorAlertState=ALERTRULE_STATE_DATA_ERROR if asked.fires_on_nothing else ALERTRULE_STATE_DATA_OK,
    ).to_json_data()
    return _provisioned(made, queries) | ({"noDataState": "Alerting"} if asked.fires_on_nothing else {})


def _provisioned(made: dict[str, Any], queries: list[dict[str, Any]]) -> dict[str, Any]:
    """Return a rule in the form of files: grafanalib knows that of Grafana's HTTP interface, and no InfluxDB in it."""
    inner = made.pop("grafana_alert")
    for expression in inner["data"]:
        expression["datasourceUid"] = _EXPRESSIONS
        expression["model"]["datasource"]["uid"] = _EXPRESSIONS
    return {
        "uid": made["uid"],
        "title": _no_variables(inner["title"]),
        "condition": inner["condition"],
        "data": [*queries, *inner["data"]],
        "noDataState": "OK",
        "execErrState": inner["exec_err_state"],
        "for": made["for"],
        "labels": made["labels"],
        "annotations": made["annotations"],
        "isPaused": False,
    }


def _last_of(asked: _Asked) -> Iterator[AlertExpression]:
    for source, last in zip("AD"[: len(asked.queries)], "BE", strict=False):
        yield _expression(last, EXP_TYPE_REDUCE, source)


def _expression(ref: str, kind: str, text: str) -> AlertExpression:
    return AlertExpression(
        refId=ref,
        expression=text,
        expressionType=kind,
        reduceFunction=EXP_REDUCER_FUNC_LAST,
        reduceMode=EXP_REDUCER_FUNC_DROP_NN,
    )


def _query(ref: str, text: str, language: Language, datasource: str, since: float) -> dict[str, Any]:
    model: dict[str, Any] = {"refId": ref, "intervalMs": 1000, "maxDataPoints": 43200}
    match language:
        case "promql":
            model |= {"expr": text, "instant": True, "range": False}
        case "influxql":
            model |= {"query": text, "rawQuery": True, "resultFormat": "time_series"}
        case "flux":
            model |= {"query": text}
    return {
        "refId": ref,
        "relativeTimeRange": {"from": int(since), "to": 0},
        "datasourceUid": datasource,
        "model": model,
    }


def _asked(each: Scoped, language: Language, since: float) -> _Asked | None:
    """Return what is asked for an alert, None where the language can't ask for it."""
    alert = each.alert
    if language == "promql":  # whoever is in the answer fires, as in Prometheus' own rules
        return _Asked([condition_in_promql(alert.condition, _prom_scope(each))], "is_number($B)")
    if alert.name in _WITHOUT_INFLUXDB:
        return None
    if alert.name == _COLLECTOR_DOWN:
        return _Asked([_put(_ANYTHING, each, language, since)], "$B < 0", fires_on_nothing=True)
    match alert.condition:
        case Signalled(signal, figure):
            where = {"signal": signal}
            metrics = [M.chain_health_finding, *([M.chain_health_finding_value] if figure else [])]
            values = [Value(metric, _FINDING, where=where) for metric in metrics]
            queries = [_put(value, each, language, since) for value in values]
            return _Asked(queries, "$B == 1", "E" if figure else "B")
        case Compared(expression, comparison, limit, unless):
            math = f"$B {comparison} {limit:.15g}"
            if isinstance(expression, Age) and language == "influxql":
                expression, math = _not_risen(expression, limit), "$B <= 0"
            try:
                queries = [_put(expression, each, language, since)]
                if isinstance(unless, Compared):
                    queries.append(_put(unless.expression, each, language, since))
                    math += f" && !($E {unless.comparison} {unless.limit:.15g})"
            except influx.UnsayableError:
                return None
            return _Asked(queries, math)


_ANYTHING = Value(M.chainwatch_gather_success_timestamp_seconds, ())
"""What every collector says at all times."""


def _not_risen(age: Age, limit: float) -> Expression:
    """Return by how much a moment has risen in so many seconds: by nothing, if it is longer ago."""
    return Increase(age.metric, age.by, where=age.where, seconds=limit)


def _put(expression: Expression, each: Scoped, language: Language, since: float) -> str:
    scope = influx.Scope(_matchers(each), shape="values", since=duration(since))
    return influxql(expression, scope) if language == "influxql" else flux(expression, scope)


def _matchers(each: Scoped) -> dict[str, str]:
    if not each.chains:
        return {}
    listed = "|".join(re.escape(name).replace("/", "\\/") for name in each.chains)
    return {"chain": f"{'!~' if each.but else '=~'} /^({listed})$/"}


def _prom_scope(each: Scoped) -> PromScope:
    if not each.chains:
        return PromScope()
    listed = "|".join(re.escape(name) for name in each.chains).replace("\\", "\\\\").replace('"', '\\"')
    return PromScope({"chain": f'{"!~" if each.but else "=~"}"{listed}"'})


def _subject(alert: Alert) -> str:
    return " ".join(f"{{{{ .Labels.{label} }}}}" for label in alert.of)


def _description(alert: Alert, told: str) -> str:
    """Return the description as a template of Grafana."""
    return alert.description.format(
        chain="{{ .Labels.chain }}", subject=_subject(alert), value=_value(alert.unit, f".Values.{told}.Value")
    )


def _value(unit: Unit, value: str) -> str:
    match unit:
        case "":
            return f"{{{{ {value} }}}}"
        case "second":
            return f"{{{{ humanizeDuration {value} }}}}"
        case "ratio":
            return f"{{{{ humanizePercentage {value} }}}}"
    return f'{{{{ with printf "%.0f" {value} }}}}{{{{ . }}}} {unit}{{{{ if ne . "1" }}}}s{{{{ end }}}}{{{{ end }}}}'


def _uid(name: str) -> str:
    """Return what Grafana knows something by: 40 characters at most, and never those of another name."""
    plain = re.sub(r"[^A-Za-z0-9_-]", "-", f"chainwatch-{name}")
    if plain == f"chainwatch-{name}" and len(plain) <= _LONGEST_UID:
        return plain
    mark = hashlib.sha256(name.encode()).hexdigest()[:12]
    return f"{plain[: _LONGEST_UID - 1 - len(mark)]}-{mark}"


def _no_variables(content: Any) -> Any:  # noqa: ANN401 - texts, and what holds such
    """Return texts in which Grafana finds no variables of its environment: `$$` is a `$` to it."""
    match content:
        case str():
            return content.replace("$", "$$")
        case list():
            return [_no_variables(each) for each in content]
        case dict():
            return {key: _no_variables(each) for key, each in content.items()}
    return content


def _policy(name: str, channel: Channel, pace: Pace) -> dict[str, Any]:
    matchers = [["severity", "=~", "|".join(severities(channel))]]
    if channel.chains:
        matchers.append(["chain", "=~", "|".join(re.escape(chain) for chain in channel.chains)])
    sooner = {
        "receiver": name,
        "object_matchers": [["severity", "=", str(Severity.CRITICAL)]],
        "group_wait": duration(pace.critical_wait),
        "group_interval": duration(pace.critical_every),
    }
    return {"receiver": name, "object_matchers": matchers, "continue": True, "routes": [sooner]}


def _receiver(name: str, channel: Channel) -> dict[str, Any]:
    way = getattr(channel, way_of(channel))
    match way:
        case Webhook():
            kind, settings = "webhook", {"url": way.url, "httpMethod": "POST"}
            if way.token:
                token = way.token.get_secret_value()
                settings |= {"authorization_scheme": "Bearer", "authorization_credentials": token}
        case Slack():
            url = way.url.get_secret_value() if way.url else ""
            kind, settings = "slack", {"url": url, "title": _TITLE, "text": TEXT_OF_SLACK}
        case Telegram():
            _of_its_own(name, way)
            kind, settings = (
                "telegram",
                {
                    "bottoken": way.token.get_secret_value() if way.token else "",
                    "chatid": way.chat,
                    "parse_mode": "None",
                },
            )
        case Mail():
            kind, settings = "email", {"addresses": ";".join(way.to), "subject": _TITLE}
        case PagerDuty():
            _of_its_own(name, way)
            kind, settings = (
                "pagerduty",
                {
                    "integrationKey": way.key.get_secret_value() if way.key else "",
                    "severity": "{{ .CommonLabels.severity }}",
                    "summary": _TITLE,
                },
            )
        case _:
            raise AssertionError(way)
    return {"type": kind, "disableResolveMessage": False, "settings": settings}


def _of_its_own(name: str, way: Telegram | PagerDuty) -> None:
    if way.api != type(way).model_fields["api"].default:
        raise UnsupportedError(f"{name}: Grafana asks for no other `api` than the service's own; leave it out")
