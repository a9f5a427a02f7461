"""Where an EOSIO or Antelope network answers.

The names are those of services. In a swarm some of them run many times: there, `tasks.NAME` is the addresses of all.
"""

from __future__ import annotations

from compose.endpoints.forms import EVERY_ADDRESS, Endpoint, monitoring
from compose.endpoints.forms import published as at
from compose.options.eos.cluster import (
    DOOR_PORT,
    HTTP_PORT,
    P2P_PORT,
    PRODUCER,
    ROTATION_PORT,
    SNAPSHOTS,
    WORKER,
    published,
    worker_names,
)
from compose.options.eos.models import Options
from compose.options.targets import SWARM
from compose.rendering.eos.presence import has_collector, has_load_balancer
from compose.rendering.eos.traefik import API_PORT

_MANY = (WORKER, "collector", "node-exporter", "cadvisor")
"""Services that a swarm may run many times."""

_PORTS = {"http": HTTP_PORT, "p2p": P2P_PORT, "status": DOOR_PORT}
"""What every node answers: nodeos's HTTP API and p2p protocol, and the entrypoint's listener."""


def endpoints(options: Options, target: str) -> dict[str, Endpoint]:
    """Return all endpoints by name. In a swarm, their addresses are those of the machine that runs the service."""
    address = EVERY_ADDRESS if target == SWARM else options.publish.address
    shown = {name: at(address, port) for name, port in published(options, target)}
    balanced = has_load_balancer(options)
    found = {"api-http": {"address": shown.get("api", []), "dns": [f"traefik:{API_PORT}"] if balanced else []}}
    for role, names in _nodes(options, target).items():
        for what, port in _PORTS.items():
            found[f"{role}-{what}"] = {"address": [], "dns": [f"{name}:{port}" for name in names]}
    found |= monitoring(
        options,
        shown,
        load_balancer=balanced,
        collector=has_collector(options),
        named=lambda name: _named(name, target),
    )
    found["rotation"] = {"address": [], "dns": [f"rotation:{ROTATION_PORT}"] if balanced else []}
    return found


def _nodes(options: Options, target: str) -> dict[str, list[str]]:
    """Return by role under which names nodes are found."""
    workers = [_named(WORKER, target)] if target == SWARM else worker_names(options)
    return {
        PRODUCER: [PRODUCER] if options.producer.count else [],
        SNAPSHOTS: [SNAPSHOTS] if options.snapshots.count else [],
        WORKER: workers if options.worker.count else [],
    }


def _named(service: str, target: str) -> str:
    return f"tasks.{service}" if target == SWARM and service in _MANY else service
