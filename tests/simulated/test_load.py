"""Transactions come as often as they should, in any order of asking, and not evenly."""

from __future__ import annotations

import math
from itertools import pairwise

import hypothesis
from hypothesis import strategies as st

from compose.simulated.load import EVERY, LASTING, Bursts, Steady
from tests.simulated.asking import START

MOMENTS = st.floats(START, START + 1e6)


@hypothesis.given(st.floats(0, 1000), st.sampled_from([0.5, 3.0]), st.lists(MOMENTS, min_size=3, max_size=3))
def test_what_comes_in_two_spans_comes_in_both_together(rate: float, period: float, moments: list[float]) -> None:
    first, second, third = sorted(moments)
    for load in (Steady(rate, period), Bursts(rate)):
        parts = load.between(first, second), load.between(second, third)
        assert min(parts) >= 0
        assert sum(parts) == load.between(first, third)
    assert abs(Steady(rate, period).between(first, third) - rate * (third - first)) <= rate * 2 * 5.618 * period + 1


def test_it_is_uneven_and_some_blocks_are_empty() -> None:
    load = Steady(4.0, 0.5)
    blocks = [load.between(START + i / 2, START + (i + 1) / 2) for i in range(2400)]
    assert 2400 * 1.99 < sum(blocks) < 2400 * 2.01
    assert 100 < blocks.count(0) < 600
    assert max(blocks) >= 4
    for producer in range(3):
        made = [block for i, block in enumerate(blocks) if i // 12 % 3 == producer]
        assert 0.9 < sum(made) * 3 / sum(blocks) < 1.1, "no producer has the lulls"


def test_without_load_nothing_comes() -> None:
    assert Steady(0.0, 3).between(0, START) == Bursts(0.0).between(0, START) == 0
    assert Bursts(0.0).next(START) == math.inf


@hypothesis.given(st.floats(0.01, 100), MOMENTS)
def test_bursts_are_where_next_says(rate: float, since: float) -> None:
    load = Bursts(rate)
    moments = [since]
    for _ in range(12):
        moments.append(load.next(moments[-1]))
        assert load.between(moments[-2], moments[-1] - 0.001) == 0
        assert load.between(moments[-1] - 0.001, moments[-1]) > 0
    gaps = [later - earlier for earlier, later in pairwise(moments[1:])]
    assert set(gaps) == {1, EVERY - LASTING + 1}
