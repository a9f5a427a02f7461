"""Figures from the histogram against those from a list of all durations."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compose.load.histogram import Histogram

DURATIONS = st.lists(st.floats(0, 2e4), min_size=1, max_size=200)


def filled(durations: list[float]) -> Histogram:
    """Return a histogram of these."""
    histogram = Histogram()
    for seconds in durations:
        histogram.record(seconds)
    return histogram


@given(DURATIONS, st.sampled_from([0.0, 0.5, 0.9, 0.99, 0.999, 1.0]))
def test_percentiles_are_off_by_less_than_a_hundredth(durations: list[float], share: float) -> None:
    exact = sorted(durations)[max(math.ceil(share * len(durations) - 1e-6) - 1, 0)]
    told = filled(durations).at(share)
    assert told is not None
    assert exact <= told + 1e-12
    assert told <= exact * 1.008 + 1.1e-6
    assert told <= max(durations)


@given(DURATIONS, DURATIONS)
def test_two_make_one(first: list[float], second: list[float]) -> None:
    both, other = filled(first), filled(second)
    both.add(other.counts(), other.sum, other.longest)
    whole = filled(first + second)
    assert both.counts() == whole.counts()
    assert (both.count, both.longest) == (whole.count, whole.longest)
    assert both.mean == pytest.approx(whole.mean)


@given(DURATIONS)
def test_every_one_is_in_the_bucket_that_holds_it(durations: list[float]) -> None:
    for seconds in durations:
        [(lower, upper, count)] = filled([seconds]).buckets()
        assert count == 1
        assert lower <= seconds + 1e-12
        assert seconds < upper + 1e-12


def test_nothing_yet() -> None:
    assert Histogram().at(0.5) is None
    assert Histogram().mean is None


@pytest.mark.parametrize("seconds", [-1.0, 0.0, 1e6, 1e15])
def test_what_cannot_be_is_counted_at_the_ends(seconds: float) -> None:
    histogram = filled([seconds])
    assert histogram.count == 1
    assert len(list(histogram.buckets())) == 1


def test_memory_does_not_grow_with_what_is_counted() -> None:
    histogram = filled([i * i / 1e6 for i in range(20_000)])
    assert len(histogram._counts) == 4096
    assert sum(count for _, _, count in histogram.buckets()) == 20_000
