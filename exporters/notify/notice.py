"""What a channel is told: one alert, whom it is of, and what became of it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from collector.health.assessment import Severity


class Identity(NamedTuple):
    """What makes two alerts the same. Never their texts: those hold figures, which change."""

    alert: str
    chain: str
    """"" for an alert of chainwatch as a whole."""
    subject: str
    """Node, maker, output and so on; "" for the chain as a whole."""

    @property
    def fingerprint(self) -> str:
        """The same for the same alert, whenever it fires: by it, receivers know what they have been told before."""
        return hashlib.sha256(json.dumps(self).encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Facts:
    """What is said of an alert that fires, as it was when it began to."""

    severity: Severity
    summary: str
    text: str
    """What is wrong, with chain, subject and figures."""
    runbook: str = ""
    """Where it is told what to do; "" where nobody serves it."""


class Status(StrEnum):
    """What became of an alert."""

    FIRING = "firing"
    STILL = "still"
    """It was told before, and fires still."""
    RESOLVED = "resolved"
    PASSED = "passed"
    """It fired and is over, and neither could be told before."""


@dataclass(frozen=True)
class Notice:
    """One alert of a message. Moments are seconds since the epoch; `until` is None while it fires."""

    identity: Identity
    facts: Facts
    status: Status
    since: float
    until: float | None = None
    times: int = 1
    """How often it fired that was not told before."""


class Message(NamedTuple):
    """What a channel is told at once: alerts of one chain."""

    channel: str
    chain: str
    notices: tuple[Notice, ...]
    left_out: int = 0
    """Alerts that the channel could not be told of for want of room, since the last message."""
