"""Secrets: made so that they mean nothing to a URL, to TOML, to YAML or to a shell."""

from __future__ import annotations

import re
import secrets

SECRETS = ("ethstats", "grafana-admin", "influxdb-admin", "influxdb-collector", "influxdb-grafana")
"""The files below secrets/."""

_ETHSTATS = re.compile(r"[A-Za-z0-9_-]{1,200}")


def new_secret() -> str:
    """Return a secret of 192 bits: hexadecimal digits."""
    return secrets.token_hex(24)


def fits_ethstats(secret: str) -> bool:
    """Tell whether geth can be given a secret of the stats page, by the rule that holds for the options' own.

    It stands in `NAME:SECRET@ws://HOST:PORT` as it is: geth 1.8 takes it to end at the first `@`, and later versions
    take it to begin at the last `:`.
    """
    return bool(_ETHSTATS.fullmatch(secret))
