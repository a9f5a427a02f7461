"""Whom Alertmanager tells, by its own tools: its configuration is read, and routes lead where they should."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from alerts import alertmanager
from alerts.alert import Limits
from alerts.alertmanager import Pace
from alerts.channels import UnsupportedError, as_configured, secrets
from alerts.table import alerts as every_alert
from collector.configuration.alerting import Alerts
from collector.health.assessment import Severity
from tests.real.servers import require

EVERY_WAY: dict[str, Any] = {
    "channels": [
        {"webhook": {"url": "https://hooks.example/hunter2", "token": "hunter2"}},
        {"name": "on-call", "severity": "critical", "slack": {"url": "https://hooks.slack.example/hunter2"}},
        {"severity": "info", "chains": ["te.st", 'o"d|d'], "telegram": {"chat": "-100123", "token": "1:hunter2"}},
        {
            "chains": ["lab"],
            "mail": {"to": ["a@x.example", "b@x.example"], "from": "c@x.example", "server": "mail.example:587"},
        },
        {"pagerduty": {"key": "hunter2"}},
    ],
    "watchdog": "https://hooks.example/hunter2",
}


def of(section: dict[str, Any]) -> Alerts:
    """Return a section `alerts`."""
    return Alerts.model_validate(section)


def amtool(*arguments: str | Path) -> str:
    """Run amtool and return what it printed."""
    argv = [require("amtool"), *map(str, arguments)]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def written(section: dict[str, Any], folder: Path) -> Path:
    """Write Alertmanager's configuration into a folder and return the file."""
    path = folder / "alertmanager.yaml"
    path.write_text(alertmanager.text(of(section)), encoding="utf-8")
    return path


@pytest.mark.real
@pytest.mark.parametrize("section", [{}, EVERY_WAY], ids=["nobody", "every way"])
def test_alertmanager_takes_it(section: dict[str, Any], tmp_path: Path) -> None:
    told = amtool("check-config", written(section, tmp_path))
    assert f"{len(section.get('channels', ())) + 1 + bool(section)} receivers" in told


@pytest.mark.real
@pytest.mark.parametrize(
    ("labels", "receivers"),
    [
        ({"severity": "critical", "chain": "lab"}, "webhook-1,on-call,mail-4,pagerduty-5"),
        ({"severity": "warning", "chain": "lab"}, "webhook-1,mail-4,pagerduty-5"),
        ({"severity": "warning", "chain": "other"}, "webhook-1,pagerduty-5"),
        ({"severity": "info", "chain": "te.st"}, "telegram-3"),
        ({"severity": "info", "chain": "teXst"}, "nobody"),
        ({"severity": "info", "chain": 'o"d|d'}, "telegram-3"),
        ({"severity": "info", "chain": "lab"}, "nobody"),
        ({"severity": "critical"}, "webhook-1,on-call,pagerduty-5"),
        ({"severity": "none"}, "watchdog"),
        ({}, "nobody"),
    ],
)
def test_an_alert_reaches_those_that_want_it(labels: dict[str, str], receivers: str, tmp_path: Path) -> None:
    """By severity and chain; what is of chainwatch itself reaches those that named no chain."""
    wanted = [f"{name}={_quoted(text)}" for name, text in labels.items()]
    told = amtool("config", "routes", "test", f"--config.file={written(EVERY_WAY, tmp_path)}", *wanted)
    assert told.strip() == receivers


def test_of_what_is_always_firing_nobody_is_told_but_the_one_who_waits_for_it() -> None:
    [first, *_] = alertmanager.configuration(of({}))["route"]["routes"]
    assert (first["receiver"], first["matchers"]) == ("nobody", ['severity="none"'])


def test_secrets_lie_in_files_where_there_are_such() -> None:
    text = yaml.safe_dump(alertmanager.configuration(of(EVERY_WAY), files="/run/{}".format))
    assert "hunter2" not in text
    assert {name for name in secrets(of(EVERY_WAY)) if f"/run/{name}" not in text} == set()


def test_what_is_configured_is_configured_again_of_files(tmp_path: Path) -> None:
    section = of(EVERY_WAY)
    for name, secret in secrets(section).items():
        (tmp_path / name).write_text(secret)
    said = as_configured(section, lambda name: str(tmp_path / name))
    assert "hunter2" not in str(said)
    assert secrets(of(said)) == secrets(section)
    assert alertmanager.text(of(said)) == alertmanager.text(section)


@pytest.mark.parametrize(
    ("channel", "what"),
    [
        ({"telegram": {"chat": "@lab", "token": "x"}}, "by number"),
        ({"mail": {"to": ["a@x.example"], "from": "b@x.example", "server": "m:587", "tls": "tls"}}, "port 465"),
        ({"mail": {"to": ["a@x.example"], "from": "b@x.example", "server": "m:465"}}, "port 465"),
        ({"name": "nobody", "slack": {"url": "https://x.example"}}, "another name"),
        ({"name": "watchdog", "slack": {"url": "https://x.example"}}, "another name"),
    ],
)
def test_what_alertmanager_cannot_do_is_told(channel: dict[str, Any], what: str) -> None:
    with pytest.raises(UnsupportedError, match=what):
        alertmanager.configuration(of({"channels": [channel]}))


def test_what_inhibits_and_what_is_inhibited_are_alerts() -> None:
    """A rule that names an alert which is renamed would silence nothing, and say nothing."""
    names = {alert.name for alert in every_alert(Limits())}
    for rule in alertmanager.inhibitions(alone=True):
        for matcher in [*rule["source_matchers"], *rule["target_matchers"]]:
            label, _, texts = matcher.replace("=~", "=").partition("=")
            if label == "alertname":
                assert set(texts.strip('"').split("|")) <= names
    assert set(alertmanager.EXPLAINING) <= names


def test_a_node_that_is_critical_silences_no_other_node() -> None:
    """Rules of an operator's own may be worse for some nodes than for others."""
    first = next(alertmanager.inhibitions(alone=True))
    assert first["equal"] == ["alertname", "chain", "subject"]


def test_what_is_critical_is_silenced_by_a_blind_collector_alone() -> None:
    targets = [rule["target_matchers"] for rule in alertmanager.inhibitions(alone=False)]
    assert all('severity=~"warning|info"' in matchers for matchers in targets)
    critical = [alert.name for alert in every_alert(Limits()) if alert.severity is Severity.CRITICAL]
    assert not [name for name in critical for matchers in targets if name in matchers[-1]]


def test_one_of_several_collectors_silences_nothing() -> None:
    assert "CollectorDown" in str(alertmanager.configuration(of({}))["inhibit_rules"])
    assert "CollectorDown" not in str(alertmanager.configuration(of({}), alone=False)["inhibit_rules"])


def test_the_pace_is_that_of_the_seed() -> None:
    """Of the same alert and chain a channel hears nothing new for 15 minutes; sooner where it is critical."""
    found = alertmanager.configuration(of(EVERY_WAY))["route"]
    assert (found["group_by"], found["group_interval"]) == (["alertname", "chain"], "15m")
    for route in found["routes"][1:]:
        assert route["routes"][0]["matchers"] == ['severity="critical"']
        assert "group_interval" not in route
    slower = alertmanager.configuration(of(EVERY_WAY), pace=Pace(every=3600.0))["route"]
    assert slower["group_interval"] == "1h"


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '\\"') + '"'
