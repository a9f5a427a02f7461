"""Panels on the grid."""

from __future__ import annotations

from itertools import combinations, pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dashboards.layout import COLUMNS, Place, laid_out
from dashboards.panels import Line, Panel
from dashboards.queries.expressions import Prom


def panel(width: int, height: int) -> Panel:
    return Panel("stat", "Title", "Text.", (Line(Prom("1", ())),), "short", width=width, height=height)


def overlap(one: Place, other: Place) -> bool:
    across = one.x < other.x + other.width and other.x < one.x + one.width
    return across and one.y < other.y + other.height and other.y < one.y + one.height


@settings(max_examples=60)
@given(st.lists(st.tuples(st.integers(1, COLUMNS), st.integers(1, 12)), max_size=12), st.integers(0, 100))
def test_none_lies_on_another_or_beyond_the_grid(sizes: list[tuple[int, int]], top: int) -> None:
    places = laid_out([panel(*size) for size in sizes], top)
    assert [(place.width, place.height) for place in places] == sizes
    assert not [pair for pair in combinations(places, 2) if overlap(*pair)]
    assert all(place.x + place.width <= COLUMNS and place.y >= top for place in places)
    assert all((one.y, one.x) < (other.y, other.x) for one, other in pairwise(places))


def test_a_line_is_as_high_as_its_highest_panel() -> None:
    places = laid_out([panel(12, 3), panel(12, 7), panel(8, 2)], 5)
    assert [(place.x, place.y) for place in places] == [(0, 5), (12, 5), (0, 12)]


def test_one_that_is_wider_than_the_grid_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="24 columns wide, not 25"):
        laid_out([panel(25, 1)], 0)
