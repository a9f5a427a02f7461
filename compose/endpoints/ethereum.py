"""Where an Ethereum network answers."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from collector.configuration.values import host_and_port
from compose.endpoints.forms import Endpoint, monitoring, published
from compose.identities.ethereum.reading import Identities, read
from compose.options.ethereum.cluster import (
    BOOT_PORT,
    ETHSTATS_HOST,
    ETHSTATS_PORT,
    HTTP_PORT,
    WS_PORT,
    Node,
    boot_names,
    has_ethstats,
    nodes,
)
from compose.options.ethereum.models import Options
from compose.rendering.ethereum.presence import asked, balanced, has_collector, has_load_balancer


def endpoints(options: Options, keys: Path) -> dict[str, Endpoint]:
    """Return all endpoints by name. Raises Unusable where the keys can't be read."""
    publish = options.publish
    return _chain(options, read(keys)) | monitoring(
        options,
        {
            "prometheus": published(publish.address, publish.prometheus),
            "alertmanager": published(publish.address, publish.alertmanager),
            "grafana": published(publish.address, publish.grafana),
            "page": published(publish.address, publish.page),
        },
        load_balancer=has_load_balancer(options),
        collector=has_collector(options),
    )


def _chain(options: Options, identities: Identities) -> dict[str, Endpoint]:
    """Return the DC/OS package's eight, in its order."""
    publish = options.publish
    sealers, clients = ([node for node in nodes(options) if node.role == role] for role in ("sealer", "client"))
    offering = asked(options)
    boots = boot_names(options)
    boots_outside = options.geth.advertise if publish.boot_p2p else ""
    boot_port = publish.boot_p2p if boots_outside else BOOT_PORT
    led_to = bool(balanced(options))

    def served(group: Iterable[Node], port: int) -> list[str]:
        return [f"{node.name}:{port}" for node in group if node in offering]

    def p2p(group: list[Node]) -> Endpoint:
        host = options.geth.advertise
        return {
            "address": [host_and_port(host, node.p2p_port) for node in group if host],
            "dns": [f"{node.name}:{node.p2p_port}" for node in group],
            "enode": _enodes(host, identities, [(node.name, node.p2p_port) for node in group]),
        }

    return {
        "boot-p2p": {
            "address": [host_and_port(boots_outside, boot_port) for _ in boots if boots_outside],
            "dns": [f"{name}:{BOOT_PORT}" for name in boots],
            "enode": _enodes(boots_outside, identities, [(name, boot_port) for name in boots]),
        },
        "client-http": {
            "address": published(publish.address, publish.client_http, led_to),
            "dns": served(clients, HTTP_PORT),
        },
        "client-p2p": p2p(clients),
        "client-ws": {
            "address": published(publish.address, publish.client_ws, led_to),
            "dns": served(clients, WS_PORT),
        },
        "ethstats-http": {
            "address": published(publish.address, publish.ethstats, has_ethstats(options) and options.traefik.count),
            "dns": [f"{ETHSTATS_HOST}:{ETHSTATS_PORT}"] if has_ethstats(options) else [],
        },
        "sealer-http": {"address": [], "dns": served(sealers, HTTP_PORT)},
        "sealer-p2p": p2p(sealers),
        "sealer-ws": {"address": [], "dns": served(sealers, WS_PORT)},
    }


def _enodes(outside: str, identities: Identities, places: list[tuple[str, int]]) -> list[str]:
    """Return the nodes' URLs, at the address that nodes elsewhere reach if there is one."""
    return [
        f"enode://{identities.nodes[name].node_id}@{host_and_port(outside or name, port)}"
        for name, port in places
        if name in identities.nodes
    ]
