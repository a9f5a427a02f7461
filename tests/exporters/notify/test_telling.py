"""What fired is told once, and its end once, whatever happens between: restarts, receivers that are away, flapping."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Coroutine
from itertools import pairwise
from pathlib import Path
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from collector.catalogue import BY_NAME
from collector.readings import Reading, Shape
from tests.exporters.notify.stage import EVERY, INTERVAL, KEEPS, REPEAT, Killed, Stage, Told
from tests.helpers import run

BEHIND = ("behind", "sealer-1")
ENOUGH = 60.0
"""Seconds within which an alert is told: it has to last for half a minute."""


def test_it_is_told_that_it_fires_and_that_it_is_over(tmp_path: Path) -> None:
    async def scenario() -> None:
        stage = Stage(tmp_path)
        stage.findings[BEHIND] = 7.0
        await stage.after(20)
        assert stage.receiver.told == []  # not for half a minute yet
        await stage.after(ENOUGH)
        del stage.findings[BEHIND]
        await stage.after(KEEPS - INTERVAL)
        assert stage.receiver.statuses() == ["firing"]
        await stage.after(60)
        assert stage.receiver.statuses() == ["firing", "resolved"]
        await stage.after(3 * EVERY)
        assert len(stage.receiver.told) == 2

    run(scenario())


def test_a_restart_neither_repeats_nor_forgets(tmp_path: Path) -> None:
    async def scenario() -> None:
        stage = Stage(tmp_path)
        stage.findings[BEHIND] = 7.0
        await stage.after(ENOUGH)
        await stage.restart()
        await stage.after(600)
        assert stage.receiver.statuses() == ["firing"]
        await stage.restart()
        del stage.findings[BEHIND]
        await stage.after(KEEPS - INTERVAL)
        assert stage.receiver.statuses() == ["firing"]  # the collector may yet find it again
        await stage.after(30)
        assert stage.receiver.statuses() == ["firing", "resolved"]

    run(scenario())


def test_without_evidence_nothing_is_over(tmp_path: Path) -> None:
    """After a restart nobody assesses the chain: whether it is over is not known."""

    async def scenario() -> None:
        stage = Stage(tmp_path)
        stage.findings[BEHIND] = 7.0
        await stage.after(ENOUGH)
        await stage.restart()
        stage.findings.clear()
        stage.assesses = False
        await stage.after(3_600)
        assert stage.receiver.statuses() == ["firing"]
        stage.assesses = True
        await stage.after(KEEPS + 30)
        assert stage.receiver.statuses() == ["firing", "resolved"]

    run(scenario())


def test_of_an_hour_away_the_receiver_is_told_once(tmp_path: Path) -> None:
    """Of what fires still, that it fires; of what has passed, both at once; of what it knows, that it is over."""

    async def scenario() -> None:
        stage = Stage(tmp_path)
        stage.findings = {("behind", "known"): 3.0}
        await stage.after(ENOUGH)
        stage.receiver.there = False
        stage.findings = {("behind", "passed"): 3.0, ("behind", "still"): 3.0}
        await stage.after(1_800)
        assert stage.receiver.tries < 30  # pauses grow
        del stage.findings["behind", "passed"]
        await stage.after(900)
        await stage.restart()
        await stage.after(900)
        stage.receiver.there = True
        await stage.after(301)
        assert stage.receiver.statuses("known") == ["firing", "resolved"]
        assert stage.receiver.statuses("passed") == ["passed"]
        assert stage.receiver.statuses("still") == ["firing"]
        stage.findings.clear()
        await stage.after(KEEPS + 60)
        assert stage.receiver.statuses("still") == ["firing", "resolved"]

    run(scenario())


def test_a_receiver_says_how_long_to_leave_it_alone(tmp_path: Path) -> None:
    async def scenario() -> None:
        stage = Stage(tmp_path)
        stage.receiver.there, stage.receiver.wait = False, 500.0
        stage.findings[BEHIND] = 3.0
        await stage.after(400)
        assert stage.receiver.tries == 1
        stage.receiver.there = True
        await stage.after(200)
        assert stage.receiver.statuses() == ["firing"]

    run(scenario())


def test_what_comes_and_goes_is_told_once_in_a_quarter_of_an_hour(tmp_path: Path) -> None:
    async def scenario() -> None:
        stage = Stage(tmp_path)
        for _ in range(12):  # an hour
            stage.findings[BEHIND] = 3.0
            await stage.after(100)
            stage.findings.clear()
            await stage.after(200)
        await stage.after(EVERY)
        told = stage.receiver.told
        begun = [each.at for each in told if each.status != "resolved"]
        assert 3 <= len(begun) <= 5
        assert all(later - earlier >= EVERY for earlier, later in pairwise(begun))
        assert consistent(told)
        assert sum(each.times for each in told if each.status != "resolved") == 12
        assert told[-1].status in ("resolved", "passed")

    run(scenario())


def test_what_comes_and_goes_within_two_minutes_fires_once(tmp_path: Path) -> None:
    async def scenario() -> None:
        stage = Stage(tmp_path)
        for _ in range(30):
            stage.findings[BEHIND] = 3.0
            await stage.after(50)
            stage.findings.clear()
            await stage.after(50)
        assert stage.receiver.statuses() == ["firing"]

    run(scenario())


def test_it_is_said_again_every_four_hours_that_it_still_fires(tmp_path: Path) -> None:
    async def scenario() -> None:
        stage = Stage(tmp_path)
        stage.findings[BEHIND] = 3.0
        await stage.after(ENOUGH)
        for _ in range(2):
            stage.now += REPEAT - 100
            await stage.after(200)
        assert stage.receiver.statuses() == ["firing", "still", "still"]

    run(scenario())


def test_killed_after_it_was_told_and_before_that_was_noted_it_is_told_again(tmp_path: Path) -> None:
    """At least once, that is; and its end too, though the fault is gone by the next start."""

    async def scenario() -> None:
        stage = Stage(tmp_path)
        stage.receiver.killed = True
        stage.findings[BEHIND] = 3.0
        try:
            await stage.after(ENOUGH)
        except Killed:
            stage.receiver.killed = False
        assert stage.receiver.statuses() == ["firing"]
        stage.findings.clear()
        await stage.restart()
        await stage.after(KEEPS + 60)
        assert stage.receiver.statuses() == ["firing", "firing", "resolved"]

    run(scenario())


def test_one_channel_waits_for_no_other(tmp_path: Path) -> None:
    """And each is told what it is for."""

    async def scenario() -> None:
        stage = Stage(tmp_path, {"away": {}, "night": {"severity": "critical"}, "else": {"chains": ["other"]}})
        stage.receivers["away"].there = False
        stage.findings = {BEHIND: 3.0, ("halted", ""): 60.0}
        await stage.after(ENOUGH)
        assert stage.receivers["away"].told == []
        assert [each.alert for each in stage.receivers["night"].told] == ["ChainHalted"]
        assert stage.receivers["else"].tries == 0

    run(scenario())


def test_one_alert_that_is_refused_holds_up_no_other(tmp_path: Path) -> None:
    async def scenario() -> None:
        stage = Stage(tmp_path)
        stage.receiver.refuses = "sealer-1"
        stage.findings = {("behind", f"sealer-{number}"): 3.0 for number in range(10)}
        await stage.after(600)
        told = {each.subject for each in stage.receiver.told}
        assert told == {f"sealer-{number}" for number in range(10)} - {"sealer-1"}
        stage.receiver.refuses = ""
        await stage.after(3_700)
        assert stage.receiver.statuses("sealer-1") == ["firing"]
        assert consistent(stage.receiver.told)

    run(scenario())


def test_another_figure_is_no_other_alert(tmp_path: Path) -> None:
    async def scenario() -> None:
        stage = Stage(tmp_path)
        for figure in range(100):
            stage.findings[BEHIND] = float(figure)
            await stage.after(INTERVAL)
        assert stage.receiver.statuses() == ["firing"]

    run(scenario())


def consistent(told: list[Told]) -> bool:
    """Tell whether each alert is told by turns that it fires and that it is over; `passed` is both."""
    firing: set[tuple[str, str]] = set()
    for each in told:
        identity = (each.alert, each.subject)
        if each.status in ("firing", "passed") and identity in firing:
            return False
        if each.status in ("still", "resolved") and identity not in firing:
            return False
        if each.status == "firing":
            firing.add(identity)
        if each.status == "resolved":
            firing.discard(identity)
    return True


class Anything(RuleBasedStateMachine):
    """Faults come and go, the process restarts, the receiver is away, in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.directory = Path(tempfile.mkdtemp(prefix="notify-"))
        self.stage = Stage(self.directory)

    def teardown(self) -> None:
        """In the end the receiver is there, and nothing fires any more: it knows of that."""
        self.stage.findings.clear()
        self.stage.assesses = self.stage.receiver.there = True
        self.run(self.stage.after(KEEPS + EVERY + 600))
        assert consistent(self.stage.receiver.told)
        for subject in ("a", "b"):
            assert self.stage.receiver.statuses(subject)[-1:] in ([], ["resolved"], ["passed"])
        [channel] = self.stage.at_work
        assert channel.outbox.waiting == 0
        assert not self.stage.notifier._lives.firing
        shutil.rmtree(self.directory)

    def run(self, work: Coroutine[Any, Any, None]) -> None:
        """Do something on an event loop."""
        run(work)

    @rule(subject=st.sampled_from(["a", "b"]))
    def fire(self, subject: str) -> None:
        """Let a node be behind."""
        self.stage.findings["behind", subject] = 4.0

    @rule(subject=st.sampled_from(["a", "b"]))
    def clear(self, subject: str) -> None:
        """Let it be well."""
        self.stage.findings.pop(("behind", subject), None)

    @rule(seconds=st.sampled_from([10.0, 40.0, 200.0, 1_000.0, 5_000.0]))
    def wait(self, seconds: float) -> None:
        """Let time pass."""
        self.run(self.stage.after(seconds))

    @rule()
    def restart(self) -> None:
        """Go on with another process."""
        self.run(self.stage.restart())

    @rule()
    def come_or_go(self) -> None:
        """Let the receiver be away, or back."""
        self.stage.receiver.there = not self.stage.receiver.there

    @rule()
    def fall_silent_or_speak(self) -> None:
        """Let nobody assess the chain, or somebody again."""
        self.stage.assesses = not self.stage.assesses

    @invariant()
    def messages_take_turns(self) -> None:
        """Tell at every moment what fits together."""
        assert consistent(self.stage.receiver.told)


