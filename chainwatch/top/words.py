"""Plain text for a terminal: names with nothing invisible in them, numbers and times as short as they read well."""

from __future__ import annotations

import math
import re

from collector.health.words import minutes

LONGEST_NAME = 60

_ADDRESS = re.compile(r"0x[0-9a-fA-F]{40}")


def clean(text: str, most: int = 1000) -> str:
    """Return what a node or a collector wrote as a terminal may be given it: no control character passes."""
    shown = "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text[:most])
    return shown + "…" if len(text) > most else shown


def name(text: str) -> str:
    """Return the name of a node or a maker; of an address both ends."""
    if _ADDRESS.fullmatch(text):
        return f"{text[:8]}…{text[-4:]}"
    return clean(text, LONGEST_NAME)


def whole(value: int | None) -> str:
    """Return a number; "?" where it is unknown."""
    return "?" if value is None else f"{value:,}"


def duration(seconds: float | None) -> str:
    """Return a time as roughly as anybody wants to know it; "?" where it is unknown."""
    if seconds is None or not math.isfinite(seconds):
        return "?"
    return minutes(seconds) or f"{max(0.0, seconds):.0f} s"


def milliseconds(seconds: float | None) -> str:
    """Return a short time; "?" where it is unknown."""
    if seconds is None or not math.isfinite(seconds):
        return "?"
    return duration(seconds) if seconds >= 10 else f"{seconds * 1000:,.0f} ms"  # noqa: PLR2004 - what reads well


def skew(seconds: float | None) -> str:
    """Return by how much a clock is ahead; "?" where it is unknown."""
    if seconds is None or not math.isfinite(seconds):
        return "?"
    sign = "-" if seconds < 0 else "+"
    return sign + milliseconds(abs(seconds))


def share(value: float | None) -> str:
    """Return a share of 0 to 1 as a percentage; "?" where it is unknown."""
    return "?" if value is None or not math.isfinite(value) else f"{value:.0%}"
