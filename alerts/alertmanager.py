"""Alertmanager's configuration: who is told of which alerts, how soon, how often, and what is not worth telling.

A group is an alert of one chain, so that thirty nodes that are down are one message. The seed of chainwatch, a monitor
that knew one node, told after three failures, and at most every 15 minutes. Here that is three things: health finds
what has held at two gathers, the rule's `for` waits a little longer, and `group_interval` is the 15 minutes: within
them a channel hears nothing new of the same alert and chain. What is critical comes sooner.

The keys are those of Alertmanager 0.25 to 0.27, but for `url_file` of a webhook and `bot_token_file`, which 0.26 was
the first to know: they are used only where secrets are to be in files.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from alerts.alert import Limits
from alerts.channels import WATCHDOG, UnsupportedError, named, secret_name, severities, way_of
from alerts.table import alerts as every_alert
from collector.configuration.alerting import Alerts, Channel, Mail, PagerDuty, Slack, Telegram, Webhook
from collector.health.assessment import Severity
from dashboards.queries.promql import duration, quoted

NOBODY = "nobody"
"""The receiver of what is told to no channel: it shows on Alertmanager's page."""

EXPLAINING = (
    "NodeClockOff",
    "NodeDown",
    "NodeForeign",
    "NodeForked",
    "NodeRestarting",
    "NodeWithoutPeers",
    "ProductionPaused",
)
"""Alerts of nodes that may say why a chain has halted: they are told beside it."""

_SMTPS = 465
"""The port at which Alertmanager speaks TLS from the first byte, and the only one."""

_HEADER = """\
# Whom Alertmanager tells, and of what. Made by chainwatch from its configuration: change that.
"""
_HOLDS_SECRETS = "# It holds secrets: let Alertmanager's user alone read it.\n"

_TITLE = (
    '[{{ .Status | toUpper }}{{ if eq .Status "firing" }}: {{ .Alerts.Firing | len }}{{ end }}] '
    "{{ .GroupLabels.alertname }}{{ with .GroupLabels.chain }} on {{ . }}{{ end }}"
)
_EACH = (
    '{{ range .Alerts }}{{ if eq .Status "resolved" }}Over: {{ end }}%s'
    '{{ with .Annotations.runbook_url }} {{ . }}{{ end }}{{ "\\n" }}{{ end }}'
)
_TEXT = _EACH % "{{ .Annotations.description }}"
TEXT_OF_SLACK = _EACH % (
    '{{ .Annotations.description | reReplaceAll "&" "&amp;" | reReplaceAll "<" "&lt;" | reReplaceAll ">" "&gt;" }}'
)
"""Names of nodes come from the nodes themselves, and between < and > Slack finds links and calls to everybody."""


@dataclass(frozen=True)
class Pace:
    """How soon and how often is told, in seconds."""

    critical_wait: float = 10.0
    """For how long further alerts of a group are waited for, before the first message ..."""
    wait: float = 30.0
    """... and where it is less bad: what silences these has come by then."""
    critical_every: float = 300.0
    """How long a channel hears nothing new of a group, after each message ..."""
    every: float = 900.0
    """... and where it is less bad."""
    repeat: float = 14_400.0
    """How often it is said again that an alert still fires."""
    watchdog: float = 300.0
    """How often the dead man's switch is called."""


