"""The collector's configuration: every node that answers, and where it all goes."""

from __future__ import annotations

from typing import Any

from compose.options.cluster import ETHSTATS_PORT, HTTP_PORT, METRICS_PORT, Node, has_ethstats
from compose.options.models import Options
from compose.rendering.document import document
from compose.rendering.geth import has_page
from compose.rendering.presence import asked, has_rotation
from compose.rendering.services import seconds

PROMETHEUS_PORT = 9273
DATABASE = "chainwatch"
"""Database of InfluxDB."""

PATH = "config/collector/chainwatch.yaml"
STATE = "/var/lib/chainwatch"
CLIENTS = "/etc/traefik/clients.yaml"
"""Traefik's dynamic configuration with all clients ..."""
ROTATION = "/rotation/clients.yaml"
"""... and without those that are behind."""

_HEADER = """\
What the collector watches. Made from the options: change those. `docker compose kill -s HUP collector` has it read \
again."""


def configuration(options: Options) -> str:
    """Return the collector's configuration."""
    chain: dict[str, Any] = {"name": options.service.name, "kind": "ethereum"}
    if options.geth.create_genesis and options.geth.consensus_engine == "clique":
        chain["block_period"] = f"{options.geth.clique_period}s"
    chain["servers"] = [_server(options, node) for node in asked(options)]
    if has_ethstats(options):
        chain["ethstats"] = {"listen": f"0.0.0.0:{ETHSTATS_PORT}", "secret_file": "/run/chainwatch/ethstats"}
    content = {
        "agent": {"interval": seconds(options.collector.interval), "state_dir": STATE},
        "chains": [chain],
        "outputs": _outputs(options),
    }
    return document(content, _HEADER)


def _server(options: Options, node: Node) -> dict[str, Any]:
    server = {"url": f"http://{node.name}:{HTTP_PORT}", "name": node.name, "role": node.role}
    if has_page(options, node):
        server["metrics_url"] = f"http://{node.name}:{METRICS_PORT}/debug/metrics"
    return server


def _outputs(options: Options) -> dict[str, Any]:
    outputs: dict[str, Any] = {"prometheus": {"listen": f"0.0.0.0:{PROMETHEUS_PORT}"}}
    if options.influxdb.count:
        outputs["influxdb"] = {
            "url": "http://influxdb:8086",
            "name": "influxdb",
            "database": DATABASE,
            "create_database": False,  # influxdb-setup makes it; the collector may only write
            "username": "collector",
            "password_file": "/run/chainwatch/influxdb-collector",
        }
    if has_rotation(options):
        outputs["traefik"] = {"from": CLIENTS, "to": ROTATION, "behind": options.traefik.behind}
    return outputs
