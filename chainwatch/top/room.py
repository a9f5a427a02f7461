"""Who gets how many lines of a screen that is too small for all."""

from __future__ import annotations

from collections.abc import Sequence


def shares(wanted: Sequence[int], room: int) -> list[int]:
    """Return how much of `room` each of these gets: what it wants, or as much as any other that wants more."""
    given = [0] * len(wanted)
    hungry = [place for place, want in enumerate(wanted) if want > 0]
    while hungry and room > 0:
        each = max(1, room // len(hungry))
        for place in hungry:
            more = min(each, wanted[place] - given[place], room)
            given[place] += more
            room -= more
        hungry = [place for place in hungry if given[place] < wanted[place]]
    return given
