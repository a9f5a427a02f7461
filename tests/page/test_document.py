"""The document, and what differs between two of them."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from collector.health.assessment import Assessment, NodeHealth, State
from collector.page.document import AGES, difference, document, encoded
from tests.page.assessments import NOW, clique, everything, forked, many


def made(*assessments: Assessment, at: float = NOW) -> dict[str, Any]:
    return document(assessments, at, public=False)


def applied(before: dict[str, Any], change: dict[str, Any]) -> dict[str, Any]:
    """Return the chains and nodes, by their names, that somebody knows after a change: what the page's state does."""
    chains = {chain["chain"]: dict(chain) for chain in before["chains"]}
    for name in change["gone"]:
        del chains[name]
    for changed in change["chains"]:
        known = chains.get(changed["chain"], {"nodes": []})
        nodes = {node["node"]: node for node in known["nodes"]}
        for name in changed["gone"]:
            del nodes[name]
        for node in changed["nodes"]:
            nodes[node["node"]] = nodes.get(node["node"], {}) | node
        own = {key: value for key, value in changed.items() if key != "gone"}
        chains[changed["chain"]] = known | own | {"nodes": list(nodes.values())}
    return {"chains": list(chains.values())}


def ageless(whole: dict[str, Any]) -> dict[str, Any]:
    """Return it by names, without what changes by time alone."""
    return {
        chain["chain"]: {key: value for key, value in chain.items() if key not in {*AGES, "nodes"}}
        | {"nodes": {node["node"]: {k: v for k, v in node.items() if k not in AGES} for node in chain["nodes"]}}
        for chain in whole["chains"]
    }


NODES = st.builds(
    NodeHealth,
    node=st.sampled_from(["a", "b", "c", "d"]),
    role=st.just("sealer"),
    address=st.just("http://a:1"),
    state=st.sampled_from(State),
    head_number=st.none() | st.integers(0, 3),
    head_age=st.none() | st.floats(0, 3),
    lags=st.lists(st.none() | st.integers(0, 2), max_size=3),
)
CHAINS = st.builds(
    Assessment,
    chain=st.sampled_from(["x", "y"]),
    kind=st.just("ethereum"),
    at=st.floats(NOW, NOW + 5),
    interval=st.just(1.0),
    sentence=st.sampled_from(["well", "not well"]),
    head_number=st.none() | st.integers(0, 3),
    nodes=st.lists(NODES, max_size=4, unique_by=lambda node: node.node),
)
WHOLES = st.lists(CHAINS, max_size=2, unique_by=lambda chain: chain.chain).map(lambda chains: made(*chains))


@given(WHOLES, WHOLES)
def test_whoever_applies_the_difference_knows_what_is(before: dict[str, Any], after: dict[str, Any]) -> None:
    change = json.loads(encoded(difference(before, after)))
    assert ageless(applied(json.loads(encoded(before)), change)) == ageless(json.loads(encoded(after)))


@given(WHOLES)
def test_nothing_differs_from_itself(whole: dict[str, Any]) -> None:
    assert difference(whole, whole) == {"at": NOW, "chains": [], "gone": []}


def test_time_alone_is_no_change() -> None:
    older = replace(clique(), at=NOW + 1, head_age=4.0, nodes=[replace(node, head_age=4.0) for node in clique().nodes])
    assert difference(made(clique()), made(older, at=NOW + 1)) == {"at": NOW + 1, "chains": [], "gone": []}


def test_only_what_changed_is_told() -> None:
    before = clique()
    nodes = [replace(before.nodes[0], peers=2), *before.nodes[1:]]
    change = difference(made(before), made(replace(before, sentence="Hm.", nodes=nodes)))
    assert change["chains"] == [
        {"chain": "lab", "sentence": "Hm.", "nodes": [{"node": "sealer-1", "peers": 2}], "gone": []}
    ]


def test_every_assessment_can_be_told() -> None:
    for assessment in [*everything(), many(20)]:
        assert json.loads(encoded(made(assessment)))["chains"][0]["chain"] == assessment.chain
    assert json.loads(encoded(made(forked())))["chains"][0]["severity"] == "critical"


def test_what_is_no_number_and_no_text_does_no_harm() -> None:
    broken = replace(clique(), sentence="half \ud83d", head_age=float("nan"), delay_p50=float("inf"), pool=2**70)
    chain = json.loads(encoded(made(broken)))["chains"][0]
    assert (chain["sentence"], chain["head_age"], chain["delay_p50"], chain["pool"]) == ("half ?", None, None, 2**70)
    assert len(chain["nodes"]) == 7
