"""What the collector is told of an Ethereum network: every node that answers, and where nodes push to."""

from __future__ import annotations

from typing import Any

from compose.options.ethereum.cluster import ETHSTATS_PORT, HTTP_PORT, METRICS_PORT, Node, has_ethstats
from compose.options.ethereum.models import Options
from compose.rendering import collecting
from compose.rendering.ethereum.geth import has_page
from compose.rendering.ethereum.presence import asked, has_rotation

CLIENTS = "/etc/traefik/clients.yaml"
"""Traefik's dynamic configuration with all clients ..."""
ROTATION = "/rotation/clients.yaml"
"""... and without those that are behind."""


def configuration(options: Options) -> str:
    """Return the collector's configuration."""
    chain: dict[str, Any] = {"name": options.service.name, "kind": "ethereum"}
    if options.geth.create_genesis and options.geth.consensus_engine == "clique":
        chain["block_period"] = f"{options.geth.clique_period}s"
    chain["servers"] = [_server(options, node) for node in asked(options)]
    if has_ethstats(options):
        chain["ethstats"] = {"listen": f"0.0.0.0:{ETHSTATS_PORT}", "secret_file": "/run/chainwatch/ethstats"}
    rotation = {"traefik": {"from": CLIENTS, "to": ROTATION, "behind": options.traefik.behind}}
    return collecting.configuration(options, chain, rotation if has_rotation(options) else {}, {})


def _server(options: Options, node: Node) -> dict[str, Any]:
    server = {"url": f"http://{node.name}:{HTTP_PORT}", "name": node.name, "role": node.role}
    if has_page(options, node):
        server["metrics_url"] = f"http://{node.name}:{METRICS_PORT}/debug/metrics"
    return server
