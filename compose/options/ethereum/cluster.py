"""Which nodes the options ask for, and what each of them is called: one list, for everything that is made of them."""

from __future__ import annotations

from dataclasses import dataclass

from compose.options.ethereum.models import Client, Options, Sealer


@dataclass(frozen=True)
class Node:
    """One node that runs geth: a service of the same name."""

    name: str
    role: str
    index: int
    """Counts from 1 within its role."""
    settings: Sealer | Client
    p2p_port: int
    """The port of the machine that it is published at, and its own then; 30303 where none is published."""


P2P_PORT = 30_303
BOOT_PORT = 30_301
HTTP_PORT = 8545
WS_PORT = 8546
METRICS_PORT = 6060
ETHSTATS_PORT = 3000
"""Ports within the network of the containers."""

ETHSTATS_HOST = "ethstats"
"""Name by which nodes and the load balancer find the stats page there."""


def has_ethstats(options: Options) -> bool:
    """Tell whether there is a stats page: the collector serves it."""
    return bool(options.ethstats.count and options.collector.count)


def boot_names(options: Options) -> list[str]:
    """Return the names of the boot nodes: one or none."""
    return [f"boot-{index}" for index in range(1, options.boot.count + 1)]


def nodes(options: Options) -> list[Node]:
    """Return the nodes that run geth, sealers first: the order in which they start."""
    found: list[Node] = []
    roles: list[tuple[str, Sealer | Client]] = [("sealer", options.sealer), ("client", options.client)]
    for role, settings in roles:
        for index in range(1, settings.count + 1):
            port = options.publish.p2p + len(found) if options.geth.advertise else P2P_PORT
            found.append(Node(f"{role}-{index}", role, index, settings, port))
    return found
