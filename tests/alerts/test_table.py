"""The table of alerts: one for each signal, named once, with texts that say whom they are of."""

from __future__ import annotations

import re
from dataclasses import fields, replace
from string import Formatter

import pytest

from alerts.alert import Alert, Compared, Limits, Signalled
from alerts.table import NAMES, alerts
from collector.health.signals import SIGNALS
from collector.health.thresholds import Thresholds
from collector.thresholds import PipelineThresholds
from dashboards.queries.expressions import Prom, Ratio, Value

EVERY = [pytest.param(alert, id=alert.name) for alert in alerts(Limits())]


def test_every_signal_has_an_alert_as_bad_as_it_is() -> None:
    told = {alert.signal: alert.severity for alert in alerts(Limits()) if alert.signal}
    assert told == {signal.key: signal.severity for signal in SIGNALS.values()}


def test_names_are_unique_and_in_camel_case() -> None:
    assert len(set(NAMES)) == len(NAMES)
    assert all(re.fullmatch(r"(?:[A-Z][a-z]+)+", name) for name in NAMES)


@pytest.mark.parametrize("alert", EVERY)
def test_texts_have_the_variables_of_the_alert_and_no_others(alert: Alert) -> None:
    variables = {name for _, name, _, _ in Formatter().parse(alert.description) if name}
    wanted = {"chain": alert.of_chain, "subject": bool(alert.of), "value": bool(alert.unit)}
    assert variables == {name for name, there in wanted.items() if there}
    assert not re.search(r"[{}\d]", alert.summary)


@pytest.mark.parametrize("alert", EVERY)
def test_whom_it_is_of_is_kept_by_what_it_looks_at(alert: Alert) -> None:
    match alert.condition:
        case Signalled(signal, figure):
            assert alert.of == (() if SIGNALS[signal].of == "chain" else ("subject",))
            assert figure == bool(alert.unit)
        case Compared(Prom()):
            assert alert.name in ("CollectorDown", "Watchdog")
        case Compared(Ratio(Value(by=by))) | Compared(Value(by=by)):
            assert set(by) == {*alert.of, *(["chain"] if alert.of_chain else [])}


def test_no_alert_is_told_to_nobody_but_the_dead_mans_switch() -> None:
    assert [alert.name for alert in alerts(Limits()) if alert.severity is None] == ["Watchdog"]


@pytest.mark.parametrize(
    ("limits", "name"),
    [
        (Limits(chain=Thresholds(state_database_share=0.5)), "StateDatabaseFilling"),
        (Limits(chain=Thresholds(syncing=60.0)), "NodeSyncing"),
        (Limits(chain=Thresholds(restarts=9)), "NodeRestarting"),
        (Limits(pipeline=PipelineThresholds(buffer_share=0.5)), "OutputBufferFilling"),
        (Limits(pipeline=PipelineThresholds(stale_seconds=60.0)), "GathersStale"),
        (Limits(pipeline=PipelineThresholds(missed_share=0.5)), "GathersMissed"),
        (Limits(pipeline=PipelineThresholds(failing_seconds=600.0)), "OutputFailing"),
    ],
)
def test_a_threshold_changes_its_alert_and_no_other(limits: Limits, name: str) -> None:
    changed = [now.name for now, before in zip(alerts(limits), alerts(Limits()), strict=True) if now != before]
    assert changed == [name]


def test_every_threshold_of_the_pipeline_is_of_some_alert() -> None:
    for field in fields(PipelineThresholds):
        limits = replace(Limits(), pipeline=replace(PipelineThresholds(), **{field.name: 0.123}))
        assert alerts(limits) != alerts(Limits()), field.name


def test_an_output_that_may_fail_for_a_moment_only_is_told_of_as_soon_as_that_can_be_known() -> None:
    alert = next(
        alert
        for alert in alerts(Limits(pipeline=PipelineThresholds(failing_seconds=1.0)))
        if alert.name == "OutputFailing"
    )
    assert alert.lasts == 0
