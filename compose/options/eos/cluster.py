"""Which nodes the options ask for, what each is called, and what of nodeos depends on its release: one list for all."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

from compose.options.eos.models import NODEOS_IMAGE, Options
from compose.options.targets import SWARM

HTTP_PORT = 8888
P2P_PORT = 9876
METRICS_PORT = 9101
"""Where Leap 4 has its page for Prometheus: a listener of its own, ..."""
METRICS_PATH = "/v1/prometheus/metrics"
"""... with the path that the page has in later releases, too."""
DOOR_PORT = 8889
"""The entrypoint's own listener: its state, its metrics, and the snapshots that are offered."""
ROTATION_PORT = 9274
"""Where Traefik asks which workers are to have requests. Ports within the network of the containers."""

PRODUCER = "producer"
SNAPSHOTS = "snapshots"
WORKER = "worker"
"""Roles, and the names of the services. In a swarm `worker` is one service, on one machine each worker is its own."""

_OWN_PAGE = ("leap", 4)


def distribution(options: Options) -> str:
    """Return who made the release: leap or spring."""
    return options.eos.version.partition("-")[0]


def version(options: Options) -> str:
    """Return the release's number: 1.2.2."""
    return options.eos.version.partition("-")[2]


def worker_names(options: Options) -> list[str]:
    """Return the names of the workers, by slot."""
    return [f"{WORKER}-{slot}" for slot in range(1, options.worker.count + 1)]


def has_page(options: Options) -> bool:
    """Tell whether nodeos has figures for Prometheus: not before Leap 4."""
    return (distribution(options), major(options)) >= _OWN_PAGE


def has_own_page(options: Options) -> bool:
    """Tell whether they are at a port of their own: Leap 4 alone has that. Later ones have them at the HTTP API's."""
    return (distribution(options), major(options)) == _OWN_PAGE


def published(options: Options, target: str) -> Iterator[tuple[str, int]]:
    """Yield which services show themselves outside, by their keys of `publish`, and at which port of a machine.

    A swarm publishes at every address of a machine. Where `publish.address` is one that other machines can't reach,
    what asks for no password is therefore not published in a swarm at all; nor is the page of one of several
    collectors, each of which sees its share of the nodes.
    """
    keep = target == SWARM and is_loopback(options.publish.address)
    for key, there in (
        ("api", options.traefik.count and options.worker.count),
        ("grafana", options.grafana.count),
        ("prometheus", options.prometheus.count and not keep),
        ("alertmanager", options.alertmanager.count and not keep),
        ("page", options.collector.count == 1 and not keep),
    ):
        port: int = getattr(options.publish, key)
        if port and there:
            yield key, port


def is_loopback(address: str) -> bool:
    """Tell whether an address of `publish` is reached from the machine itself alone; none is every address."""
    return bool(address) and ipaddress.ip_address(address).is_loopback


def nodeos_image(options: Options) -> str:
    """Return the name of the image that nodes run, less the mirror's address."""
    return options.images.nodeos or NODEOS_IMAGE.format(release=options.eos.version)


def build_arguments(options: Options) -> dict[str, str]:
    """Return the arguments with which that image is built: compose/nodeos/Dockerfile has them."""
    return {"DISTRIBUTION": distribution(options), "VERSION": version(options)}


def major(options: Options) -> int:
    """Return the number of the line of releases: 1 of spring-1.2.2."""
    return int(version(options).partition(".")[0])
