"""How long to wait before a server is asked again."""

from __future__ import annotations

import random
import re
import time
from email.utils import parsedate_to_datetime

LONGEST_ASKED_FOR = 600.0
"""Seconds that a server may ask to be left alone; it is asked again after that, whatever it said."""

_SECONDS = re.compile(r"[0-9]{1,12}")


def retry_after(value: str | None) -> float:
    """Return the seconds that a `Retry-After` header asks for: 0 if it says nothing of use, at most 600.

    RFC 9110 allows a number of seconds or a date; some servers send fractions, negative numbers and worse.
    """
    value = (value or "").strip()
    if _SECONDS.fullmatch(value):
        return min(float(value), LONGEST_ASKED_FOR)
    try:
        until = parsedate_to_datetime(value).timestamp()
    except (ValueError, OverflowError):  # Python's parser lets both out
        return 0.0
    return min(max(until - time.time(), 0.0), LONGEST_ASKED_FOR)


class Backoff:
    """Pauses that double with each failure in a row, each shortened at random by up to a half: servers that come
    back are not met by all their clients at once.
    """  # noqa: D205 - one sentence

    def __init__(self, first: float = 1.0, longest: float = 60.0) -> None:
        self._first = first
        self._longest = longest
        self._next = first

    def pause(self) -> float:
        """Return how many seconds to wait now."""
        pause = self._next
        self._next = min(2 * pause, self._longest)
        return pause * random.uniform(0.5, 1.0)  # noqa: S311 - nothing secret hangs on it

    def reset(self) -> None:
        """Begin anew: the server has answered."""
        self._next = self._first
