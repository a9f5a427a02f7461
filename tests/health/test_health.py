"""All chains together: what a reload keeps, what a defect costs, a clock that is set, collectors that share a chain."""

from __future__ import annotations

import logging
from collections.abc import Sequence

import pytest

from collector.health.assessment import Assessment, State
from collector.health.chain import ChainHealth, Settings
from collector.health.health import Health
from collector.observations import Block, Network, Observation, Peer
from collector.targets import Target

START = 1_800_000_000.0
INTERVAL = 10.0
PERIOD = 5
A, B = (Target("lab", "ethereum", name, f"http://10.0.0.{i}:8545") for i, name in enumerate("ab", 1))
LAB = Settings("lab", "ethereum", INTERVAL, float(PERIOD))


class Clocks:
    """A wall clock that can be set, and a steady one that cannot."""

    def __init__(self) -> None:
        self.passed = 0.0
        self.set_by = 0.0

    def wall(self) -> float:
        """Return the time as it is set."""
        return START + self.passed + self.set_by

    def steady(self) -> float:
        """Return the seconds that have passed."""
        return self.passed


def head_at(moment: float) -> Block:
    """Return the block that is the head at a moment of time as it passes, whatever a clock says."""
    number = int(moment // PERIOD)
    return Block(number, f"0x{number:x}", START + number * PERIOD, parent=f"0x{number - 1:x}")


def gather(health: Health, clocks: Clocks, targets: Sequence[Target] = (A, B), *, peers: Sequence[Peer] = ()) -> None:
    """Have nodes tell the head of now; blocks have the time of makers whose clocks are set with the collector's."""
    for target in targets:
        head = head_at(clocks.passed)
        observation = Observation(
            at=health.wall(),
            head=Block(head.number, head.hash, head.timestamp + clocks.set_by, parent=head.parent),
            network=Network(genesis="0x0"),
            identity=target.name * 64,
            peers=peers,
            peer_count=len(peers),
        )
        health.gathered(target, observation)


def watching(settings: Settings = LAB, *, by_clock: bool = True) -> tuple[Health, Clocks]:
    clocks = Clocks()
    health = Health(clocks.wall, clocks.steady, by_clock=by_clock)
    health.apply([settings])
    health.follow([A, B])
    return health, clocks


def live(health: Health, clocks: Clocks, gathers: int) -> Assessment:
    """Let time pass and nodes be gathered; nothing is to be found meanwhile."""
    for _ in range(gathers):
        clocks.passed += INTERVAL
        gather(health, clocks, peers=[Peer("b" * 64), Peer("a" * 64)])
        [now] = health.assess()
        assert not now.findings
    return now


@pytest.mark.parametrize("by", [-3600.0, -90.0, 90.0, 3600.0, 86_400.0 * 365])
def test_a_clock_that_is_set_raises_nothing_and_wedges_nothing(by: float, caplog: pytest.LogCaptureFixture) -> None:
    health, clocks = watching()
    before = live(health, clocks, 20)
    clocks.set_by = by
    [at_once] = health.assess()
    assert not at_once.findings
    assert [node.state for node in at_once.nodes] == [State.UNKNOWN] * 2
    after = live(health, clocks, 20)
    assert [node.state for node in after.nodes] == [State.UP] * 2
    assert (after.head_number or 0) > (before.head_number or 0)
    assert [record.getMessage() for record in caplog.records] == [
        f"the clock was set by {by:+.0f} s: health begins anew"
    ]


def test_what_was_asked_before_the_clock_was_set_back_counts_for_nothing() -> None:
    health, clocks = watching()
    live(health, clocks, 3)
    asked = Observation(at=health.wall(), head=head_at(clocks.passed))
    clocks.set_by = -3600.0
    assert health.gathered(A, asked) == ()
    assert [node.state for node in health.assess()[0].nodes] == [State.UNKNOWN] * 2
    live(health, clocks, 3)


def test_a_clock_that_drifts_is_followed() -> None:
    health, clocks = watching()
    for _ in range(30):
        clocks.set_by += 1.0
        now = live(health, clocks, 1)
    assert all(len(node.lags) == 29 for node in now.nodes)


class DefectiveError(Exception):
    """What a defect might raise."""


def test_a_defect_costs_no_gather_and_is_logged_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fails(*_: object) -> None:
        raise DefectiveError("line\nbreak")

    for name in ("gathered", "told", "unanswered", "failed", "pushed_block", "follow"):
        monkeypatch.setattr(ChainHealth, name, fails)
    health, _ = watching()
    caplog.set_level(logging.INFO)
    for _ in range(5):
        assert health.gathered(A, Observation(at=START)) == ()
        health.told(A, [head_at(0)])
        health.unanswered(A)
        health.failed(A, "timeout")
        health.pushed_block("lab", "a", head_at(0), START)
    (line,) = (record.getMessage() for record in caplog.records)
    assert "lab: a defect: DefectiveError(" in line
    assert "\n" not in line


def test_where_nobody_knows_the_next_gather_nodes_are_up_until_one_fails() -> None:
    for by_clock, expected in ((True, State.DOWN), (False, State.UP)):
        health, clocks = watching(by_clock=by_clock)
        gather(health, clocks)
        clocks.passed += 60
        assert {node.state for node in health.assess()[0].nodes} == {expected}
        health.failed(A, "timeout")
        assert [node.state for node in health.assess()[0].nodes] == [State.DOWN, expected]


def test_a_peer_that_another_collector_asks_is_no_stranger() -> None:
    """And that two nodes are not connected says nothing, where a third may be between them."""
    for shared, expected in ((False, {"strangers"}), (True, set())):
        health, clocks = watching(Settings("lab", "ethereum", INTERVAL, float(PERIOD), shared=shared))
        for _ in range(3):
            clocks.passed += INTERVAL
            gather(health, clocks, peers=[Peer("c" * 64)])
            [now] = health.assess()
        assert {finding.signal for finding in now.findings} == expected
        assert now.peers is not None
        assert not now.peers.complete


def test_a_reload_keeps_the_memory_of_a_chain_and_forgets_that_of_another_kind() -> None:
    health, clocks = watching()
    before = live(health, clocks, 20)
    health.apply([Settings("new", "nodeos"), LAB])
    health.follow([A, B])
    new, kept = health.assess()
    assert (new.chain, list(new.nodes), list(new.findings)) == ("new", [], [])
    assert len(kept.nodes[0].lags) > len(before.nodes[0].lags) == 19
    health.apply([Settings("lab", "nodeos")])
    health.follow([])
    gather(health, clocks)  # of a gather that was under way
    [other] = health.assess()
    assert (other.kind, list(other.nodes), list(other.findings)) == ("nodeos", [], [])


def test_a_chain_without_nodes_is_not_silent() -> None:
    """As where all of them are asked by other collectors."""
    health, _ = watching()
    health.follow([])
    [now] = health.assess()
    assert not now.findings
    assert now.severity is None
    assert health.readings("lab") != []
    assert health.readings("other") == []