TestAnything = Anything.TestCase
TestAnything.settings = settings(max_examples=12, stateful_step_count=14, deadline=None)


def test_a_figure_of_a_node_that_is_down_is_not_over(tmp_path: Path) -> None:
    """A nodeos whose state database is full stops, and tells of it no more: that is no end to be told of at night."""
    metrics = [BY_NAME[f"chain_state_database_{name}_bytes"] for name in ("used", "size")]
    shape = Shape(metrics[0].measurement, {"chain": "lab", "node": "n-1"}, [metric.as_field for metric in metrics])

    async def scenario() -> None:
        stage = Stage(tmp_path)
        await stage.begin()

        async def used(share: float, seconds: float) -> None:
            for _ in range(int(seconds / INTERVAL)):
                stage.notifier.take([Reading(shape, [share * 100, 100.0], int(stage.now * 1e9))], INTERVAL)
                await stage.after(INTERVAL)

        def told() -> list[str]:
            return stage.receiver.statuses(alert="StateDatabaseFilling")

        await used(0.99, INTERVAL)
        stage.findings["node_down", "n-1"] = None
        await stage.after(1_000)
        stage.findings.clear()
        await used(0.99, 30)
        assert told() == []  # what did not fire yet has to hold anew
        await used(0.99, 60)
        assert told() == ["firing"]
        stage.findings["node_down", "n-1"] = None
        await stage.after(1_000)
        await stage.restart()
        await stage.after(1_000)
        assert told() == ["firing"]
        stage.findings.clear()  # it is back, with more room
        await used(0.5, KEEPS + 60)
        assert told() == ["firing", "resolved"]
        await used(0.99, 90 + EVERY)
        assert told() == ["firing", "resolved", "firing"]
        stage.findings.clear()  # nobody watches it any more
        await stage.after(KEEPS + 120)
        assert told() == ["firing", "resolved", "firing", "resolved"]

    run(scenario())
