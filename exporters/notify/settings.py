"""What the operator says of the notifier."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from alerts.alert import Alert
from collector.configuration.alerting import Channel


@dataclass(frozen=True)
class Settings:
    """Which alerts there are, whom to tell of them, and when.

    `every`, `repeat` (0: never) and `heartbeat_interval` are seconds. `gathered` are the chains of which a gather has
    to have succeeded before the heartbeat is called.
    """

    channels: Mapping[str, Channel]
    """By name."""
    alerts: Mapping[str, tuple[Alert, ...]]
    """By chain; those of chainwatch as a whole under ""."""
    directory: Path
    """Where what is to outlive a restart is kept."""
    looks: Mapping[str, int] = field(default_factory=dict)
    """By chain, how often it has to be looked at after a start before what fired earlier can be over."""
    gathered: frozenset[str] = frozenset()
    runbooks: str = ""
    """Address of the page that has them; "" where there is none."""
    every: float = 900.0
    repeat: float = 14_400.0
    heartbeat: str = field(default="", repr=False)
    heartbeat_interval: float = 60.0
