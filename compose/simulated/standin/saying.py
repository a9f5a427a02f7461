"""The log on standard error, in the form of nodeos: level, time, thread, place in its source, function, message."""

from __future__ import annotations

import contextlib
import sys
import time

WIDTH = 22
"""Characters of a source file's name that its log shows."""


def info(place: str, function: str, message: str) -> None:
    """Say what goes as it should. `place` is a file and a line of nodeos's source, as recorded where it was."""
    _say("info", place, function, message)


def warn(place: str, function: str, message: str) -> None:
    """Say what somebody may want to look at."""
    _say("warn", place, function, message)


def error(place: str, function: str, message: str) -> None:
    """Say what went wrong."""
    _say("error", place, function, message)


def stamp(seconds: float) -> str:
    """Return a time as nodeos writes it: UTC without saying so, in milliseconds."""
    whole, thousandths = divmod(round(seconds * 1000), 1000)
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(whole))}.{thousandths:03d}"


def _say(level: str, place: str, function: str, message: str) -> None:
    name, _, line = place.partition(":")
    where = f"{name[:WIDTH]}:{line}"
    with contextlib.suppress(OSError):  # nobody may be listening any more
        sys.stderr.write(f"{level:<5} {stamp(time.time())} {'nodeos':<9} {where:<29} {function[:20]:<20} ] {message}\n")
        sys.stderr.flush()
