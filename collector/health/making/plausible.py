"""Figures and moments that can be reckoned with: a node may tell anything, and no sum of it may fail."""

from __future__ import annotations

MOST = 2**63
"""Amounts beyond it are none: no block holds so much of anything."""

LATEST = 1e11
"""Moments beyond it, the year 5138, are none."""


def amount(value: float | None) -> float | None:
    """Return an amount if it can be one."""
    return value if value is not None and 0 <= value < MOST else None


def moment(timestamp: float) -> float | None:
    """Return a moment, in seconds since the epoch, if it can be one."""
    return timestamp if 0 <= timestamp < LATEST else None
