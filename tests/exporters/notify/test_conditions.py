"""Which alerts hold, by real readings: findings, figures, rises, ages, and what is not heard any more."""

from __future__ import annotations

import pytest

from alerts.alert import Alert, Limits
from alerts.table import alerts
from collector.catalogue import BY_NAME
from collector.health.assessment import Assessment, Finding, Severity
from collector.health.readings import HealthReadings
from collector.readings import Reading, Shape
from exporters.notify.conditions import holding, of_pipeline, told_by_readings, wanted
from exporters.notify.figures import FRESH, MOST_SERIES, Figures
from exporters.notify.notice import Identity

T0 = 1_700_000_000.0
INTERVAL = 10.0

ALERTS = {alert.name: alert for alert in alerts(Limits())}
TOLD = [alert for alert in ALERTS.values() if told_by_readings(alert)]


def figures() -> Figures:
    return Figures(wanted(TOLD))


def reading(name: str, value: float, at: float, **labels: str) -> Reading:
    """Return a reading of one metric of the catalogue."""
    metric = BY_NAME[name]
    return Reading(Shape(metric.measurement, labels, [metric.as_field]), [value], int(at * 1e9))


def held(alert: str, known: Figures, at: float, chain: str = "lab") -> dict[str, float]:
    """Return the subjects of which an alert holds, and the values."""
    found: Alert = ALERTS[alert]
    holds = holding(found, known, chain if found.of_chain else "", at)
    return {identity.subject: value for identity, value in holds.items()}


def assessed(*findings: Finding) -> list[Reading]:
    """Return the readings of an assessment that found these."""
    assessment = Assessment(chain="lab", kind="ethereum", at=T0, interval=INTERVAL, sentence="", findings=findings)
    return HealthReadings("lab").readings(assessment)


def test_only_what_prometheus_alone_can_tell_is_left_out() -> None:
    left_out = {alert.name for alert in ALERTS.values() if not told_by_readings(alert)}
    assert left_out == {"CollectorDown", "Watchdog", "NodeosCrashing", "NodeosOccupied", "SnapshotsFailing"}
    assert {alert.name for alert in TOLD if of_pipeline(alert)} == {
        "GathersStale",
        "GathersMissed",
        "ConfigurationInvalid",
        "DiscoveryFailing",
        "OutputFailing",
        "OutputBufferFilling",
        "ReadingsDropped",
    }


def test_a_finding_holds_until_it_is_not_found() -> None:
    known = figures()
    behind = Finding("behind", Severity.WARNING, "sealer-1", "", T0, 7)
    down = Finding("node_down", Severity.WARNING, "sealer-2", "", T0)
    known.take(assessed(behind, down), INTERVAL, T0)
    assert held("NodeBehind", known, T0) == {"sealer-1": 7.0}
    assert held("NodeDown", known, T0) == {"sealer-2": 1.0}
    assert held("NodeDown", known, T0, "other") == {}
    known.take(assessed(down), INTERVAL, T0 + 10)
    assert held("NodeBehind", known, T0 + 10) == {}
    # Nobody assesses any more: what was found last stays.
    assert held("NodeDown", known, T0 + 10_000) == {"sealer-2": 1.0}


@pytest.mark.parametrize(("used", "held_by"), [(900.0, {}), (901.0, {"worker-1": 0.901})])
def test_a_share_at_the_edge_of_its_threshold(used: float, held_by: dict[str, float]) -> None:
    known = figures()
    labels = {"chain": "lab", "node": "worker-1", "role": "worker"}
    known.take([reading("chain_state_database_used_bytes", used, T0, **labels)], INTERVAL, T0)
    assert held("StateDatabaseFilling", known, T0) == {}  # of how much is not known
    known.take([reading("chain_state_database_size_bytes", 1000.0, T0, **labels)], INTERVAL, T0)
    assert held("StateDatabaseFilling", known, T0) == held_by
    assert held("StateDatabaseFilling", known, T0 + FRESH * INTERVAL + 1) == {}  # the node has fallen silent


def test_a_share_of_nothing_is_none() -> None:
    known = figures()
    labels = {"chain": "lab", "node": "worker-1"}
    for part in ("used", "size"):
        known.take([reading(f"chain_state_database_{part}_bytes", 0.0, T0, **labels)], INTERVAL, T0)
    assert held("StateDatabaseFilling", known, T0) == {}


