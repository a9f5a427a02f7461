"""Where panels stand on Grafana's grid of 24 columns."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from dashboards.panels import Panel

COLUMNS = 24


@dataclass(frozen=True)
class Place:
    """A rectangle of the grid; `y` counts downwards."""

    x: int
    y: int
    width: int
    height: int


def laid_out(panels: Iterable[Panel], top: int) -> Sequence[Place]:
    """Return where each panel stands: side by side in their order, a new line where the next would not fit.

    A line is as high as its highest panel. Raises ValueError for a panel wider than the grid.
    """
    places: list[Place] = []
    x, y, bottom = 0, top, top
    for panel in panels:
        if not 0 < panel.width <= COLUMNS:
            raise ValueError(f"{panel.title}: a panel is 1 to {COLUMNS} columns wide, not {panel.width}")
        if x + panel.width > COLUMNS:
            x, y = 0, bottom
        places.append(Place(x, y, panel.width, panel.height))
        x += panel.width
        bottom = max(bottom, y + panel.height)
    return places
