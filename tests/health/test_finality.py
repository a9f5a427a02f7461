"""How far behind the head the last irreversible block may be."""

from __future__ import annotations

import pytest

from collector.health.making import finality, tolerated


@pytest.mark.parametrize(
    ("producers", "least", "most", "tolerable"),
    [(1, 1, 1, 13), (2, 13, 24, 48), (3, 37, 48, 84), (4, 37, 48, 96), (21, 325, 336, 588)],
)
def test_the_schedule_says_what_lag_is_to_be_expected(producers: int, least: int, most: int, tolerable: int) -> None:
    said = finality(1_000, 990, [f"p{i}" for i in range(producers)], None)
    assert said is not None
    assert (said.number, said.lag, said.kind, said.expected_least, said.expected_most) == (990, 10, "dpos", least, most)
    assert tolerated(said, producers) == tolerable


def test_what_four_real_producers_showed_in_health_is_tolerated() -> None:
    said = finality(1_000, 930, "abcd", None)
    assert said is not None
    most = tolerated(said, 4)
    assert most is not None
    assert said.lag <= most


def test_savanna_trails_by_two_or_three_blocks() -> None:
    said = finality(1_000, 998, "abcd", 4)
    assert said is not None
    assert (said.lag, said.kind, said.expected_least, said.expected_most) == (2, "savanna", 2, 3)
    assert tolerated(said, 4) == 15


def test_what_is_not_told_is_unknown() -> None:
    assert finality(1_000, None, "abcd", None) is None
    assert finality(1_000, None, None, None) is None  # Clique
    said = finality(1_000, 960, None, None)
    assert said is not None
    assert (said.lag, said.expected_most, tolerated(said, 0)) == (40, None, None)


def test_a_last_irreversible_block_above_the_head_lags_by_nothing() -> None:
    said = finality(10, 10**30, "a", None)
    assert said is not None
    assert said.lag == 0
