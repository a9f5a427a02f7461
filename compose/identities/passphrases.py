"""Secrets: made so that they mean nothing to a URL, to TOML, to YAML or to a shell."""

from __future__ import annotations

import secrets

SECRETS = ("grafana-admin", "influxdb-admin", "influxdb-collector", "influxdb-grafana")
"""The files below secrets/ that every kind of cluster has."""


def new_secret() -> str:
    """Return a secret of 192 bits: hexadecimal digits."""
    return secrets.token_hex(24)
