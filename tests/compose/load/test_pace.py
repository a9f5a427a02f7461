"""When requests begin, and what their latency is counted from."""

from __future__ import annotations

import itertools
import time

import msgspec
import pytest

from compose.load.pace import Ceiling, Schedule, Unpaced, pace
from compose.load.plan import Share
from tests.compose.load.behaving import DELAY, Behaving
from tests.compose.load.making import USUAL, a_load, make, run


def test_a_schedule_keeps_its_times_whatever_happens() -> None:
    share = Share(msgspec.structs.replace(USUAL, rate=10.0, processes=2), 1)
    paced = pace(share, 100.0)
    assert isinstance(paced, Schedule)
    assert paced.due == pytest.approx(100.1)
    assert paced.take(100.0995) == 100.0995  # early: from when it began
    assert paced.due == pytest.approx(100.3)
    assert paced.take(105.0) == pytest.approx(100.3)  # late: from when it was due
    assert paced.due == pytest.approx(100.5)


def test_a_ceiling_makes_up_for_little() -> None:
    share = Share(msgspec.structs.replace(USUAL, ceiling=10.0, processes=2), 0)
    paced = pace(share, 100.0)
    assert isinstance(paced, Ceiling)
    assert paced.take(100.0) == 100.0
    assert paced.due == pytest.approx(100.2)
    assert paced.take(150.0) == 150.0
    assert paced.due == pytest.approx(150.15)


def test_without_either_all_is_due() -> None:
    paced = pace(Share(USUAL, 0), 100.0)
    assert isinstance(paced, Unpaced)
    assert paced.due < 0


@pytest.mark.parametrize("processes", [1, 2, 3, 7])
def test_shares_make_the_whole(processes: int) -> None:
    load = msgspec.structs.replace(USUAL, requests=1000, workers=100, processes=processes, rate=1000.0)
    shares = [Share(load, number) for number in range(processes)]
    assert sum(share.requests for share in shares) == 1000
    assert sum(share.workers for share in shares) == 100
    due = []
    for share in shares:
        paced = pace(share, 0.0)
        for _ in range(share.requests):
            due.append(paced.due)
            paced.take(paced.due)
    assert sorted(due) == pytest.approx([number / 1000 for number in range(1000)])


def test_a_rate_is_kept() -> None:
    async def test() -> None:
        async with Behaving(lambda: "ok") as server:
            load = a_load(server, rate=500.0, requests=250)
            tally = await make(server, rate=500.0, requests=250)
            assert load.rate
            assert tally.ok == 250
            assert tally.latencies.at(0.5) < 0.05  # type: ignore[operator]

    began = time.monotonic()
    run(test())
    assert 249 / 500 - 0.01 <= time.monotonic() - began < 3


def test_a_ceiling_is_not_exceeded() -> None:
    async def test() -> None:
        async with Behaving(lambda: "ok") as server:
            tally = await make(server, ceiling=200.0, requests=100)
            assert tally.ok == 100
            assert tally.delayed == 0

    began = time.monotonic()
    run(test())
    assert 89 / 200 <= time.monotonic() - began < 3  # a twentieth of a second may be made up for


def test_what_a_stall_holds_up_is_not_hidden() -> None:
    """Of 200 requests at 200 a second, one stalls for most of the time: all that were due meanwhile have waited."""
    behaviours = itertools.chain(["ok"] * 10, ["delay"], itertools.repeat("ok"))

    async def test() -> None:
        async with Behaving(behaviours) as server:
            tally = await make(server, rate=200.0, requests=200, workers=1, late=DELAY / 4)
            assert (tally.ok, server.did["delay"]) == (200, 1)
            assert tally.late >= 0.7 * DELAY * 200  # those due in the first three quarters of the stall, and it itself
            assert tally.delayed >= tally.late - 1
            assert tally.latencies.at(0.5) > DELAY / 8  # type: ignore[operator]

    run(test())


def test_and_without_a_rate_it_is_one_request() -> None:
    behaviours = itertools.chain(["ok"] * 10, ["delay"], itertools.repeat("ok"))

    async def test() -> None:
        async with Behaving(behaviours) as server:
            tally = await make(server, requests=200, workers=1, late=DELAY / 4)
            assert (tally.ok, tally.late, tally.delayed) == (200, 1, 0)

    run(test())
