"""What is said of an alert, where Prometheus does not say it."""

from __future__ import annotations

import pytest

from alerts.alert import Limits, Unit
from alerts.table import alerts
from alerts.texts import description, in_unit, subject

ALERTS = {alert.name: alert for alert in alerts(Limits())}


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (1.0, "block", "1 block"),
        (7.0, "block", "7 blocks"),
        (0.0, "maker", "0 makers"),
        (-1.0, "maker", "-1 makers"),
        (2.9, "error", "3 errors"),
        (1e6, "reading", "1,000,000 readings"),
        (4.0, "second", "4.0 s"),
        (-12.5, "second", "-12 s"),
        (0.25, "ratio", "25 %"),
        (0.999, "ratio", "99.9 %"),
        (1.0, "", "1"),
    ],
)
def test_values_have_their_unit(value: float, unit: Unit, text: str) -> None:
    assert in_unit(value, unit) == text


def test_a_description_names_chain_node_and_value() -> None:
    said = description(ALERTS["NodeBehind"], {"chain": "lab", "subject": "n1"}, 7.0)
    assert said == "n1 of lab is 7 blocks behind the others: what it answers is out of date."


def test_a_subject_may_be_of_several_labels_or_of_none() -> None:
    labels = {"chain": "lab", "node": "n1", "address": "192.0.2.7:80"}
    assert subject(ALERTS["ShieldedPortOpen"], labels) == "n1 192.0.2.7:80"
    assert subject(ALERTS["NodeSyncing"], labels) == "n1"
    assert subject(ALERTS["ChainHalted"], labels) == ""


def test_names_with_braces_are_names() -> None:
    assert description(ALERTS["NodeDown"], {"chain": "{lab}", "subject": "{0}"}, 1.0).startswith(
        "{0} of {lab} does not"
    )


@pytest.mark.parametrize("name", ALERTS)
def test_every_description_can_be_said(name: str) -> None:
    said = description(ALERTS[name], dict.fromkeys(("chain", *ALERTS[name].of), "x"), 1.0)
    assert "{" not in said
    assert said.endswith(".")
