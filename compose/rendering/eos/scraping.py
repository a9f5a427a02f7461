"""What Prometheus scrapes of a nodeos network besides the services that all clusters have."""

from __future__ import annotations

from typing import Any

from compose.options.eos.cluster import DOOR_PORT, WORKER, worker_names
from compose.options.eos.models import Options
from compose.options.targets import SWARM
from compose.rendering import collecting, prometheus
from compose.rendering.eos.presence import has_collector, has_load_balancer, roles
from compose.rendering.eos.traefik import INTERNAL_PORT

_PORT = collecting.PROMETHEUS_PORT


def jobs(options: Options, target: str) -> list[dict[str, Any]]:
    """Return the jobs: the collectors, the nodes' entrypoints, the load balancer, and what tells that of workers."""
    swarm = target == SWARM
    found = []
    if has_collector(options):
        of_all = prometheus.behind("tasks.collector", _PORT) if swarm else prometheus.at(f"collector:{_PORT}")
        found.append(prometheus.of_collector(options, of_all))
    if roles(options):
        found.append(prometheus.job("nodeos-entrypoint", _entrypoints(options, swarm=swarm)))
    if has_load_balancer(options):
        found.append(prometheus.job("traefik", prometheus.at(f"traefik:{INTERNAL_PORT}")))
        # What it says of nodes, the collectors say as well; that it asks them does not mean that those do.
        kept = {"source_labels": ["__name__"], "regex": "chainwatch_.*", "action": "keep"}
        dropped = {
            "source_labels": ["__name__"],
            "regex": "chainwatch_gather_success_timestamp_seconds",
            "action": "drop",
        }
        own = {"metric_relabel_configs": [kept, dropped]}
        found.append(prometheus.job("rotation", prometheus.at(f"rotation:{_PORT}")) | own)
    return found


def _entrypoints(options: Options, *, swarm: bool) -> dict[str, Any]:
    names = [role for role in roles(options) if role != WORKER]
    names += [] if swarm else worker_names(options)
    found = prometheus.at(*(f"{name}:{DOOR_PORT}" for name in names)) if names else {}
    if swarm and options.worker.count:
        found |= prometheus.behind(f"tasks.{WORKER}", DOOR_PORT)
    return {**found, "relabel_configs": [{"target_label": "chain", "replacement": options.service.name}]}
