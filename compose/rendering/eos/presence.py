"""Which services there are beside one another: some are of no use without others."""

from __future__ import annotations

from compose.options.eos.cluster import PRODUCER, SNAPSHOTS, WORKER
from compose.options.eos.models import Options, Producer, Snapshots, Worker


def roles(options: Options) -> list[str]:
    """Return the roles of which there are nodes, in the order in which they start."""
    counts = {PRODUCER: options.producer.count, SNAPSHOTS: options.snapshots.count, WORKER: options.worker.count}
    return [role for role, count in counts.items() if count]


def settings_of(options: Options, role: str) -> Producer | Snapshots | Worker:
    """Return what the options say of the nodes of a role."""
    if role == PRODUCER:
        return options.producer
    return options.snapshots if role == SNAPSHOTS else options.worker


def has_collector(options: Options) -> bool:
    """Tell whether there is a collector: not where there is no node."""
    return bool(options.collector.count and roles(options))


def has_load_balancer(options: Options) -> bool:
    """Tell whether there is a load balancer: not where there is no worker."""
    return bool(options.traefik.count and options.worker.count)
