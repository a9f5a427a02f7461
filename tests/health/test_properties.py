"""Properties of health as a whole: however what nodes tell arrives, no alarm is wrong and nothing fails."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collector.health.assessment import Assessment
from collector.health.chain import Settings
from collector.health.health import Health
from collector.observations import Block, Network, Observation, Peer
from collector.targets import Target
from tests.health.modelled import CHAIN, Journey, ModelledChain, ModelledNode, Telling

pytestmark = pytest.mark.slow

KINDS = st.sampled_from(["ethereum", "nodeos"])
JOURNEYS = st.builds(
    Journey,
    seed=st.integers(0, 2**32),
    late=st.sampled_from([0.0, 0.05, 0.5, 1.5]),
    lost=st.sampled_from([0.0, 0.1, 0.4]),
    repeated=st.sampled_from([0.0, 0.5]),
    cut=st.sampled_from([0.0, 0.3]),
)


def _nodes(chain: ModelledChain, makers: int, others: int) -> list[ModelledNode]:
    maker, other = ("producer", "worker") if chain.kind == "nodeos" else ("sealer", "client")
    return [
        *(ModelledNode(f"maker-{i}", maker, chain) for i in range(makers)),
        *(ModelledNode(f"other-{i}", other, chain) for i in range(others)),
    ]


def _signals(assessment: Assessment) -> set[str]:
    return {f"{finding.signal} {finding.subject}".strip() for finding in assessment.findings}


@given(kind=KINDS, makers=st.sampled_from([1, 3, 4]), others=st.integers(0, 3), journey=JOURNEYS)
@settings(max_examples=25)
def test_a_chain_in_health_raises_no_alarm_however_its_tellings_arrive(
    kind: str, makers: int, others: int, journey: Journey
) -> None:
    telling = Telling(_nodes(ModelledChain(kind, makers), makers, others), journey)
    for assessment in telling.intervals(20):
        assert _signals(assessment) == set(), assessment.sentence


@given(kind=KINDS, journey=JOURNEYS)
@settings(max_examples=12)
def test_a_chain_with_faults_raises_the_alarms_of_these_and_no_other(kind: str, journey: Journey) -> None:
    chain = ModelledChain(kind, 3)
    nodes = _nodes(chain, 3, 3)
    nodes[3].behind = 50
    nodes[4] = ModelledNode("other-1", nodes[4].role, ModelledChain(kind, 3, name="elsewhere"))
    expected = {"behind other-0", "foreign other-1"}
    for assessment in Telling(nodes, journey).intervals(20):
        assert _signals(assessment) <= expected, assessment.sentence


@given(kind=KINDS, journey=JOURNEYS)
@settings(max_examples=12)
def test_of_a_maker_that_makes_no_blocks_that_is_said_and_nothing_else(kind: str, journey: Journey) -> None:
    chain = ModelledChain(kind, 4, absent=1)
    maker = chain.makers[1]
    expected = {f"maker_absent {maker}", f"rounds_missed {maker}", "quorum"}
    for assessment in Telling(_nodes(chain, 4, 1), journey).intervals(20):
        assert _signals(assessment) <= expected, assessment.sentence
    if journey.lost == journey.cut == 0.0 and journey.late <= 0.5:
        assert _signals(assessment) == expected - ({f"rounds_missed {maker}"} if kind == "ethereum" else set())


@given(kind=KINDS, seed=st.integers(0, 2**32))
@settings(max_examples=8)
def test_with_nothing_lost_the_alarms_of_faults_are_raised(kind: str, seed: int) -> None:
    chain = ModelledChain(kind, 3)
    nodes = _nodes(chain, 3, 3)
    nodes[3].behind = 50
    nodes[4] = ModelledNode("other-1", nodes[4].role, ModelledChain(kind, 3, name="elsewhere"))
    *_, assessment = Telling(nodes, Journey(seed)).intervals(6)
    assert _signals(assessment) == {"behind other-0", "foreign other-1"}


# Hostile nodes: nothing that they tell makes an exception

NUMBERS = st.one_of(st.integers(0, 60), st.sampled_from([-1, 10**9, 2**63, 10**30]))
HASHES = st.sampled_from(["", *(f"{i:02x}" for i in range(24))])
TIMES = st.one_of(st.floats(1_800_000_000.0, 1_800_000_100.0), st.sampled_from([0.0, -5.0, 9.5e10, 1e300]))
NAMES = st.sampled_from(["", "a", "b", "c"])
BLOCKS = st.builds(
    Block,
    number=NUMBERS,
    hash=HASHES,
    timestamp=TIMES,
    parent=HASHES,
    maker=NAMES,
    in_turn=st.sampled_from([None, True, False]),
    difficulty=st.sampled_from([None, 0, 2, 10**40]),
    transactions=st.sampled_from([None, 0, 5, 10**30]),
    gas_used=st.sampled_from([None, 0, 10**30]),
    gas_limit=st.sampled_from([None, 0, 10]),
    cpu_seconds=st.sampled_from([None, 0.0, 1e300]),
    net_bytes=st.sampled_from([None, 0, 10**30]),
)
LISTS = st.one_of(st.none(), st.lists(NAMES, max_size=4))
OBSERVATIONS = st.builds(
    Observation,
    at=st.floats(1_800_000_000.0, 1_800_000_100.0),
    took=st.sampled_from([0.0, 0.1, 1e9]),
    head=st.one_of(st.none(), BLOCKS),
    finalized=st.one_of(st.none(), NUMBERS),
    finalized_at=st.one_of(st.none(), TIMES),
    best_known=st.one_of(st.none(), NUMBERS),
    network=st.builds(Network, NAMES, NAMES, NAMES),
    version=st.sampled_from(["", "v4", "Geth/v9999999999999999999999.1", "\x00"]),
    identity=NAMES,
    peer_count=st.one_of(st.none(), NUMBERS),
    peers=st.one_of(st.none(), st.lists(st.builds(Peer, NAMES, NAMES, NAMES, st.booleans()), max_size=4)),
    signers=LISTS,
    schedule=LISTS,
    finalizers=st.one_of(st.none(), NUMBERS),
    paused=st.sampled_from([None, True, False]),
    syncing=st.sampled_from([None, True, False]),
    period=st.sampled_from([None, 0.0, 0.5, 3.0, -1.0, 1e300, 1e-300]),
    pool=st.one_of(st.none(), NUMBERS),
    clock=st.sampled_from([None, 0.0, 30.0, -1e300]),
    clock_within=st.sampled_from([0.0, 1.0, 1e300]),
    started=st.one_of(st.none(), TIMES),
)
EVENTS = st.one_of(
    st.tuples(st.just("gathered"), st.integers(0, 3), OBSERVATIONS),
    st.tuples(st.just("told"), st.integers(0, 3), st.lists(BLOCKS, max_size=6)),
    st.tuples(st.just("failed"), st.integers(0, 3), st.sampled_from(["timeout", "refused", "?"])),
    st.tuples(st.just("unanswered"), st.integers(0, 3), st.none()),
    st.tuples(st.just("pushed"), st.integers(0, 3), st.tuples(BLOCKS, st.one_of(st.none(), TIMES))),
    st.tuples(st.just("follow"), st.integers(0, 4), st.none()),
    st.tuples(st.just("wait"), st.integers(0, 100), st.none()),
)


@given(kind=KINDS, events=st.lists(EVENTS, max_size=40))
@settings(max_examples=100)
def test_nothing_that_is_told_makes_health_fail(kind: str, events: list[tuple[str, int, object]]) -> None:
    now = [1_800_000_000.0]
    health = Health(wall=lambda: now[0])
    health.apply([Settings(CHAIN, kind)])
    roles = ("sealer", "client", "balancer", "producer")
    targets = [Target(CHAIN, kind, f"n{i}", f"http://127.0.0.1:{i + 1}", role=role) for i, role in enumerate(roles)]
    health.follow(targets)
    does: dict[str, Callable[..., object]] = {
        "gathered": lambda i, told: health.gathered(targets[i], told),
        "told": lambda i, told: health.told(targets[i], told),
        "failed": lambda i, told: health.failed(targets[i], told),
        "unanswered": lambda i, _: health.unanswered(targets[i]),
        "pushed": lambda i, told: health.pushed_block(CHAIN, targets[i].name, *told),
        "follow": lambda i, _: health.follow(targets[:i]),
    }
    for what, which, told in events:
        if what == "wait":
            now[0] += which
        else:
            does[what](which, told)
        [assessment] = health.assess()
        assert all(finding.text for finding in assessment.findings)
        health.readings(CHAIN)


@dataclass
class Liar(ModelledNode):
    """A node of the right network that makes up another chain whenever it is asked."""

    chance: random.Random = field(default_factory=random.Random)

    def __post_init__(self) -> None:
        self._made_up = self.chain

    def head(self, at: float) -> Block:
        """Return the head of what it made up last."""
        return self._made_up.head(at)

    def blocks(self, numbers: Iterable[int], at: float) -> list[Block]:
        """Return blocks of what it made up last."""
        head = self.head(at).number
        return [self._made_up.block(number) for number in numbers if 0 < number <= head]

    def observation(self, at: float, others: Sequence[str]) -> Observation:
        """Make up a chain, and tell of that."""
        name, height = str(self.chance.random()), self.chance.choice([10, 400, 4000])
        self._made_up = ModelledChain(self.chain.kind, 3, name=name, blocks=height)
        return super().observation(at, others)


@given(kind=KINDS, journey=JOURNEYS, seed=st.integers(0, 2**32))
@settings(max_examples=10)
def test_a_node_that_makes_everything_up_disturbs_no_other(kind: str, journey: Journey, seed: int) -> None:
    """It tells another chain of the same genesis at every gather: only of itself may anything be said, and a fork."""
    chance = random.Random(seed)

    nodes = [*_nodes(ModelledChain(kind, 3), 3, 2), Liar("liar", "client", ModelledChain(kind, 3), chance=chance)]
    for assessment in Telling(nodes, journey).intervals(20):
        assert {signal for signal in _signals(assessment) if not signal.endswith("liar")} <= {"fork"}
