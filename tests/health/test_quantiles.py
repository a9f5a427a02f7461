"""Quantiles of few figures."""

from __future__ import annotations

import statistics

from hypothesis import given
from hypothesis import strategies as st

from collector.health.quantiles import quantile


def test_they_are_figures_that_there_were() -> None:
    assert [quantile([1, 2, 3, 4], share) for share in (0, 0.25, 0.5, 0.75, 0.95, 1)] == [1, 1, 2, 3, 4, 4]
    assert quantile([7], 0.5) == quantile([7], 0.95) == 7


@given(st.lists(st.floats(-1e9, 1e9), min_size=1, max_size=200))
def test_the_half_of_them_is_the_median(figures: list[float]) -> None:
    assert quantile(sorted(figures), 0.5) == statistics.median_low(figures)
