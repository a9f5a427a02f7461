"""Ticks fall on multiples of the interval, one after another, whatever the clock does."""

from __future__ import annotations

import asyncio
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.ticks import Bell, Clock, next_tick, offset_of
from tests.helpers import run

TIMES = st.floats(1e9, 3e9)
INTERVALS = st.sampled_from([0.1, 0.5, 1.0, 7.0, 10.0, 60.0])


@given(now=TIMES, interval=INTERVALS, share=st.floats(0, 0.99))
def test_the_first_tick_is_the_next_multiple(now: float, interval: float, share: float) -> None:
    offset = share * interval
    tick = next_tick(now, float("-inf"), interval, offset)
    assert now <= tick <= now + interval * 1.001
    assert (tick - offset) / interval == pytest.approx(round((tick - offset) / interval), abs=1e-5)


@given(start=TIMES, interval=INTERVALS, wakes=st.lists(st.floats(-0.01, 3.0), max_size=20))
def test_ticks_never_repeat_and_never_drift(start: float, interval: float, wakes: list[float]) -> None:
    """Woken early or late by any amount, the next tick is a later multiple, the nearest there is."""
    last = next_tick(start, float("-inf"), interval, 0)
    for late in wakes:
        tick = next_tick(last + late * interval, last, interval, 0)
        assert tick >= last + interval * 0.99
        assert tick <= last + (max(late, 0) + 1) * interval * 1.001
        last = tick


def test_a_clock_set_back_is_followed_within_one_interval() -> None:
    last = next_tick(1_000_000.0, float("-inf"), 10, 0)
    assert next_tick(last - 3600, last, 10, 0) <= last - 3600 + 10


def test_a_clock_set_forward_makes_one_tick_not_many() -> None:
    last = next_tick(1_000_000.0, float("-inf"), 10, 0)
    assert next_tick(last + 3601, last, 10, 0) == last + 3610


@pytest.mark.parametrize("jump", [3600.0, -3600.0, 0.03])
def test_a_clock_that_is_set_during_the_wait_makes_no_tick_late(jump: float) -> None:
    async def wait() -> float:
        moved = 0.0
        clock = Clock(0.1, now=lambda: time.time() + moved)
        waiting = asyncio.create_task(clock.next())
        await asyncio.sleep(0)
        moved = jump
        tick = await waiting
        return time.time() + moved - tick.due

    assert -0.05 < run(wait()) < 1.0


def test_offsets_are_within_the_jitter_and_stay_the_same() -> None:
    offsets = [offset_of(f"lab/node-{number}", 2.0) for number in range(100)]
    assert all(0 <= offset < 2 for offset in offsets)
    assert offsets == [offset_of(f"lab/node-{number}", 2.0) for number in range(100)]
    assert len(set(offsets)) > 90
    assert offset_of("any", 0) == 0


def test_a_gather_that_takes_longer_than_the_interval_misses_ticks() -> None:
    async def gather_slowly() -> tuple[int, int]:
        clock = Clock(0.05)
        first = await clock.next()
        await asyncio.sleep(0.18)
        return first.missed, (await clock.next()).missed

    first, second = run(gather_slowly())
    assert first == 0
    assert second >= 3


def test_a_bell_rings_for_every_listener_and_counts_what_one_slept_through() -> None:
    async def listen() -> tuple[int, int]:
        bell = Bell()
        quick, slow = bell.listener(), bell.listener()
        waiting = asyncio.create_task(quick.next())
        await asyncio.sleep(0)
        for _ in range(3):
            await bell.ring()
        return (await waiting).missed, (await slow.next()).missed

    quick, slow = run(listen())
    assert 0 <= quick <= 2
    assert slow == 2