def test_a_counter_that_begins_anew_has_risen_by_what_it_counts() -> None:
    known = figures()
    labels = {"chain": "lab", "node": "sealer-1"}
    for minute, count in enumerate([5, 5, 6, 1, 2]):
        at = T0 + 60 * minute
        known.take([reading("ethstats_restarts_total", count, at, **labels)], 60.0, at)
    assert held("NodeRestarting", known, T0 + 240) == {"sealer-1": 3.0}
    # An hour after the first of them, two are left.
    for minute in range(5, 63):
        at = T0 + 60 * minute
        known.take([reading("ethstats_restarts_total", 2, at, **labels)], 60.0, at)
    assert held("NodeRestarting", known, T0 + 62 * 60) == {}


def test_what_a_counter_held_before_is_no_rise() -> None:
    known = figures()
    known.take([reading("chainwatch_readings_dropped_total", 1e6, T0, output="db")], INTERVAL, T0)
    assert held("ReadingsDropped", known, T0) == {}


def test_an_output_fails_if_nothing_is_delivered() -> None:
    known = figures()
    for step in range(13):
        at = T0 + 10 * step
        known.take(
            [
                reading("chainwatch_output_errors_total", step, at, output="db"),
                reading("chainwatch_readings_delivered_total", 50, at, output="db"),
                reading("chainwatch_output_errors_total", step, at, output="well"),
                reading("chainwatch_readings_delivered_total", step, at, output="well"),
            ],
            INTERVAL,
            at,
        )
    assert held("OutputFailing", known, T0 + 120) == {"db": 12.0}


def test_gathers_are_stale_unless_the_chain_is_silent() -> None:
    known = figures()
    name = "chainwatch_gather_success_timestamp_seconds"
    old = [reading(name, T0 - 400, T0, chain="lab", node="a"), reading(name, T0 - 301, T0, chain="lab", node="b")]
    known.take(old, INTERVAL, T0)
    assert held("GathersStale", known, T0) == {"": 301.0}
    known.take(assessed(Finding("silent", Severity.CRITICAL, "", "", T0)), INTERVAL, T0)
    assert held("GathersStale", known, T0) == {}


def test_a_clock_that_is_set_makes_nothing_stale() -> None:
    """The moment and the word of it come by the same clock, which is not the notifier's."""
    known = figures()
    set_back = T0 - 86_400
    fresh = reading("chainwatch_gather_success_timestamp_seconds", set_back - 5, set_back, chain="lab", node="a")
    known.take([fresh], INTERVAL, T0)
    assert held("GathersStale", known, T0) == {}


def test_subjects_of_two_labels() -> None:
    known = figures()
    labels = {"chain": "lab", "node": "producer", "address": "203.0.113.5:8888"}
    known.take([reading("chain_shielded_port_open", 1, T0, **labels)], INTERVAL, T0)
    found = holding(ALERTS["ShieldedPortOpen"], known, "lab", T0)
    assert list(found) == [Identity("ShieldedPortOpen", "lab", "producer 203.0.113.5:8888")]


def test_memory_is_bounded_and_let_go_of(monkeypatch: pytest.MonkeyPatch) -> None:
    assert MOST_SERIES <= 100_000
    monkeypatch.setattr("exporters.notify.figures.MOST_SERIES", 10)
    known = figures()
    for number in range(20):
        known.take([reading("chain_syncing", 1, T0, chain="lab", node=f"n{number}")], INTERVAL, T0)
    assert len(held("NodeSyncing", known, T0)) == 10
    later = T0 + 3_600
    known.forget(later)
    known.take([reading("chain_syncing", 1, later, chain="lab", node="new")], INTERVAL, later)
    assert held("NodeSyncing", known, later) == {"new": 1.0}


def test_points_of_a_counter_are_bounded() -> None:
    known = figures()
    for step in range(10_000):
        at = T0 + step
        known.take([reading("ethstats_restarts_total", step, at, chain="lab", node="a")], 1.0, at)
        if step % 100 == 0:
            held("NodeRestarting", known, at)
    [series] = known.series(("ethstats", "restarts_total"), "lab", T0 + 10_000)
    assert len(series._points) <= 70
    assert series.rise(T0 + 9_999, 3_600.0) == pytest.approx(3_600, rel=0.03)
