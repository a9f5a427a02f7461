"""What is asked of the stand-in beyond nodeos's own options: in the environment, or by files in the data directory.

STANDIN_CLOSE_SECONDS   how long closing the database takes, as a big one would; 0 by default
STANDIN_SYNC_RATE       blocks a second that are applied at most when syncing and replaying; 5000 by default
STANDIN_RECONNECT       seconds after which a peer that could not be reached is tried again; 3 by default
STANDIN_CRASH           segv, abort or exit:N: crash at the start, before any file is touched. Also as the text of the
                        file STANDIN_CRASH in the data directory, which stays until somebody removes it
DATA_DIR/STANDIN_STALL  while this file is there the head stands still, and all else goes on
"""

from __future__ import annotations

import contextlib
import os
import resource
import signal
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from .ending import EndError

CRASH = "STANDIN_CRASH"
STALL = "STANDIN_STALL"


@dataclass(frozen=True)
class Pace:
    """How long things take, in seconds and in blocks a second."""

    closing: float
    applying: float
    reconnecting: float


def pace(environment: Mapping[str, str]) -> Pace:
    """Read how long things are to take."""
    return Pace(
        closing=_number(environment, "STANDIN_CLOSE_SECONDS", 0.0),
        applying=_number(environment, "STANDIN_SYNC_RATE", 5000.0) or 5000.0,
        reconnecting=_number(environment, "STANDIN_RECONNECT", 3.0),
    )


def crash(environment: Mapping[str, str], data: Path) -> None:
    """Crash, if that is asked for; the file goes before the environment."""
    how = environment.get(CRASH, "")
    with contextlib.suppress(OSError):
        how = (data / CRASH).read_text()
    how = how.strip()
    if not how:
        return
    if how.startswith("exit:") and how[5:].isdigit():
        sys.stderr.flush()
        os._exit(int(how[5:]) & 0xFF)
    number = {"segv": signal.SIGSEGV, "abort": signal.SIGABRT}.get(how)
    if number is None:
        raise EndError(f"{CRASH} is {how[:40]!r}: it may be segv, abort or exit:N")
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)


def _number(environment: Mapping[str, str], name: str, default: float) -> float:
    text = environment.get(name, "").strip()
    if not text:
        return default
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value < float("inf"):
        raise EndError(f"{name} is {text[:40]!r}: it must be a number, 0 or more")
    return value
