"""What chainwatch is told of a nodeos network: the collector of every node, the rotation of their heads alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from compose.options.eos.cluster import (
    HTTP_PORT,
    PRODUCER,
    ROTATION_PORT,
    SNAPSHOTS,
    WORKER,
    has_own_page,
    page_url,
    worker_names,
)
from compose.options.eos.models import Options
from compose.options.targets import COMPOSE, SWARM
from compose.rendering import collecting
from compose.rendering.document import document
from compose.rendering.eos.presence import has_load_balancer
from compose.rendering.plan import network_name
from compose.rendering.services import INNER, seconds

ROTATION_FOLDER = "config/rotation"

WORKERS = "/etc/traefik/workers.yaml"
"""Traefik's dynamic configuration with all workers, ..."""
ROTATION = "/rotation/workers.yaml"
"""... and without those that are behind, where the collector writes it to a file."""
SLOT_VARIABLE = "CHAINWATCH_SLOT"
"""Environment variable of each of several collectors."""

_BLOCK_PERIOD = "500ms"
_EVERYBODY_READS = "/etc/chainwatch/workers.yaml"
_ROTATION_HEADER = """\
Which workers are to have requests: their heads are asked for every second, and Traefik asks here. The producer and \
the node that takes snapshots are what workers are measured by. Made from the options: change those."""


def configuration(options: Options, target: str) -> str:
    """Return the collector's configuration."""
    more_outputs: dict[str, Any] = {}
    if target == COMPOSE and has_load_balancer(options):
        more_outputs["traefik"] = {"from": WORKERS, "to": ROTATION, **_limits(options)}
    # The collectors of a swarm share the servers out between them, however many there are by now.
    swarm = {"shard": {"slot": f"${{{SLOT_VARIABLE}}}", "of": "tasks.collector"}} if target == SWARM else {}
    chain = _chain(options, target)
    if options.producer.shielded and options.producer.count:
        chain["shielded"] = [{"name": PRODUCER, "addresses": list(options.producer.shielded)}]
    return collecting.configuration(options, chain, more_outputs, swarm, again=target == COMPOSE)


def rotation(options: Options) -> str:
    """Return the configuration of a swarm's rotation, which tells Traefik by HTTP."""
    chain = _chain(options, SWARM) | {"metrics": []}
    content = {
        "agent": {"interval": "1s", "state_dir": collecting.STATE},
        "chains": [chain],
        "outputs": {
            "prometheus": {"listen": f"0.0.0.0:{collecting.PROMETHEUS_PORT}"},
            "traefik": {"from": _EVERYBODY_READS, "listen": f"0.0.0.0:{ROTATION_PORT}", **_limits(options)},
        },
    }
    return document(content, _ROTATION_HEADER)


def replicas(options: Options) -> str:
    """Return the DNS name of a swarm's workers: their addresses in the network that the load balancer is in, too."""
    return f"tasks.{WORKER}.{network_name(options.service.name, INNER)}"


def _chain(options: Options, target: str) -> dict[str, Any]:
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
    return {"metrics_url": page_url(options, host)} if has_own_page(options) else {}


def _limits(options: Options) -> Mapping[str, Any]:
    found: dict[str, Any] = {"behind": options.traefik.behind}
    if options.traefik.older:
        found["older"] = seconds(options.traefik.older)
    return found
