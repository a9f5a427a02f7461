"""Where a cluster answers: at which addresses of the machine, and under which names in its own network."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from collector.configuration.mistakes import nearest
from collector.configuration.values import host_and_port
from compose.identities import Identities, Unusable, read
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
from compose.options.reading import read_options
from compose.rendering.ethereum.presence import asked, balanced, has_collector, has_load_balancer
from compose.tree import Refused

__all__ = ["Endpoint", "Refused", "Unusable", "endpoint", "endpoints"]

Endpoint = dict[str, list[str]]
"""`address`: what the machine publishes; `dns`: names of the inner network; `enode`: URLs for p2p, where known."""

_BEFORE, _AFTER = "geth-", "-port"
"""What stands around the names in the DC/OS package: geth-client-http-port."""


def endpoints(directory: Path) -> dict[str, Endpoint]:
    """Return all endpoints of a deployed directory by name. What is not there has empty lists.

    Raises:
        Refused: it is none.
        collector.configuration.WrongConfiguration: its options.yaml can't be read.
        compose.identities.Unusable: its keys can't.

    """
    if not (directory / "options.yaml").is_file():
        raise Refused(f"{directory}: has no options.yaml; name a directory that `chainwatch deploy` made")
    options, _ = read_options(directory / "options.yaml", {})
    return _chain(options, read(directory / "keys")) | _monitoring(options)


def endpoint(directory: Path, name: str) -> Endpoint:
    """Return one endpoint; the DC/OS package's names are known as well. Raises as `endpoints` does."""
    known = endpoints(directory)
    plain = name.removeprefix(_BEFORE).removesuffix(_AFTER)
    if plain not in known:
        raise Refused(f"{name}: is no endpoint; {nearest(plain, known)}")
    return known[plain]


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
        "client-http": {"address": _published(options, publish.client_http, led_to), "dns": served(clients, HTTP_PORT)},
        "client-p2p": p2p(clients),
        "client-ws": {"address": _published(options, publish.client_ws, led_to), "dns": served(clients, WS_PORT)},
        "ethstats-http": {
            "address": _published(options, publish.ethstats, has_ethstats(options) and options.traefik.count),
            "dns": [f"{ETHSTATS_HOST}:{ETHSTATS_PORT}"] if has_ethstats(options) else [],
        },
        "sealer-http": {"address": [], "dns": served(sealers, HTTP_PORT)},
        "sealer-p2p": p2p(sealers),
        "sealer-ws": {"address": [], "dns": served(sealers, WS_PORT)},
    }


def _monitoring(options: Options) -> dict[str, Endpoint]:
    publish = options.publish
    services = {
        # name: whether it is there, the port in the network, the port of the machine
        "traefik": (has_load_balancer(options), 8082, 0),
        "collector": (has_collector(options), 9273, 0),
        "prometheus": (options.prometheus.count, 9090, publish.prometheus),
        "alertmanager": (options.alertmanager.count, 9093, publish.alertmanager),
        "influxdb": (options.influxdb.count, 8086, 0),
        "grafana": (options.grafana.count, 3000, publish.grafana),
        "node-exporter": (options.node_exporter.count, 9100, 0),
        "cadvisor": (options.cadvisor.count, 8080, 0),
    }
    return {
        name: {
            "address": _published(options, outside, there),
            "dns": [f"{name}:{inside}"] if there else [],
        }
        for name, (there, inside, outside) in services.items()
    }


def _published(options: Options, port: int, there: bool | int) -> list[str]:
    return [host_and_port(options.publish.address or "0.0.0.0", port)] if port and there else []  # noqa: S104 - Docker's reading of no address


def _enodes(outside: str, identities: Identities, places: list[tuple[str, int]]) -> list[str]:
    """Return the nodes' URLs, at the address that nodes elsewhere reach if there is one."""
    return [
        f"enode://{identities.nodes[name].node_id}@{host_and_port(outside or name, port)}"
        for name, port in places
        if name in identities.nodes
    ]
