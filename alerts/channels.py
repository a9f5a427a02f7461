"""The channels of the configuration, as Alertmanager and Grafana are given them: their names, and their secrets."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from pydantic import BaseModel, SecretStr

from collector.configuration.alerting import WAYS, Alerts, Channel, Mail
from collector.health.assessment import Severity

WATCHDOG = "watchdog"
"""What the secret of the dead man's switch is called: its URL."""

SECRETS = ("url", "token", "password", "key")
"""Keys of a way to tell somebody that are secret. Each may be said by a file instead, `url_file`."""

WORST_FIRST = (Severity.CRITICAL, Severity.WARNING, Severity.INFO)


class UnsupportedError(ValueError):
    """A channel that the collector itself could tell, and Alertmanager or Grafana can't: which, why, what to do."""


def named(alerts: Alerts) -> Iterator[tuple[str, Channel]]:
    """Yield the channels with their names; one without is called by its way and its place: `slack-2`."""
    for number, channel in enumerate(alerts.channels, 1):
        yield channel.name or f"{way_of(channel)}-{number}", channel


def way_of(channel: Channel) -> str:
    """Return the way by which a channel tells somebody, of `WAYS`."""
    return next(way for way in WAYS if getattr(channel, way) is not None)


def severities(channel: Channel) -> list[Severity]:
    """Return what a channel is told of, the worst first."""
    return list(WORST_FIRST[: WORST_FIRST.index(channel.severity) + 1])


def secrets_of(way: BaseModel) -> Iterator[tuple[str, str]]:
    """Yield the secrets of a channel's way by their keys."""
    for key in SECRETS:
        value = getattr(way, key, None)
        if value is not None:
            yield key, value.get_secret_value() if isinstance(value, SecretStr) else str(value)


def secrets(alerts: Alerts) -> dict[str, str]:
    """Return all secrets by what they are called: the channel, and the key. `team-url`."""
    found = {
        secret_name(name, key): value
        for name, channel in named(alerts)
        for key, value in secrets_of(getattr(channel, way_of(channel)))
    }
    return found | ({WATCHDOG: str(alerts.watchdog)} if alerts.watchdog else {})


def secret_name(channel: str, key: str) -> str:
    """Return what a secret of a channel is called."""
    return f"{channel}-{key}"


def as_configured(alerts: Alerts, file_of: Callable[[str], str]) -> dict[str, Any]:
    """Return the section `alerts` as a configuration says it, less what is so by default.

    No secret is in it: `file_of` tells the file of each by what it is called.
    """
    said = alerts.model_dump(
        mode="json", by_alias=True, exclude_defaults=True, exclude={"channels", "watchdog", "watchdog_file"}
    )
    if alerts.channels:
        said["channels"] = [_as_configured(name, channel, file_of) for name, channel in named(alerts)]
    if alerts.watchdog:
        said["watchdog_file"] = file_of(WATCHDOG)
    return said


def _as_configured(name: str, channel: Channel, file_of: Callable[[str], str]) -> dict[str, Any]:
    kind = way_of(channel)
    way: BaseModel = getattr(channel, kind)
    hidden = {*SECRETS, *(f"{key}_file" for key in SECRETS)}
    said = way.model_dump(mode="json", by_alias=True, exclude_defaults=True, exclude=hidden)
    if isinstance(way, Mail):
        said["server"] = str(way.server)
    files = {f"{key}_file": file_of(secret_name(name, key)) for key, _ in secrets_of(way)}
    rest = channel.model_dump(mode="json", exclude_defaults=True, exclude={"name", *WAYS})
    return {"name": name, **rest, kind: {**said, **files}}
