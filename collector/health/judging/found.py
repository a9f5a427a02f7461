"""What the judges of chain, nodes and makers have in common."""

from __future__ import annotations

from typing import NamedTuple

from collector.health.assessment import Branch


class Found(NamedTuple):
    """A signal that holds now, and what is to be said of it; `value` is what was compared."""

    signal: str
    subject: str
    text: str
    value: float | None = None


def where_parted(branch: Branch) -> str:
    """Return where a branch has left the chain."""
    return f"above block {branch.parted_at:,}" if branch.parted_at is not None else "further down than is known"
