"""The time that a node writes into its pings: Go's text form of a time, or milliseconds from reporters in JavaScript.

    2026-11-21 07:50:43.828468839 +0000 UTC m=+11.079835458

What follows `m=` is Go's monotonic clock: the seconds since the process began. Of all that a node can be asked, only
this tells when it was started.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

_GO = re.compile(
    r"(\d{4})-(\d\d)-(\d\d) (\d\d):(\d\d):(\d\d)(\.\d{1,9})? ([+-])(\d\d)(\d\d)(?: [A-Za-z0-9+-]{1,10})?"
    r"(?: m=([+-]\d{1,12}(?:\.\d{1,9})?))?",
    re.ASCII,
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EARLIEST_MS = 1e11
"""Milliseconds below this, in 1973, are no time of today, but seconds or nonsense."""


class ClientTime(NamedTuple):
    """The node's clock: `wall` in seconds since the epoch, `running` in seconds since its process began, if told."""

    wall: float
    running: float | None = None


def client_time(value: object) -> ClientTime:
    """Return what a node's clock showed. Raises ValueError where that is neither of the two forms."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        if not _EARLIEST_MS <= value < 1e14:  # noqa: PLR2004 - the year 5138
            raise ValueError("no milliseconds since the epoch")
        return ClientTime(value / 1000)
    if not isinstance(value, str) or not (match := _GO.fullmatch(value)):
        raise ValueError("no time as Go writes it")
    year, month, day, hour, minute, second = map(int, match.groups()[:6])
    local = datetime(year, month, day, hour, minute, second, tzinfo=UTC)
    ahead = timedelta(hours=int(match[9]), minutes=int(match[10]))
    seconds = (local - _EPOCH - (ahead if match[8] == "+" else -ahead)).total_seconds()
    running = float(match[11]) if match[11] else None
    if running is not None and running < 0:
        raise ValueError("a process that has not begun yet")
    return ClientTime(seconds + float(match[7] or 0), running)
