"""A watch: gathers at ticks, one at a time, and says whether the node is up whatever a source does."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest

from collector.about import About
from collector.agent import Agent, Chain, by_clock
from collector.client import Client
from collector.failures import BadAnswer
from collector.health.chain import ChainHealth, Settings
from collector.health.health import Health
from collector.readings import Field, Reading, Shape
from collector.remarks import Remarks
from collector.sources import Problems
from collector.targets import Target
from collector.ticks import Bell
from tests.faults.watching import Fixed, Kept
from tests.helpers import run

TARGET = Target("lab", "made-up", "a", "http://127.0.0.1:1", interval=0.1, timeout=0.08)


class MadeUp:
    """A source that does what a test says."""

    advice: dict[str, str] = {}  # noqa: RUF012 - never changed

    def __init__(self, gather: Callable[[Problems], Awaitable[None]]) -> None:
        self._gather = gather
        self.running = self.most = self.gathers = self.cancelled = 0

    def __call__(self, target: Target, client: Client, remarks: Remarks, problems: Problems) -> MadeUp:  # noqa: ARG002
        """Be the factory, and the source that it makes."""
        self._problems = problems
        return self

    async def gather(self) -> list[Reading]:
        """Do it, and count."""
        self.gathers += 1
        self.running += 1
        self.most = max(self.most, self.running)
        try:
            await self._gather(self._problems)
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        finally:
            self.running -= 1
        return [Reading(Shape("chain", TARGET.tags, [Field("peers")]), [3], time.time_ns())]

    async def close(self) -> None:
        """Have nothing to close."""


async def watched(source: MadeUp, seconds: float, *targets: Target) -> tuple[Kept, dict[str, float]]:
    """Watch for a while; return what was exported, and the counters of the one node by name and kind."""
    kept, about = Kept(), About()
    agent = Agent(lambda _: source, [kept], about)
    await agent.watch([Chain("lab", 3600.0, Fixed(list(targets or [TARGET])))], 10.0)
    await asyncio.sleep(seconds)
    counted = {
        sample.name.removeprefix("chainwatch_")
        + (f" {sample.labels['kind']}" if "kind" in sample.labels else ""): sample.value
        for metric in about.registry.collect()
        for sample in metric.samples
        if "node" in sample.labels
    }
    await agent.stop(1.0)
    return kept, counted


def test_a_gather_past_its_timeout_is_cancelled_and_counted_and_the_next_one_begins() -> None:
    async def hang(_: Problems) -> None:
        await asyncio.sleep(3600)

    source = MadeUp(hang)
    hanging = replace(TARGET, interval=0.4, timeout=0.1)  # a busy machine may be late by the difference
    kept, counted = run(watched(source, 1.5, hanging))
    assert source.cancelled >= 2
    assert set(kept.up("a")) == {0}
    assert counted["gather_errors_total timeout"] >= 2
    assert counted["gathers_missed_total"] == 0


def test_there_are_never_two_gathers_of_one_server_and_ticks_gone_by_are_counted() -> None:
    async def take_long(_: Problems) -> None:
        await asyncio.sleep(0.25)

    source = MadeUp(take_long)
    slow = Target("lab", "made-up", "a", "http://127.0.0.1:1", interval=0.1, timeout=5)
    _, counted = run(watched(source, 1.0, slow))
    assert source.most == 1
    assert source.gathers >= 2
    assert counted["gathers_missed_total"] >= 2


@pytest.mark.parametrize("error", [RuntimeError("a defect"), KeyError("x"), RecursionError(), TimeoutError()])
def test_a_defect_in_a_source_is_a_failed_gather_and_no_more(
    error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    async def fail(_: Problems) -> None:
        raise error

    source = MadeUp(fail)
    with caplog.at_level(logging.INFO, "chainwatch"):
        kept, counted = run(watched(source, 0.45))
    assert set(kept.up("a")) == {0}
    assert source.gathers >= 3
    kind = "timeout" if isinstance(error, TimeoutError) else "internal"
    assert counted[f"gather_errors_total {kind}"] == counted["gathers_total"]
    assert len(caplog.messages) == 1


@pytest.mark.parametrize("junk", [None, [None], 7])
def test_a_source_that_returns_no_readings_is_a_failed_gather_and_no_more(junk: Any) -> None:  # noqa: ANN401
    class Junk(MadeUp):
        async def gather(self) -> list[Reading]:
            await super().gather()
            returned: list[Reading] = junk
            return returned

    async def well(_: Problems) -> None:
        pass

    source = Junk(well)
    kept, counted = run(watched(source, 0.45))
    assert set(kept.up("a")) == {0}
    assert source.gathers >= 3
    assert counted["gather_errors_total internal"] == counted["gathers_total"]


def test_a_problem_with_a_part_leaves_the_node_up_and_is_said_once(caplog: pytest.LogCaptureFixture) -> None:
    async def complain(problems: Problems) -> None:
        problems("rpc", "txpool_status: out of order")

    with caplog.at_level(logging.INFO, "chainwatch"):
        kept, counted = run(watched(MadeUp(complain), 0.45))
    assert set(kept.up("a")) == {1}
    assert counted["gather_errors_total rpc"] == counted["gathers_total"] >= 3
    assert len(caplog.messages) == 1
    assert "lab/a (http://127.0.0.1:1): txpool_status: out of order" in caplog.messages[0]


def test_recovery_is_said_once_all_is_well(caplog: pytest.LogCaptureFixture) -> None:
    fails = iter([True, True])

    async def fail_twice(_: Problems) -> None:
        if next(fails, False):
            raise BadAnswer("bad_answer", "no")

    with caplog.at_level(logging.INFO, "chainwatch"):
        kept, _ = run(watched(MadeUp(fail_twice), 0.55))
    assert kept.up("a")[:4] == [0, 0, 1, 1]
    assert [message.split(": ", 1)[1] for message in caplog.messages] == ["no", "all is well again after 0 s"]


def test_an_exporter_with_a_defect_keeps_nothing_from_the_others(caplog: pytest.LogCaptureFixture) -> None:
    class Broken(Kept):
        name = "broken"

        def take(self, *_: object) -> None:
            raise RuntimeError("out of order")

    async def well(_: Problems) -> None:
        pass

    async def scenario() -> tuple[Kept, float]:
        kept, about = Kept(), About()
        agent = Agent(lambda _: MadeUp(well), [Broken(), kept], about)
        await agent.watch([Chain("lab", 3600.0, Fixed([TARGET]))], 10.0)
        await asyncio.sleep(0.35)
        await agent.stop(1.0)
        dropped = about.registry.get_sample_value("chainwatch_readings_dropped_total", {"output": "broken"})
        return kept, dropped or 0

    kept, dropped = run(scenario())
    assert len(kept.up("a")) >= 2
    assert dropped >= 4
    assert len(caplog.messages) == 1


@pytest.mark.parametrize("defective", [Health, ChainHealth])
def test_a_defect_in_health_keeps_nothing_from_being_gathered_and_delivered(
    defective: type[object], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fails(*_: object, **__: object) -> None:
        raise RuntimeError("out of order")

    for name in ("gathered", "readings" if defective is Health else "assess"):
        monkeypatch.setattr(defective, name, fails)

    async def well(_: Problems) -> None:
        pass

    async def scenario() -> tuple[Kept, list[bool]]:
        kept, health = Kept(), Health()
        health.apply([Settings("lab", "made-up")])
        chains = [Chain("lab", 0.1, Fixed([TARGET]))]
        agent = Agent(lambda _: MadeUp(well), [kept], About(), health=health)
        await agent.watch(chains, 0.1)
        await asyncio.sleep(0.55)
        await agent.stop(1.0)
        return kept, await Agent(lambda _: MadeUp(well), [kept], About(), health=health).once(chains)

    kept, once = run(scenario())
    assert len(kept.up("a")) >= 4
    assert set(kept.up("a")) == {1}
    assert once == [True]
    assert len([line for line in caplog.messages if "out of order" in line]) <= 4  # of two agents


def test_stopping_lets_a_gather_end_and_delivers_it() -> None:
    began = asyncio.Event()

    async def slow(_: Problems) -> None:
        began.set()
        await asyncio.sleep(0.2)

    async def scenario() -> Kept:
        kept = Kept()
        source = MadeUp(slow)
        agent = Agent(lambda _: source, [kept], About())
        target = Target("lab", "made-up", "a", "http://127.0.0.1:1", interval=0.5, timeout=1)
        await agent.watch([Chain("lab", 3600.0, Fixed([target]))], 10.0)
        await began.wait()
        await agent.stop(1.0)
        assert source.running == 0
        return kept

    assert run(scenario()).up("a") == [1]


def test_stopping_waits_no_longer_than_it_is_given() -> None:
    async def hang(_: Problems) -> None:
        await asyncio.sleep(3600)

    async def scenario() -> float:
        source = MadeUp(hang)
        agent = Agent(lambda _: source, [], About())
        target = Target("lab", "made-up", "a", "http://127.0.0.1:1", interval=0.1, timeout=3600)
        await agent.watch([Chain("lab", 3600.0, Fixed([target]))], 10.0)
        await asyncio.sleep(0.25)
        began = time.monotonic()
        await agent.stop(0.3)
        assert source.running == 0
        return time.monotonic() - began

    assert 0.25 < run(scenario()) < 1.5


def test_servers_that_come_and_go_are_watched_while_they_are_there() -> None:
    async def well(_: Problems) -> None:
        pass

    async def scenario() -> None:
        found = Fixed([TARGET])
        kept, about = Kept(), About()
        agent = Agent(lambda _: MadeUp(well), [kept], about)
        await agent.watch([Chain("lab", 0.1, found)], 10.0)
        await asyncio.sleep(0.35)
        other = Target("lab", "made-up", "b", "http://127.0.0.1:2", interval=0.1, timeout=0.08)
        found._targets = [other]
        await asyncio.sleep(0.25)
        gathers_of_a = len(kept.up("a"))
        await asyncio.sleep(0.25)
        assert len(kept.up("a")) == gathers_of_a
        assert len(kept.up("b")) >= 2
        gone = {"chain": "lab", "node": "a"}
        assert about.registry.get_sample_value("chainwatch_gathers_total", gone) is None
        assert about.registry.get_sample_value("chainwatch_servers", {"chain": "lab"}) == 1
        await agent.stop(1.0)

    run(scenario())


def test_an_unchanged_server_is_left_alone_when_its_chain_is_watched_anew() -> None:
    async def well(_: Problems) -> None:
        pass

    made: list[MadeUp] = []

    def factory(_: str) -> MadeUp:
        made.append(MadeUp(well))
        return made[-1]

    async def scenario() -> None:
        about = About()
        agent = Agent(factory, [], about)
        await agent.watch([Chain("lab", 3600.0, Fixed([TARGET]))], 10.0)
        await asyncio.sleep(0.25)
        before = about.counter("gathers_total", "lab", "a")
        await agent.watch([Chain("lab", 3600.0, Fixed([TARGET]))], 10.0)
        await asyncio.sleep(0.25)
        assert about.counter("gathers_total", "lab", "a") is before
        assert len(made) == 1
        changed = Target("lab", "made-up", "a", "http://127.0.0.1:1", interval=0.1, timeout=0.05)
        await agent.watch([Chain("lab", 3600.0, Fixed([changed]))], 10.0)
        await asyncio.sleep(0.25)
        assert len(made) == 2
        counted = about.registry.get_sample_value("chainwatch_gathers_total", {"chain": "lab", "node": "a"})
        assert counted == made[1].gathers
        await agent.stop(1.0)

    run(scenario())


def test_a_bell_gathers_all_servers_once_a_ring() -> None:
    async def well(_: Problems) -> None:
        pass

    async def scenario() -> list[int]:
        bell = Bell()
        sources = {name: MadeUp(well) for name in "ab"}
        targets = [Target("lab", name, name, f"http://127.0.0.1:{n}") for n, name in enumerate("ab", 1)]
        agent = Agent(sources.__getitem__, [], About(), lambda _: bell.listener())
        await agent.watch([Chain("lab", 3600.0, Fixed(targets))], 10.0)
        counts = []
        for _ in range(2):
            await asyncio.sleep(0.05)
            counts += [source.gathers for source in sources.values()]
            await bell.ring()
        await asyncio.sleep(0.05)
        counts += [source.gathers for source in sources.values()]
        await agent.stop(1.0)
        return counts

    assert run(scenario()) == [0, 0, 1, 1, 2, 2]


def test_ticks_of_a_target_are_spread_by_its_jitter() -> None:
    plain, spread = by_clock(TARGET), by_clock(Target("lab", "x", "a", "http://a", interval=10, jitter=3))
    assert plain._offset == 0  # type: ignore[attr-defined]
    assert 0 < spread._offset < 3  # type: ignore[attr-defined]
