"""The collector's configuration: where everything goes, and the chain that it is told to watch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from alerts.channels import as_configured
from compose.options.kinds import Options
from compose.options.telling import COLLECTOR, teller
from compose.rendering.document import document
from compose.rendering.services import seconds
from compose.rendering.telling import place

PROMETHEUS_PORT = 9273
PAGE_PORT = 9280
"""Where the live page is by itself, which is all of the collector that is published."""

DATABASE = "chainwatch"
"""Database of InfluxDB."""

PATH = "config/collector/chainwatch.yaml"
STATE = "/var/lib/chainwatch"

_HEADER = """\
What the collector watches. Made from the options: change those."""
_AGAIN = " `docker compose kill -s HUP collector` has it read again."


def configuration(
    options: Options,
    chain: Mapping[str, Any],
    more_outputs: Mapping[str, Any],
    more_of_agent: Mapping[str, Any],
    *,
    again: bool = True,
) -> str:
    """Return the collector's configuration, given its chain, and what only some clusters have besides.

    `again`: it can be read again without a new start, and its comment says how.
    """
    if health := options.health.model_dump(mode="json", exclude_defaults=True):
        chain = {**chain, "health": health}
    content: dict[str, Any] = {
        "agent": {"interval": seconds(options.collector.interval), "state_dir": STATE, **more_of_agent},
        "chains": [chain],
        "outputs": {**_outputs(options), **more_outputs},
    }
    if alerts := _alerts(options):
        content["alerts"] = alerts
    return document(content, _HEADER + (_AGAIN if again else ""))


def _outputs(options: Options) -> dict[str, Any]:
    outputs: dict[str, Any] = {
        "prometheus": {"listen": f"0.0.0.0:{PROMETHEUS_PORT}"},
        "page": {"listen": f"0.0.0.0:{PAGE_PORT}"},
    }
    if options.influxdb.count:
        outputs["influxdb"] = {
            "url": "http://influxdb:8086",
            "name": "influxdb",
            "database": DATABASE,
            "create_database": False,  # influxdb-setup makes it; the collector may only write
            "username": "collector",
            "password_file": "/run/chainwatch/influxdb-collector",
        }
    if teller(options) == COLLECTOR:
        outputs["notify"] = {}
    return outputs


def _alerts(options: Options) -> dict[str, Any]:
    """Return what the collector is told of alerts; of channels only where it is the one that tells them."""
    found = as_configured(options.alerts, place)
    if teller(options) != COLLECTOR:
        found = {key: value for key, value in found.items() if key not in ("channels", "watchdog_file")}
    return found
