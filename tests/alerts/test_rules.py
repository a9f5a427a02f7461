"""Prometheus' rules: promtool accepts them, and every alert's own tests in `rules/` pass."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import pytest
import yaml

from alerts.alert import Alert, Compared, Limits
from alerts.chosen import by_default
from alerts.recording import RECORDED
from alerts.rulefile import COMMITTED, rules
from alerts.table import NAMES, alerts
from dashboards.queries.expressions import Increase, Ratio
from tests.alerts.promtool import promtool

FILES = Path(__file__).parent / "rules"

SITUATIONS = ("fires", "does not fire", "clears", "at the edge of", "series missing")
"""What each alert is tried with: how the names of its tests begin."""

ALERTS = {alert.name: alert for alert in alerts(Limits())}

EVERY = [pytest.param(alert, id=alert.name) for alert in ALERTS.values()]

TEMPLATE = re.compile(r"\{\{.*?\}\}|\{\w+\}")


def looks_at_a_counter(alert: Alert) -> bool:
    condition = alert.condition
    if not isinstance(condition, Compared):
        return False
    expression = condition.expression
    return isinstance(expression.over if isinstance(expression, Ratio) else expression, Increase)


def test_the_rules_that_are_kept_are_those_of_the_table() -> None:
    assert COMMITTED.read_text() == rules(by_default()), "python -m alerts makes them anew"


@pytest.mark.real
def test_promtool_accepts_the_rules() -> None:
    said = promtool("check", "rules", str(COMMITTED))
    assert f"SUCCESS: {len(NAMES) + len(RECORDED)} rules found" in said


@pytest.mark.real
@pytest.mark.slow
def test_every_alert_fires_does_not_and_clears_as_its_tests_say() -> None:
    """One run for all: what promtool says of a test that fails names the file, the test and the moment."""
    promtool("test", "rules", *(str(FILES / f"{name}.yaml") for name in NAMES))


@pytest.mark.real
def test_a_test_that_is_wrong_fails(tmp_path: Path) -> None:
    """What passes above could not pass otherwise: the same file with another figure does not."""
    text = (FILES / "NodeBehind.yaml").read_text()
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text(
        text.replace("../../../alerts/prometheus", str(COMMITTED.parent)).replace("is 7 blocks", "is 8 blocks")
    )
    with pytest.raises(AssertionError, match="is 7 blocks behind"):
        promtool("test", "rules", str(wrong))


def test_no_tests_are_of_alerts_that_there_are_not() -> None:
    assert sorted(path.stem for path in FILES.iterdir()) == sorted(NAMES)


@pytest.mark.parametrize("alert", EVERY)
def test_every_alert_is_tried_in_all_situations(alert: Alert) -> None:
    file = yaml.safe_load((FILES / f"{alert.name}.yaml").read_text())
    wanted: Sequence[str] = (*SITUATIONS, *(["counter starts anew"] if looks_at_a_counter(alert) else []))
    if alert.name == "Watchdog":
        wanted = ("fires", "series missing")  # it fires at all times
    for situation in wanted:
        tests = [test for test in file["tests"] if test["name"].startswith(situation)]
        assert tests, situation
        asked = [check for test in tests for check in test["alert_rule_test"]]
        assert all(check["alertname"] == alert.name for check in asked), situation
    outcomes = [bool(check["exp_alerts"]) for test in file["tests"] for check in test["alert_rule_test"]]
    assert True in outcomes
    assert alert.name == "Watchdog" or False in outcomes


@pytest.mark.parametrize("alert", EVERY)
def test_the_edge_of_for_is_the_alerts_own(alert: Alert) -> None:
    """An alert that waits is tried one evaluation before it fires, and when it does."""
    file = yaml.safe_load((FILES / f"{alert.name}.yaml").read_text())
    if not alert.lasts:
        return
    edge = next(test for test in file["tests"] if test["name"] == "at the edge of for")
    (before, nothing), (after, something) = (
        (seconds(check["eval_time"]), check["exp_alerts"]) for check in edge["alert_rule_test"]
    )
    assert after - before == seconds(file["evaluation_interval"])
    assert not nothing
    assert something


def seconds(text: str) -> int:
    """Return a duration of Prometheus in seconds."""
    return sum(int(number) * {"h": 3600, "m": 60, "s": 1}[unit] for number, unit in re.findall(r"(\d+)([hms])", text))


@pytest.mark.parametrize("alert", EVERY)
def test_every_rule_says_what_there_is_to_say(alert: Alert) -> None:
    groups = yaml.safe_load(COMMITTED.read_text())["groups"]
    [(group, rule)] = [
        (group["name"], rule) for group in groups for rule in group["rules"] if rule.get("alert") == alert.name
    ]
    assert group == f"chainwatch-{alert.group}"
    assert rule["labels"]["severity"] in ("critical", "warning", "info", "none")
    notes = rule["annotations"]
    assert notes["runbook_url"].endswith(f"/runbooks/{alert.name}")
    assert not TEMPLATE.search(notes["summary"])
    assert notes["summary"].endswith(".")
    assert ("$labels.chain" in notes["description"]) == alert.of_chain
    assert ("$value" in notes["description"]) == bool(alert.unit)
    assert all(f"$labels.{label}" in notes["description"] for label in alert.of)
    assert "for" not in rule or rule["for"] != "0s"
