"""Networks as they are: what happens in health is told by nothing, and of a fault nothing else is told.

The simulated cluster and the models of the other tests have blocks that come on time and reach everybody at once. Here
they take their time, makers meet, nodes answer slowly or not at all, and the collector is suspended, restarted, or
somewhere in the midst of it.
"""

from __future__ import annotations

import random
import tracemalloc
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import pairwise

import pytest

from collector.health.assessment import Assessment
from collector.health.chain import ChainHealth, Settings
from collector.health.node import Place
from collector.observations import Block, Network, Observation, Peer
from tests.health.lifelike import BALANCER, START, Asked, Collector, Life, Lived, names

LATENCY = {"ethereum": (0.02, 0.3), "nodeos": (0.05, 0.4)}
OF_REQUESTS = {"node_down", "flaky", "slow"}
"""What may be said of nodes of which one request in twenty is lost, and answers take up to three seconds."""

Tell = Callable[[str, float, Observation], Observation]


def _lived(
    kind: str,
    makers: int = 4,
    *,
    period: float = 5.0,
    seed: int = 1,
    lasts: float = 600.0,
    orders: Sequence[tuple[int, Sequence[str]]] = (),
    away: Callable[[str, float], bool] = lambda _maker, _at: False,
) -> Lived:
    return Lived(
        Life(
            kind,
            orders or [(0, names(kind, makers))],
            period=period,
            latency=LATENCY[kind],
            seed=seed,
            lasts=lasts,
            away=away,
        )
    )


def _asked(*, seed: int = 1, tell: Tell = lambda _node, _at, told: told, watched: Sequence[str] = ()) -> Asked:
    """Return how a collector asks of which no request is lost."""
    return Asked(took=(0.01, 0.5), lost=0.0, jitter=10.0, seed=seed, tell=tell, watched=watched)


def _signals(collector: Collector, begin: float = 0.0) -> set[str]:
    return {finding.signal for finding in collector.findings(begin)}


def _last(collector: Collector) -> Assessment:
    *_, last = collector.assessments()
    return last


# Health


@pytest.mark.parametrize("interval", [1.0, 10.0, 60.0])
@pytest.mark.parametrize(
    ("kind", "makers", "period"),
    [
        ("ethereum", 3, 1.0),
        ("ethereum", 5, 5.0),
        ("ethereum", 5, 15.0),
        ("ethereum", 21, 5.0),
        ("nodeos", 1, 0.5),
        ("nodeos", 4, 0.5),
        ("nodeos", 21, 0.5),
    ],
)
def test_a_network_in_health_raises_no_alarm(kind: str, makers: int, period: float, interval: float) -> None:
    lived = _lived(kind, makers, period=period, lasts=max(60.0, 20 * interval))
    findings = Collector(lived, Asked(interval=interval, jitter=interval)).findings()
    assert [finding for finding in findings if finding.signal not in OF_REQUESTS] == []


@pytest.mark.parametrize("kind", LATENCY)
def test_the_model_has_what_others_lack(kind: str) -> None:
    """Nodes exchange a block now and then; and the collector notices, or the tests above say little."""
    lived = _lived(kind, 7, period=1.0, lasts=300.0)
    exchanged = 0
    for heads in lived.heads.values():
        for (_, before), (_, after) in pairwise(heads):
            exchanged += after.parent is not before
    assert exchanged > 3
    assert (
        sum(node.reorganisations for node in _last(Collector(lived, Asked(interval=2.0, took=(0.01, 0.2)))).nodes) > 0
    )


def test_different_blocks_exchanged_at_each_gather_are_no_fork() -> None:
    """A node asked once a minute is found on the better of two blocks, twice, while who was asked before had the other.

    It takes chance: this is a case that was found by trying some hundreds.
    """
    away = names("ethereum", 5)[3]
    lived = _lived("ethereum", 5, seed=1149, away=lambda maker, at: maker == away and 200.0 < at - START < 230.0)
    findings = Collector(lived, Asked(interval=60.0, jitter=60.0, seed=1149, lost=0.0)).findings()
    assert {finding.signal for finding in findings} <= {"maker_absent", "quorum", "out_of_turn"}


@pytest.mark.parametrize("interval", [10.0, 60.0])
def test_a_single_node_tells_every_block_however_seldom_it_is_asked(interval: float) -> None:
    """In a minute nodeos makes 120 blocks, and 64 are asked for at once."""
    lived = _lived("nodeos", 4, lasts=900.0)
    last = _last(Collector(lived, replace(_asked(watched=["other-0"]), interval=interval, jitter=0.0)))
    assert last.making is not None
    assert sum(maker.blocks for maker in last.making.makers) > 0.9 * 900 / 0.5


# Blocks lost at handovers


def _loses(blocks: int, of: int = 1) -> Callable[[str, float], bool]:
    """Return who is away: the second of four producers, for so many blocks at the end of every so-manieth turn."""

    def away(maker: str, at: float) -> bool:
        slot = round((at - 946_684_800) / 0.5)
        return maker == "prodb" and slot % 12 >= 12 - blocks and slot // 48 % of == 0

    return away