def configuration(
    alerts: Alerts,
    *,
    pace: Pace | None = None,
    alone: bool = True,
    files: Callable[[str], str] | None = None,
) -> dict[str, Any]:
    """Return the configuration.

    `alone`: there is one collector. Of several, one that is down does not make the others blind, and silences nothing.
    `files` tells where the secret of a name (`alerts.channels.secrets`) lies; without it secrets are written as they
    are. Raises UnsupportedError.
    """
    pace = pace or Pace()
    hide = _Hiding(files)
    channels = dict(named(alerts))
    for reserved in (NOBODY, WATCHDOG):
        if reserved in channels:
            raise UnsupportedError(f"{reserved}: is what chainwatch calls a receiver of its own; choose another name")
    receivers: list[dict[str, Any]] = [{"name": NOBODY}]
    routes = [_to_watchdog(pace, WATCHDOG if alerts.watchdog else NOBODY)]
    if alerts.watchdog:
        hook = {"send_resolved": False, **hide("url", alerts.watchdog, WATCHDOG)}
        receivers.append({"name": WATCHDOG, "webhook_configs": [hook]})
    for name, channel in channels.items():
        receivers.append({"name": name, **_receiver(name, channel, hide)})
        routes.append(_to_channel(name, channel, pace))
    return {
        "route": {
            "receiver": NOBODY,
            "group_by": ["alertname", "chain"],
            "group_wait": duration(pace.wait),
            "group_interval": duration(pace.every),
            "repeat_interval": duration(pace.repeat),
            "routes": routes,
        },
        "inhibit_rules": list(inhibitions(alone=alone)),
        "receivers": receivers,
    }


def text(alerts: Alerts, *, pace: Pace | None = None, alone: bool = True) -> str:
    """Return the configuration as a file with its secrets, for its reader alone. Raises UnsupportedError."""
    content = configuration(alerts, pace=pace, alone=alone)
    header = _HEADER + (_HOLDS_SECRETS if alerts.channels or alerts.watchdog else "")
    return header + yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=1000)


def inhibitions(*, alone: bool) -> Iterator[dict[str, Any]]:
    """Yield what is not told while something else is.

    Somebody who is woken because a chain has halted needs no list of what follows from that: nodes behind, sealers
    without a block. What may be the cause is told all the same, as one message for all nodes. Where no node answers,
    each that doesn't says nothing new. What is critical in itself is told in any case.
    """
    of_nodes = [
        alert.name
        for alert in every_alert(Limits())
        if alert.group in ("nodes", "makers") and alert.of_chain and alert.severity is not Severity.CRITICAL
    ]
    yield {
        "source_matchers": ['severity="critical"'],
        "target_matchers": ['severity=~"warning|info"'],
        "equal": ["alertname", "chain", "subject"],
    }
    yield {
        "source_matchers": ['alertname="ChainHalted"'],
        "target_matchers": ['severity=~"warning|info"', _any_of("alertname", _less(of_nodes, EXPLAINING))],
        "equal": ["chain"],
    }
    yield {
        "source_matchers": ['alertname="ChainSilent"'],
        "target_matchers": ['severity=~"warning|info"', _any_of("alertname", of_nodes)],
        "equal": ["chain"],
    }
    if alone:
        yield {"source_matchers": ['alertname="CollectorDown"'], "target_matchers": ['chain=~".+"']}


def _less(names: Sequence[str], others: Sequence[str]) -> list[str]:
    return [name for name in names if name not in others]


def _to_watchdog(pace: Pace, receiver: str) -> dict[str, Any]:
    """Return the route of what fires at all times. It is looked at often, so that no call is left out."""
    return {
        "receiver": receiver,
        "matchers": ['severity="none"'],
        "group_by": ["alertname"],
        "group_wait": "0s",
        "group_interval": duration(pace.watchdog / 5),
        "repeat_interval": duration(pace.watchdog * 0.9),  # a call is due at the first look after this
    }


def _to_channel(name: str, channel: Channel, pace: Pace) -> dict[str, Any]:
    matchers = [_any_of("severity", [str(severity) for severity in severities(channel)])]
    if channel.chains:
        matchers.append(_any_of("chain", channel.chains))
    sooner = {
        "matchers": [f'severity="{Severity.CRITICAL}"'],
        "group_wait": duration(pace.critical_wait),
        "group_interval": duration(pace.critical_every),
    }
    return {"receiver": name, "matchers": matchers, "continue": True, "routes": [sooner]}


