"""How findings write figures and names, for people."""

from __future__ import annotations

import math
from collections.abc import Iterable

MOST_NAMES = 5
"""Names that a sentence holds; more are counted."""

_LONG = 20


def amount(count: float, of: str) -> str:
    """Return `1 block`, `1,200 blocks`."""
    return f"{count:,.0f} {of}{'' if count == 1 else 's'}"


def seconds(value: float) -> str:
    """Return a duration as roughly as anybody wants to know it."""
    return minutes(value) or (f"{value:.0f} s" if value >= 10 else f"{value:.1f} s")  # noqa: PLR2004 - what reads well


def minutes(value: float) -> str:
    """Return seconds in minutes, hours or days; "" for less than two minutes."""
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if value >= 2 * size:
            return f"{math.floor(value / size):,} {unit}"
    return ""


def ahead_of(skew: float) -> str:
    """Return `5.0 s ahead of`, or `behind`: what follows is the clock that was compared with."""
    return f"{seconds(abs(skew))} {'ahead of' if skew > 0 else 'behind'}"


def short(name: str) -> str:
    """Return an account's address so that it can still be told from others: `0x1234ab…89cd`."""
    return name if len(name) <= _LONG else f"{name[:8]}…{name[-4:]}"


def listed(names: Iterable[str]) -> str:
    """Return `a`, `a and b`, `a, b and c`, `a, b, c, d, e and 12 more`."""
    every = list(names)
    shown = every[:MOST_NAMES]
    if len(every) > MOST_NAMES:
        return f"{', '.join(shown)} and {len(every) - MOST_NAMES:,} more"
    return " and ".join([", ".join(shown[:-1]), shown[-1]] if len(shown) > 1 else shown)
