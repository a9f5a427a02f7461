"""docs/health.md says what the table of signals and the thresholds say."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import pytest

from alerts.alert import Limits
from alerts.table import alerts
from collector.catalogue import BY_NAME
from collector.configuration import models
from collector.health.signals import SIGNALS, Signal
from collector.health.thresholds import Thresholds

DOCUMENT = (Path(__file__).parents[2] / "docs" / "health.md").read_text()


ALERTS = {alert.signal: alert.name for alert in alerts(Limits())}


@pytest.mark.parametrize("signal", SIGNALS.values(), ids=str)
def test_every_signal_is_explained_and_leads_to_its_runbook(signal: Signal) -> None:
    name = re.escape(f"[`{signal.key}`](../alerts/runbooks/{ALERTS[signal.key]}.md)")
    assert re.search(rf"^\| {name} \| {signal.severity} \| \S", DOCUMENT, re.MULTILINE)


def test_no_other_signals_are_explained() -> None:
    assert set(re.findall(r"^\| \[`(\w+)`\]", DOCUMENT, re.MULTILINE)) == set(SIGNALS)


def test_every_metric_that_is_named_is_one() -> None:
    named = set(re.findall(r"`(chain_(?:network|health|maker)_\w+)`", DOCUMENT))
    assert named
    assert named <= BY_NAME.keys()


def test_thresholds_of_the_configuration_are_those_of_health() -> None:
    known = {field.name: field.default for field in fields(Thresholds)}
    for key, field in models.Health.model_fields.items():
        assert field.default == known[key], key
        assert f"`{key}`" in DOCUMENT