@pytest.mark.parametrize(("blocks", "of", "told"), [(1, 4, set()), (2, 4, set()), (3, 4, {"prodb"}), (1, 1, {"prodb"})])
def test_a_block_lost_now_and_then_is_no_warning_and_many_are(blocks: int, of: int, told: set[str]) -> None:
    findings = Collector(_lived("nodeos", 4, away=_loses(blocks, of)), _asked()).findings()
    assert {finding.subject for finding in findings} == told
    assert {finding.signal for finding in findings} <= {"blocks_missed"}


# The collector


@pytest.mark.parametrize("kind", LATENCY)
@pytest.mark.parametrize("ahead", [20.0, -20.0])
def test_of_a_clock_that_differs_that_is_said_alone(kind: str, ahead: float) -> None:
    asked = replace(_asked(), clock=lambda _: ahead)
    assert _signals(Collector(_lived(kind), asked)) == {"chain_clock"}


@pytest.mark.parametrize("kind", LATENCY)
@pytest.mark.parametrize("step", [20.0, -20.0, 3600.0, -3600.0])
def test_a_clock_that_is_set_right_wedges_nothing(kind: str, step: float) -> None:
    """It was wrong until then, and from then on all is well; a node that dies after that is told."""
    asked = replace(_asked(), clock=lambda at: 0.0 if at > 300.0 else step)
    collector = Collector(_lived(kind, lasts=900.0), asked)
    signals: set[str] = set()
    for assessment in collector.assessments():
        signals = {finding.signal for finding in assessment.findings}
        assert signals <= {"chain_clock"}, assessment.sentence
    assert signals == set()


@pytest.mark.parametrize("kind", LATENCY)
def test_a_collector_that_was_suspended_for_an_hour_blames_nobody(kind: str) -> None:
    lived = _lived(kind, period=15.0, lasts=4800.0)
    assert _signals(Collector(lived, replace(_asked(), asleep=(300.0, 3900.0)))) == set()


@pytest.mark.parametrize("kind", LATENCY)
@pytest.mark.parametrize("begin", [0.0, 195.0, 205.0, 240.0, 400.0])
def test_a_collector_that_begins_amidst_a_fault_tells_of_it_and_of_nothing_else(kind: str, begin: float) -> None:
    away = names(kind, 4)[1]
    lived = _lived(kind, lasts=700.0, away=lambda maker, at: maker == away and at > START + 200.0)
    found = {(finding.signal, finding.subject) for finding in Collector(lived, _asked()).findings(begin)}
    of_it = {("maker_absent", away), ("quorum", "")}
    assert of_it <= found <= of_it | {("rounds_missed", away), ("blocks_missed", away)}


# Makers that change


@pytest.mark.parametrize(
    ("kind", "before", "after"),
    [
        ("ethereum", [0, 2, 3], [0, 1, 2, 3]),
        ("ethereum", [0, 1, 2, 3], [0, 2, 3]),
        ("nodeos", list(range(21)), [*range(20), 21]),
        ("nodeos", list(range(21)), list(reversed([*range(20), 21]))),
        ("nodeos", [0], list(range(4))),
    ],
)
def test_makers_that_come_and_go_are_blamed_for_nothing(kind: str, before: list[int], after: list[int]) -> None:
    every = names(kind, 22)
    old, new = ([every[i] for i in places] for places in (before, after))
    changes = 40 if kind == "ethereum" else 500
    findings = Collector(_lived(kind, orders=[(0, old), (changes, new)]), _asked()).findings()
    assert {(finding.signal, finding.subject) for finding in findings} == {
        ("unscheduled", name) for name in old if name not in new
    }


# Nodes that are otherwise


def test_a_node_in_irreversible_mode_is_not_behind_and_its_chain_has_not_halted() -> None:
    """Its head is the last irreversible block, which comes by turns; what it knows of is the chain's."""
    lived = _lived("nodeos")

    def trails(node: str, at: float, told: Observation) -> Observation:
        made = lived.head("other-0", at)
        assert told.finalized is not None
        while made.number > max(1, told.finalized) and made.parent is not None:
            made = made.parent
        best = lived.head("other-0", at).number
        head = Block(made.number, made.block.hash, made.block.timestamp)
        return replace(told, head=head, finalized=head.number, best_known=best) if node == "other-0" else told

    assert _signals(Collector(lived, _asked(tell=trails))) == set()
    assert _signals(Collector(lived, _asked(tell=trails, watched=["other-0"]))) == {"strangers"}


@pytest.mark.parametrize("kind", LATENCY)
def test_of_a_node_that_takes_in_the_chain_from_its_beginning_it_is_said_that_it_is_behind(kind: str) -> None:
    lived = _lived(kind)

    def syncs(node: str, at: float, told: Observation) -> Observation:
        block = lived.head(node, START + 0.2 * (at - START)).block
        return replace(told, head=block, syncing=True, finalized=None) if node == "other-0" else told

    findings = Collector(lived, _asked(tell=syncs)).findings()
    assert [(finding.signal, finding.subject) for finding in findings] == [("behind", "other-0")]