def _any_of(label: str, texts: Sequence[str]) -> str:
    """Return a matcher of a label that is one of these texts."""
    if len(texts) == 1:
        return f"{label}={quoted(texts[0])}"
    return f"{label}=~{quoted('|'.join(re.escape(each) for each in texts))}"


class _Hiding:
    """Writes secrets as they are, or says in which file each is."""

    def __init__(self, files: Callable[[str], str] | None) -> None:
        self._files = files

    def __call__(self, key: str, value: str | None, name: str, *, file_key: str = "") -> dict[str, str]:
        """Return a key with the secret of this name, nothing where there is none."""
        if value is None:
            return {}
        return {key: value} if self._files is None else {file_key or f"{key}_file": self._files(name)}


def _receiver(name: str, channel: Channel, hide: _Hiding) -> dict[str, Any]:
    way = getattr(channel, way_of(channel))
    match way:
        case Webhook():
            return {"webhook_configs": [_webhook(name, way, hide)]}
        case Slack():
            return {"slack_configs": [_slack(name, way, hide)]}
        case Telegram():
            return {"telegram_configs": [_telegram(name, way, hide)]}
        case Mail():
            return {"email_configs": [_mail(name, way, hide)]}
        case PagerDuty():
            return {"pagerduty_configs": [_pagerduty(name, way, hide)]}
    raise AssertionError(way)


def _webhook(name: str, way: Webhook, hide: _Hiding) -> dict[str, Any]:
    token = way.token.get_secret_value() if way.token else None
    credentials = hide("credentials", token, secret_name(name, "token"))
    http = {"http_config": {"authorization": credentials}} if credentials else {}
    return {"send_resolved": True, **hide("url", way.url, secret_name(name, "url")), **http}


def _slack(name: str, way: Slack, hide: _Hiding) -> dict[str, Any]:
    url = way.url.get_secret_value() if way.url else None
    return {
        "send_resolved": True,
        **hide("api_url", url, secret_name(name, "url")),
        "title": _TITLE,
        "text": TEXT_OF_SLACK,
    }


def _telegram(name: str, way: Telegram, hide: _Hiding) -> dict[str, Any]:
    if not re.fullmatch(r"-?[0-9]{1,18}", way.chat):
        raise UnsupportedError(f"{name}: Alertmanager knows chats of Telegram by number alone; write that in `chat`")
    token = way.token.get_secret_value() if way.token else None
    return {
        "send_resolved": True,
        "api_url": way.api,
        **hide("bot_token", token, secret_name(name, "token")),
        "chat_id": int(way.chat),
        "message": f'{_TITLE}{{{{ "\\n" }}}}{_TEXT}',
        "parse_mode": "",
    }


def _mail(name: str, way: Mail, hide: _Hiding) -> dict[str, Any]:
    if (way.tls == "tls") != (way.server.port == _SMTPS):
        raise UnsupportedError(
            f"{name}: Alertmanager speaks TLS from the first byte at port {_SMTPS}, and nowhere else; "
            "write `tls: tls` and that port, or neither"
        )
    password = way.password.get_secret_value() if way.password else None
    user = {"auth_username": way.username} if way.username else {}
    return {
        "send_resolved": True,
        "to": ", ".join(way.to),
        "from": way.sender,
        "smarthost": str(way.server),
        **user,
        **hide("auth_password", password, secret_name(name, "password")),
        "require_tls": way.tls == "starttls",
        "headers": {"Subject": _TITLE},
    }


def _pagerduty(name: str, way: PagerDuty, hide: _Hiding) -> dict[str, Any]:
    key = way.key.get_secret_value() if way.key else None
    return {
        "send_resolved": True,
        "url": f"{way.api}/v2/enqueue",
        **hide("routing_key", key, secret_name(name, "key")),
        "client": "chainwatch",
        "client_url": "{{ .ExternalURL }}",
        "description": _TITLE,
        "severity": "{{ with .CommonLabels.severity }}{{ . }}{{ else }}critical{{ end }}",
        "details": {"alerts": _TEXT},
    }
