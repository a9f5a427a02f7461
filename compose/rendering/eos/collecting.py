"""What the collector is told of a nodeos network: every node, and where each answers."""

from __future__ import annotations

from typing import Any

from compose.options.eos.cluster import (
    HTTP_PORT,
    METRICS_PATH,
    METRICS_PORT,
    PRODUCER,
    SNAPSHOTS,
    WORKER,
    has_own_page,
    worker_names,
)
from compose.options.eos.models import Options
from compose.options.targets import COMPOSE, SWARM
from compose.rendering import collecting
from compose.rendering.plan import network_name
from compose.rendering.services import INNER

SLOT_VARIABLE = "CHAINWATCH_SLOT"
"""Environment variable of each of several collectors."""

_BLOCK_PERIOD = "500ms"


def configuration(options: Options, target: str) -> str:
    """Return the collector's configuration."""
    # The collectors of a swarm share the servers out between them, however many there are by now.
    swarm = {"shard": {"slot": f"${{{SLOT_VARIABLE}}}", "of": "tasks.collector"}} if target == SWARM else {}
    chain = watched(options, target)
    if options.producer.shielded and options.producer.count:
        chain["shielded"] = [{"name": PRODUCER, "addresses": list(options.producer.shielded)}]
    return collecting.configuration(options, chain, {}, swarm, again=target == COMPOSE)


def replicas(options: Options) -> str:
    """Return the DNS name of a swarm's workers: their addresses in the network that the load balancer is in, too."""
    return f"tasks.{WORKER}.{network_name(options.service.name, INNER)}"


def watched(options: Options, target: str) -> dict[str, Any]:
    """Return the chain, with all of its nodes."""
    chain: dict[str, Any] = {"name": options.service.name, "kind": "nodeos", "block_period": _BLOCK_PERIOD}
    single = {PRODUCER: options.producer.count, SNAPSHOTS: options.snapshots.count}
    servers = [_server(options, role, role) for role, count in single.items() if count]
    if target == COMPOSE:
        servers += [_server(options, name, WORKER) for name in worker_names(options)]
    elif options.worker.count:
        servers.append(
            {
                "dns": replicas(options),
                "port": HTTP_PORT,
                "name": f"{WORKER}-{{slot}}",
                "role": WORKER,
                **_page(options, "{address}"),
            }
        )
    return chain | {"servers": servers}


def _server(options: Options, name: str, role: str) -> dict[str, Any]:
    return {"url": f"http://{name}:{HTTP_PORT}", "name": name, "role": role, **_page(options, name)}


def _page(options: Options, host: str) -> dict[str, Any]:
    """Return where a node's page for Prometheus is, if the collector would not find it by itself."""
    return {"metrics_url": f"http://{host}:{METRICS_PORT}{METRICS_PATH}"} if has_own_page(options) else {}