def _untold(_node: str, _at: float, told: Observation) -> Observation:
    return replace(told, signers=None, schedule=None)


def _secretive(_node: str, _at: float, told: Observation) -> Observation:
    return replace(told, peers=None, identity="")


def _merged(_node: str, _at: float, told: Observation) -> Observation:
    """Return what a geth tells since the merge: nobody seals, and no difficulty says anything."""
    assert told.head is not None
    return replace(
        _untold(_node, _at, told), head=replace(told.head, difficulty=0, in_turn=None, maker=""), period=None
    )


@pytest.mark.parametrize(
    ("kind", "tell"),
    [
        ("ethereum", _untold),
        ("ethereum", _secretive),
        ("ethereum", _merged),
        ("nodeos", _untold),
        ("nodeos", _secretive),
    ],
)
def test_what_nodes_do_not_tell_raises_nothing(kind: str, tell: Tell) -> None:
    collector = Collector(_lived(kind), _asked(tell=tell))
    last = None
    for last in collector.assessments():
        assert last.findings == []
    assert last is not None
    if tell is not _secretive:
        assert last.making is None or last.making.margin is None


def test_savanna_may_come_while_somebody_looks() -> None:
    def savanna(_node: str, at: float, told: Observation) -> Observation:
        assert told.head is not None
        later = at > START + 300.0
        return replace(told, finalizers=4, finalized=max(0, told.head.number - 2)) if later else told

    assert _signals(Collector(_lived("nodeos"), _asked(tell=savanna))) == set()


@pytest.mark.parametrize("kind", LATENCY)
def test_a_balancer_beside_its_nodes_is_one_address_more_and_no_node(kind: str) -> None:
    last = _last(Collector(_lived(kind), replace(_asked(), balancer="other-0")))
    assert last.findings == []
    assert last.sentence.startswith("All 6 nodes are well")
    assert BALANCER in {node.node for node in last.nodes}


@pytest.mark.parametrize("kind", LATENCY)
def test_a_chain_of_which_one_node_is_watched_is_as_well_as_any(kind: str) -> None:
    assert _signals(Collector(_lived(kind), _asked(watched=["other-0"]))) == {"strangers"}


@pytest.mark.parametrize("kind", LATENCY)
def test_a_chain_that_begins_anew_is_counted_anew(kind: str) -> None:
    """The same nodes, another genesis, low heights: nothing of before is counted, or held against it."""
    first = _lived(kind, lasts=400.0)
    second = Lived(replace(first.life, seed=2, start=START + 400.0), "another")
    collector = Collector(first, _asked())
    *_, before = collector.assessments()
    assert before.making is not None
    collector.network = second
    counts = []
    for assessment in collector.assessments(begin=400.0):
        if assessment.making is not None and assessment.genesis == second.genesis:
            counts.append(sum(maker.blocks for maker in assessment.making.makers))
            assert assessment.findings == []
    assert 0 < counts[-1] <= 400 / (0.5 if kind == "nodeos" else 5.0)


# Hostile nodes

MOST_MEGABYTES = 20
"""That a chain's memory may come to: 16,384 blocks of branches are some 10 MB, peers and names a few more."""


@pytest.mark.slow
@pytest.mark.parametrize("kind", LATENCY)
def test_a_day_of_nodes_that_make_up_everything_is_bounded_in_memory(kind: str) -> None:
    """Once a minute each of six nodes tells of other blocks, makers, peers and versions than ever before."""
    chance = random.Random(1)

    def invented() -> str:
        return str(chance.random())

    health = ChainHealth(Settings("lab", kind, interval=60.0))
    nodes = [f"n{i}" for i in range(6)]
    health.follow(Place(node, "sealer", interval=60.0) for node in nodes)
    sizes = []
    tracemalloc.start()
    for minute in range(24 * 60):
        now = START + 60.0 * minute
        for node in nodes:
            number = chance.choice([chance.randint(0, 10**6), minute, minute + 1, 10**30])
            head = Block(number, invented(), now, invented(), invented(), in_turn=True, difficulty=2, transactions=3)
            told = Observation(
                at=now,
                head=head,
                finalized=number,
                network=Network("genesis"),
                version=invented(),
                identity=invented(),
                peers=[Peer(invented()) for _ in range(20)],
                signers=[head.maker, invented()] if kind == "ethereum" else None,
                schedule=None if kind == "ethereum" else [invented() for _ in range(21)],
                clock=chance.uniform(-100.0, 100.0),
            )
            wanted = health.gathered(node, told)
            health.told(node, [Block(n, invented(), now, invented(), invented()) for n in wanted])
            health.pushed_block(node, replace(head, number=number + 1, hash=invented(), parent=head.hash), now)
            if chance.random() < 0.2:
                health.failed(node, "timeout", now + 1.0)
        assessment = health.assess(now + 2.0)
        sizes.append(tracemalloc.get_traced_memory()[0])
        assert len(assessment.findings) < 200
    tracemalloc.stop()
    assert max(sizes) < MOST_MEGABYTES * 2**20
