"""The view for everybody holds nothing that tells nodes and makers by name, address or version."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass, replace
from enum import Enum
from typing import Any

import pytest

from collector.health.assessment import Assessment, Finding, Severity
from collector.page.document import document, encoded
from collector.page.public import numbered, public
from tests.page.assessments import clique, everything, forked, many, producers

SECRET = "S3CRET"

TOLD = {
    *("chain", "kind", "role", "signal"),
    *("genesis", "chain_id", "network_id", "head_hash", "tip_hash"),
}
"""Texts that everybody may know. Any other that is ever added to an assessment has to be left out, or be named here."""


def marked(value: Any, name: str = "") -> Any:  # noqa: ANN401 - whatever a field holds
    """Return it with a mark in every text that is not one that everybody may know."""
    if is_dataclass(value) and not isinstance(value, type):
        return replace(value, **{field.name: marked(getattr(value, field.name), field.name) for field in fields(value)})
    if isinstance(value, str) and not isinstance(value, Enum):
        return value if name in TOLD else f"{SECRET}{value}"
    if isinstance(value, Mapping):
        return value if name == "failures" else {marked(key): item for key, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [tuple(marked(list(item), name)) if isinstance(item, tuple) else marked(item, name) for item in value]
    return value


def told(assessment: Assessment) -> str:
    return encoded(document([public(assessment)], 0, public=True)).decode()


@pytest.mark.parametrize("assessment", [*everything(), many(20)], ids=lambda one: one.chain)
def test_nothing_is_in_the_json_that_is_to_be_left_out(assessment: Assessment) -> None:
    whole = marked(assessment)
    making = whole.making and replace(whole.making, kind=whole.making.kind.removeprefix(SECRET))
    finality = whole.finality and replace(whole.finality, kind="dpos")
    whole = replace(whole, making=making, finality=finality)
    assert SECRET in encoded(document([whole], 0, public=False)).decode()
    assert SECRET not in told(whole)


@pytest.mark.parametrize("assessment", [*everything(), many(20)], ids=lambda one: one.chain)
def test_no_name_address_or_version_is_told(assessment: Assessment) -> None:
    text = told(assessment)
    hidden = {node.node for node in assessment.nodes} | {node.address for node in assessment.nodes}
    hidden |= {node.version for node in assessment.nodes} - {""}
    hidden |= {maker.name for maker in assessment.making.makers} if assessment.making else set()
    assert not [name for name in hidden if json.dumps(name)[1:-1] in text]
    assert json.loads(text)["chainwatch"] == ""


def test_what_everybody_is_told() -> None:
    said = public(forked())
    assert [node.node for node in said.nodes][:4] == ["sealer 1", "sealer 2", "sealer 3", "client 2"]
    assert said.making
    assert [maker.name for maker in said.making.makers] == ["signer 1", "signer 2", "signer 3"]
    assert said.branches[1].nodes == ["sealer 2", "client 3"]
    assert said.peers
    assert ("client 3", "sealer 2") in said.peers.edges
    subjects = {finding.signal: finding.subject for finding in said.findings}
    assert subjects == {
        "fork": "",
        "network_split": "",
        "node_down": "client 2",
        "forked": "sealer 2",
        "maker_absent": "signer 2",
        "strangers": "client 1",
    }
    assert said.findings[2].text == "The node does not answer."
    assert said.sentence == f"{said.findings[0].text} 5 more findings."
    assert public(clique()).sentence == "Everything is as it should be."
    assert [node.head_number for node in said.nodes] == [node.head_number for node in forked().nodes]
    made = public(producers()).making
    assert made
    assert made.makers[0].name == "account 1"


def test_findings_about_somebody_unknown_tell_nothing_of_them() -> None:
    findings = [
        Finding("node_down", Severity.WARNING, "sealer-9", "sealer-9 does not answer.", 0),
        Finding("made_up", Severity.INFO, "sealer-1", "sealer-1 is blue.", 0),
    ]
    said = public(replace(clique(), findings=findings))
    assert [(finding.subject, finding.text) for finding in said.findings] == [
        ("", "The node does not answer."),
        ("", ""),
    ]


def test_names_become_places_in_the_order_of_names() -> None:
    named = [("b", "sealer"), ("c", "node"), ("a", "sealer")]
    assert numbered(named) == {"a": "sealer 1", "b": "sealer 2", "c": "node 1"}
