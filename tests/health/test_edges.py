"""Every signal at its edge: just below what it compares with nothing is found, and at it there is a finding.

With the default thresholds. What holds of a node has to hold at two gathers, and is given here at both.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest

from alerts.alert import Limits, Signalled
from alerts.table import alerts
from collector.health.assessment import (
    Assessment,
    Branch,
    Finality,
    MakerHealth,
    Making,
    NodeHealth,
    PeerGraph,
    Round,
    State,
)
from collector.health.blocks import Reorganisations
from collector.health.gathers import note_gather
from collector.health.judging.chain import of_chain
from collector.health.judging.found import Found
from collector.health.judging.makers import MakersJudge
from collector.health.judging.nodes import of_node
from collector.health.node import Node, Place
from collector.health.nodes.answering import Answers
from collector.health.progress import Progress
from collector.health.signals import SIGNALS
from collector.health.thresholds import Thresholds
from collector.observations import Block, Observation

LIMITS = Thresholds(oldest_version="1.13.15")

NODE = NodeHealth("n1", "sealer", "", State.UP, branch=0, head_number=100)

CHAIN = Assessment(
    chain="lab",
    kind="ethereum",
    at=1000.0,
    interval=10.0,
    sentence="",
    period=3.0,
    head_number=100,
    head_age=14.0,
    branches=[Branch(["n2"], 100, "0x1", 1000.0), Branch(["n1"], 100, "0x2", 1000.0, 98, 1)],
)

Case = Callable[[Any], Iterator[Found]]
"""What is found where a figure is this."""


def node(figure: str, role: str = "sealer", **more: Any) -> Case:  # noqa: ANN401 - of whatever kind the field is
    """Return the case of a field of the node, told at two gathers."""

    def found(value: Any) -> Iterator[Found]:  # noqa: ANN401 - as above
        said = replace(NODE, role=role, **{figure: value}, **more)
        memory = Node(Place("n1", role))
        for at in (990.0, 1000.0):
            memory.observation = Observation(at=at)
            note_gather(memory, said, replace(CHAIN, at=at), LIMITS, Reorganisations(), alone=False)
        return of_node(said, memory, CHAIN, LIMITS)

    return found


def answers(state: State = State.UP, **of: Any) -> Case:  # noqa: ANN401 - as above
    """Return the case of how the last gathers of a node went, given as those of its answers that differ."""

    def found(value: Mapping[str, Any]) -> Iterator[Found]:
        memory = Node(Place("n1", timeout=5.0), answers=Answers(**{"gathers": 60, **of, **value}))
        said = replace(NODE, state=state, latency=memory.answers.latency)
        return of_node(said, memory, CHAIN, LIMITS)

    return found


def reorganised(told: tuple[int, float]) -> Iterator[Found]:
    """Return what is found so many blocks deep and so many seconds after."""
    depth, after = told
    memory = Node(Place("n1"), observation=Observation(at=1000.0))
    note_gather(memory, NODE, CHAIN, LIMITS, Reorganisations(1, depth, depth, 1000.0), alone=False)
    return of_node(NODE, memory, replace(CHAIN, at=1000.0 + after), LIMITS)


def branched(told: tuple[int, float]) -> Iterator[Found]:
    """Return what is found of nodes and chain with a branch of so many blocks that has lasted for so many seconds."""
    depth, lasts = told
    chain = replace(CHAIN, branches=[CHAIN.branches[0], replace(CHAIN.branches[1], depth=depth)])
    said, memory = replace(NODE, branch=1), Node(Place("n1"))
    for at in (1000.0, 1000.0 + lasts, 1000.0 + lasts):
        memory.observation = Observation(at=at)
        note_gather(memory, said, replace(chain, at=at), LIMITS, Reorganisations(), alone=False)
    memory.streaks["forked"] = min(memory.streaks["forked"], 2)
    yield from of_node(said, memory, chain, LIMITS)
    yield from of_chain(chain, {"n1": memory, "n2": Node(Place("n2"))}, LIMITS)


def _remembered() -> dict[str, Node]:
    return {name: Node(Place(name)) for name in ("n1", "n2")}


def chain(figure: str, **more: Any) -> Case:  # noqa: ANN401 - as above
    """Return the case of a field of the chain."""
    return lambda value: of_chain(replace(CHAIN, **{figure: value}, **more), _remembered(), LIMITS)


def of_states(states: Sequence[State]) -> Iterator[Found]:
    """Return what is found of a chain whose nodes are so, each after two gathers that went accordingly."""
    nodes = [NodeHealth(f"n{place}", "", "", state) for place, state in enumerate(states)]
    down = Answers(failed_in_a_row=2)
    return of_chain(
        replace(CHAIN, nodes=nodes), {each.node: Node(Place(each.node), answers=down) for each in nodes}, LIMITS
    )


def parted(parts: Sequence[Sequence[str]]) -> Iterator[Found]:
    """Return what is found of nodes whose connections fall into these parts for two gathers."""
    memories = {name: Node(Place(name), streaks={"apart": 2}) for part in parts for name in part}
    return of_chain(replace(CHAIN, peers=PeerGraph((), parts, complete=True)), memories, LIMITS)


def making(kind: str = "dpos", makers: Sequence[MakerHealth] = (), **of: Any) -> Making:  # noqa: ANN401 - as above
    """Return four makers, all active, with what is given instead."""
    return Making(
        **{"kind": kind, "makers": makers, "window": 64, "scheduled": 4, "active": 4, "needed": 3, "margin": 1, **of}
    )


def quorum(active: int) -> Iterator[Found]:
    """Return what is found where so many of four are active."""
    return of_chain(replace(CHAIN, making=making(active=active, margin=active - 3)), _remembered(), LIMITS)


def in_turn(share: float) -> Iterator[Found]:
    """Return what is found where this share of blocks was sealed in turn."""
    makers = [MakerHealth(f"0x{each}", scheduled=True, recent_blocks=16) for each in range(4)]
    return of_chain(replace(CHAIN, making=making("clique", makers, in_turn_share=share)), _remembered(), LIMITS)


def maker(figure: str, before: Any = None) -> Case:  # noqa: ANN401 - as above
    """Return the case of a field of a maker; one that counts has told `before` at the assessment before."""

    def found(value: Any) -> Iterator[Found]:  # noqa: ANN401 - as above
        judge = MakersJudge()
        for told in ([] if before is None else [before], [value]):
            for each in told:
                made = MakerHealth(**{"name": "prod", "scheduled": True, "active": True, figure: each})
                told_now = list(judge.of_makers(replace(CHAIN, making=making(makers=[made])), LIMITS))
        return iter(told_now)

    return found


def gone(names: Sequence[str]) -> Iterator[Found]:
    """Return what is found where of two producers these are left."""
    judge = MakersJudge()
    for left in (["a", "b"], names):
        makers = [MakerHealth(name, scheduled=True) for name in left]
        found = list(judge.of_makers(replace(CHAIN, making=making(makers=makers)), LIMITS))
    return iter(found)


def stood(seconds: float) -> Iterator[Found]:
    """Return what is found of a Clique chain of four signers whose head has stood for so long.

    The period is 3 s: four of them, and half a second for each signer, are 14 s.
    """
    progress, head = Progress(), Block(100, "0x1", 1000.0)
    for at in (1000.0, 1000.0 + seconds):
        progress.note([Observation(at=at, head=head)], head, at)
    return of_chain(replace(CHAIN, halted=progress.halted(3.0, making("clique"), LIMITS)), _remembered(), LIMITS)


ROUNDS = [Round(12, 12)] * 3

FIGURES = {alert.signal: alert.condition.figure for alert in alerts(Limits()) if isinstance(alert.condition, Signalled)}

EDGES: list[tuple[str, Case, Any, Any]] = [
    # signal, case, the figure just below, and at the edge
    ("silent", of_states, [State.DOWN, State.UP], [State.DOWN, State.DOWN]),
    ("halted", stood, 13.9, 14.0),
    ("fork", branched, (1, 5.9), (1, 6.0)),
    ("fork", branched, (1, 0.0), (2, 0.0)),
    ("finality", chain("finality", making=making()), Finality(1, 96, "dpos", 37, 48), Finality(1, 97, "dpos", 37, 48)),
    (
        "finality",
        chain("finality", making=making()),
        Finality(1, 15, "savanna", 2, 3),
        Finality(1, 16, "savanna", 2, 3),
    ),
    ("quorum", quorum, 4, 3),
    ("network_split", parted, [["n1", "n2"]], [["n1"], ["n2"]]),
    ("chain_clock", chain("clock_skew"), 5.0, 5.1),
    ("chain_clock", chain("clock_skew"), -5.0, -5.1),
    ("mixed_versions", chain("versions"), {"1.13.15": 2}, {"1.13.15": 1, "1.13.14": 1}),
    ("node_down", answers(State.DOWN), {"failed_in_a_row": 1}, {"failed_in_a_row": 2}),
    ("behind", node("lag_blocks"), 2, 3),
    ("foreign", node("foreign"), False, True),
    ("forked", branched, (1, 5.9), (1, 6.0)),
    ("forked", branched, (1, 0.0), (2, 0.0)),
    ("reorganised", reorganised, (2, 0.0), (3, 0.0)),
    ("reorganised", reorganised, (3, 600.0), (3, 599.9)),
    ("no_peers", node("peers"), 1, 0),
    ("strangers", node("strangers"), 0, 1),
    ("clock", node("clock_skew"), 5.0, 5.1),
    ("clock", node("clock_skew"), -5.0, -5.1),
    ("outdated", node("version"), "Geth/v1.13.15", "Geth/v1.13.14"),
    ("slow", answers(), {"latency": 2.5}, {"latency": 2.6}),
    ("slow", answers(latency=3.0), {"gathers": 11}, {"gathers": 12}),
    ("flaky", answers(spells=3), {"failures": {"timeout": 11}}, {"failures": {"timeout": 12}}),
    ("flaky", answers(failures={"timeout": 30}), {"spells": 2}, {"spells": 3}),
    ("balancer_behind", node("lag_blocks", role="balancer"), 2, 3),
    ("maker_absent", maker("active"), True, False),
    ("blocks_missed", maker("short_rounds", before=7), 7, 8),
    ("blocks_missed", maker("rounds"), [*ROUNDS, *[Round(11, 12)] * 5], [*ROUNDS, *[Round(11, 12)] * 6]),
    ("rounds_missed", maker("missed_rounds", before=7), 7, 8),
    ("rounds_missed", maker("missed_rounds_in_a_row"), 0, 1),
    ("double_production", maker("doubles", before=7), 7, 8),
    ("unscheduled", gone, ["a", "b"], ["a"]),
    ("paused", node("paused"), False, True),
    ("out_of_turn", in_turn, 0.5, 0.49),
]


@pytest.mark.parametrize(("signal", "found", "below", "at"), EDGES, ids=[edge[0] for edge in EDGES])
def test_at_its_edge_a_signal_is_found_and_below_it_is_not(signal: str, found: Case, below: Any, at: Any) -> None:  # noqa: ANN401 - as above
    assert signal not in {each.signal for each in found(below)}
    assert signal in {each.signal for each in found(at)}


@pytest.mark.parametrize(("signal", "found", "_below", "at"), EDGES, ids=[edge[0] for edge in EDGES])
def test_a_finding_has_a_value_where_its_alert_tells_one(signal: str, found: Case, _below: Any, at: Any) -> None:  # noqa: ANN401 - as above
    """Without it the alert would never fire: it waits for both."""
    told = [each.value is not None for each in found(at) if each.signal == signal]
    assert told
    assert all(told) or not FIGURES[signal]


def test_every_signal_is_tried_at_its_edge() -> None:
    assert {signal for signal, *_ in EDGES} == set(SIGNALS)
