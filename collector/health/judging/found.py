"""What the judges of chain, nodes and makers have in common."""

from __future__ import annotations

from typing import NamedTuple

IN_A_ROW = 2
"""Gathers that must agree before a node is said to be behind, forked, alone: one may fall amidst a change."""


class Found(NamedTuple):
    """A signal that holds now, and what is to be said of it; `value` is what was compared."""

    signal: str
    subject: str
    text: str
    value: float | None = None
