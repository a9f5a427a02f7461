"""Which files with secrets of channels a service is handed: the one that tells them."""

from __future__ import annotations

from collections.abc import Mapping

from alerts.channels import secrets
from compose.options.kinds import Options
from compose.options.telling import ALERTMANAGER, COLLECTOR, secret_file, teller
from compose.rendering.services import ALERTMANAGER_USER, COLLECTOR_USER

_FOLDER = "/run/chainwatch"

USERS: Mapping[str, int] = {ALERTMANAGER: ALERTMANAGER_USER, COLLECTOR: COLLECTOR_USER}


def handed_secrets(options: Options) -> dict[str, str]:
    """Return where the service that tells finds each secret of channels, by where it lies in keys/."""
    if teller(options) is None:
        return {}
    return {secret_file(name): place(name) for name in secrets(options.alerts)}


def place(name: str) -> str:
    """Return where the service finds the secret of this name."""
    return f"{_FOLDER}/alerts-{name}"
