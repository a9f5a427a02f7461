"""How nodeos writes numbers, times, names and ids, and what of that may become a value or a label.

Everything here raises ValueError for what is not of the form asked for.
"""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime
from typing import Any

_INTEGER = re.compile(r"-?[0-9]{1,20}")  # 64 bits have twenty digits; dawn's recent_slots, 64 ones, is no number
_DECIMAL = re.compile(r"-?[0-9]{1,40}\.[0-9]{1,40}|-?[0-9](\.[0-9]{1,40})?[eE][+-]?[0-9]{1,3}")
_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{3}|\.[0-9]{6})?")
_ACCOUNT = re.compile(r"[a-z1-5.]{1,13}")
_ID = re.compile(r"[0-9a-f]{64}")


def number(value: object) -> int | float:
    """Return a finite number; beyond 63 bits a float.

    Integers above 4294967295 and all doubles come as strings; a double may be "-nan". Booleans are 0 and 1.
    """
    if isinstance(value, str):
        if _INTEGER.fullmatch(value):
            value = int(value)
        elif _DECIMAL.fullmatch(value):
            value = float(value)
    if isinstance(value, int):
        return int(value) if abs(value) < 2**63 else float(value)
    if isinstance(value, float) and math.isfinite(value):
        return value
    raise ValueError(f"no number: {value!r:.40}")


def count(value: object) -> int | float:
    """Return a number that can't be negative, and is no boolean."""
    found = number(value)
    if isinstance(value, bool) or found < 0:
        raise ValueError(f"no count: {value!r:.40}")
    return found


def flag(value: object) -> int:
    """Return 1 for true and 0 for false."""
    if not isinstance(value, bool):
        raise ValueError(f"neither true nor false: {value!r:.40}")  # noqa: TRY004 - one error for every odd form
    return int(value)


def entries(value: object) -> list[Any]:
    """Return a list, whatever is in it."""
    if not isinstance(value, list):
        raise ValueError(f"no list: {value!r:.40}")  # noqa: TRY004 - as above
    return value


def seconds(value: object) -> float:
    """Return a time, always UTC and without saying so, as seconds since the epoch."""
    if not isinstance(value, str) or not _TIME.fullmatch(value):
        raise ValueError(f"no time: {value!r:.40}")
    return datetime.fromisoformat(value).replace(tzinfo=UTC).timestamp()


def account(value: object) -> str:
    """Return an account's name."""
    if not isinstance(value, str) or not _ACCOUNT.fullmatch(value):
        raise ValueError(f"no account's name: {value!r:.40}")
    return value


def identifier(value: object) -> str:
    """Return the id of a block or a chain."""
    if not isinstance(value, str) or not _ID.fullmatch(value):
        raise ValueError(f"no id: {value!r:.40}")
    return value
