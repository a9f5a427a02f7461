"""Quantiles of the few figures that are kept of anything."""

from __future__ import annotations

import math
from collections.abc import Sequence


def quantile(ordered: Sequence[float], share: float) -> float:
    """Return the least of the figures that this share of them does not exceed; they are ascending, one at least.

    It is one of the figures, not a mean of two: with few of them a p95 is their greatest.
    """
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]
