"""Who is told of alerts: what a deployed cluster can do of it, and by whom."""

from __future__ import annotations

import re

from alerts.alertmanager import configuration
from alerts.channels import UnsupportedError, named, secrets, secrets_of, way_of
from alerts.table import NAMES
from collector.configuration.alerting import Channel
from collector.configuration.mistakes import nearest
from compose.options.kinds import Options
from compose.options.notes import Notes

ALERTMANAGER, COLLECTOR = "alertmanager", "collector"
"""The services that can tell somebody."""

_FILES = "secrets/alerts-{}"

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,29}")
"""A channel's name is part of names of files, and of Docker's secrets."""

_NEEDED = {"webhook": "url", "slack": "url", "telegram": "token", "pagerduty": "key"}
"""The secret without which a way leads nowhere."""


def secret_file(name: str) -> str:
    """Return where in keys/ the secret of a channel lies, by what it is called."""
    return _FILES.format(name)


def secrets_of_channels(options: Options) -> dict[str, str]:
    """Return the secrets of channels by where they lie in keys/."""
    return {secret_file(name): secret for name, secret in secrets(options.alerts).items()}


def teller(options: Options) -> str | None:
    """Return the service that tells the channels; None where there is nobody to tell, or nothing that could.

    Alertmanager, which Prometheus has rules for; without these, the collector's own notifier.
    """
    alerts = options.alerts
    if options.prometheus.count and options.alertmanager.count:
        return ALERTMANAGER if alerts.channels or alerts.watchdog else None
    return COLLECTOR if options.collector.count and alerts.channels else None


def channels_reach_somebody(options: Options, notes: Notes) -> None:
    """Note channels that nobody can tell, and alerts that do not exist."""
    for name in options.alerts.rules:
        if name not in NAMES:
            notes.wrong(("alerts", "rules", name), f"is no alert; {nearest(name, NAMES)}")
    names: dict[str, int] = {}
    for number, (name, channel) in enumerate(named(options.alerts)):
        place = ("alerts", "channels", number)
        if not _NAME.fullmatch(name):
            notes.wrong((*place, "name"), "is no name for a channel here; write letters, digits, - and _, 30 at most")
        if names.setdefault(name, number) != number:
            notes.wrong((*place, "name"), "is another channel's name too; give each its own")
        _reaches(options, channel, number, notes)
    if options.alerts.channels and teller(options) is None:
        notes.wrong(
            ("alerts", "channels"),
            "are told by nobody; write `collector.count: 1`, or `prometheus.count` and `alertmanager.count`",
        )
    if options.alerts.watchdog and teller(options) != ALERTMANAGER:
        notes.wrong(
            ("alerts", "watchdog"),
            "is called by Alertmanager, which is left out or gets nothing; write `prometheus.count: 1` and "
            "`alertmanager.count: 1`, or leave this out",
        )
    if teller(options) == ALERTMANAGER:
        try:
            configuration(options.alerts)
        except UnsupportedError as error:
            notes.wrong(("alerts", "channels"), str(error))


def _reaches(options: Options, channel: Channel, number: int, notes: Notes) -> None:
    kind = way_of(channel)
    given = dict(secrets_of(getattr(channel, kind)))
    place = ("alerts", "channels", number, kind)
    needed = _NEEDED.get(kind)
    if needed and needed not in given:
        notes.wrong(place, f"lacks what is secret of it; write {needed}_file, or {needed}")
    if channel.mail and bool(channel.mail.username) != ("password" in given):
        notes.wrong(place, "has a user without a password, or the other way round; write username and password_file")
    if any(chain != options.service.name for chain in channel.chains):
        notes.wrong(
            ("alerts", "channels", number, "chains"), f"name another chain than {options.service.name}; leave them out"
        )
