"""compose.yaml: all services, in the order in which they start."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from hashlib import sha256
from typing import Any

from compose.options.cluster import boot_names, nodes
from compose.options.models import Options, Supporting
from compose.options.values import line_of
from compose.rendering import alertmanager, balancing, chain, collecting, geth, grafana, prometheus
from compose.rendering.document import Shared, document, whole
from compose.rendering.monitoring import Monitoring
from compose.rendering.presence import asked, has_collector, has_load_balancer, has_transfers
from compose.rendering.services import CHAIN, INNER, OUTSIDE, common, of_chainwatch

_HEADER = """\
A private Ethereum network with its monitoring, for Docker Compose 2 and docker-compose 1.29: `docker compose up -d`.
Made from options.yaml by `chainwatch deploy`: change the options, not this file. It holds no secret; those are in \
keys/, which the service setup makes at the first start."""

_CHECKSUM = "chainwatch.configuration"
"""Label with a checksum of what a service reads when it starts: where that has changed, `up` starts it anew."""

_READ_AT_START = {
    "collector": (collecting.PATH, f"{balancing.FOLDER}/dynamic/"),
    "traefik": (f"{balancing.FOLDER}/traefik.yaml",),
    "prometheus": (prometheus.PATH,),
    "alertmanager": (alertmanager.PATH,),
    "grafana": (f"{grafana.FOLDER}/",),
}

_COMMENTS = {
    "x-service": "What every service begins with.",
    "x-chainwatch": "What runs chainwatch's own code.",
    "x-geth": "Every node that runs geth: start.sh takes its keys, begins the chain and becomes geth. "
    "Root in the container may read keys/, which belongs to whoever deployed, and no more than that.",
    "services.setup": "Makes what is missing of keys, genesis and secrets, and hands each service its own.",
    "services.boot-1": "The boot node, by which nodes find each other.",
    "services.collector": "chainwatch: it asks every node, and nodes push their stats to it.",
    "services.sealer-1": "The nodes that seal.",
    "services.client-1": "The nodes that answer users.",
    "services.traefik": "One address for all clients and the stats page.",
    "services.transfers": "A load of signed transfers between the nodes' accounts.",
    "services.prometheus": "Figures, kept and shown. Prometheus and Alertmanager ask nobody for a password.",
    "services.influxdb-setup": "Makes the database and its users, each with a password of setup's.",
    "services.node-exporter": "The machine's processors, memory and disks. Its network does not show in here.",
    "networks.chain": "For nodes among themselves, and for the collector, which asks sealers and is pushed to.",
    "networks.inner": "For the clients' JSON-RPC and the monitoring: no way in, no way out. No sealer is in it.",
    "networks.outside": "For what publishes a port, and what tells somebody outside.",
    "volumes": "`docker compose down` leaves them; with --volumes the chain is gone.",
}

_ASKED = {
    "sealer": "JSON-RPC answers under every host name (vhosts), since nodes are asked by their services' names. "
    "No sealer publishes it: only the other nodes and the collector are in a network with it.",
    "client": "JSON-RPC answers under every host name (vhosts), since nodes are asked by their services' names; from "
    "outside, the load balancer alone leads there. Pages of other origins can't read what is answered (CORS).",
}
_EVERY_ORIGIN = " But they can open a WebSocket: geth 1.8 would turn away programs, too, if it kept origins apart."


def compose_file(options: Options, files: Mapping[str, str], source: str | None) -> str:
    """Return compose.yaml, given all files that services read, by path."""
    services = dict(_services(options, source))
    for name, paths in _READ_AT_START.items():
        if name in services:
            services[name]["labels"][_CHECKSUM] = _checksum(
                text for path, text in sorted(files.items()) if path.startswith(paths)
            )
    content: dict[str, Any] = {
        f"x-{shared.anchor}": shared for service in services.values() for shared in _bases(service)
    }
    content["services"] = services
    content["networks"] = _networks(options, services)
    content["volumes"] = {name: {} for name in _volumes(services)}
    return document(_escaped(content, {}), _HEADER, _comments(options, content))


def _services(options: Options, source: str | None) -> Iterator[tuple[str, dict[str, Any]]]:
    base = common(options)
    own = of_chainwatch(options, base, source)
    monitoring = Monitoring(options, base)
    waits = chain.waits(options)
    yield chain.SETUP, chain.setup(options, own)
    for name in boot_names(options):
        yield name, chain.boot(options, base, name)
    if has_collector(options):
        yield "collector", monitoring.collector(own, waits["collector"])
    yield from _nodes(options, base, waits)
    if has_load_balancer(options):
        yield "traefik", balancing.load_balancer(options, base, waits["traefik"])
    if has_transfers(options):
        yield "transfers", chain.transfers(options, own)
    beside: dict[str, tuple[Supporting, Callable[[], dict[str, Any]]]] = {
        "prometheus": (options.prometheus, monitoring.prometheus),
        "alertmanager": (options.alertmanager, monitoring.alertmanager),
        "influxdb": (options.influxdb, monitoring.influxdb),
        "influxdb-setup": (options.influxdb, partial(monitoring.influxdb_setup, own)),
        "grafana": (options.grafana, monitoring.grafana),
        "node-exporter": (options.node_exporter, monitoring.node_exporter),
        "cadvisor": (options.cadvisor, monitoring.cadvisor),
    }
    yield from ((name, make()) for name, (settings, make) in beside.items() if settings.count)


def _nodes(options: Options, base: Shared, waits: Mapping[str, list[str]]) -> Iterator[tuple[str, dict[str, Any]]]:
    all_nodes = nodes(options)
    runs_geth = chain.runs_geth(options, base)
    roles = {
        node.role: chain.of_role(options, runs_geth, node, waits[node.role]) for node in all_nodes if node.index == 1
    }
    for node in all_nodes:
        yield node.name, chain.node(options, roles[node.role], node)


def _networks(options: Options, services: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, bool]]:
    """Return the networks that services are in."""
    # Nodes elsewhere are found and heard through the chain's network, so it has to lead there.
    alone = options.geth.create_genesis and not options.geth.advertise
    networks = {CHAIN: {"internal": True} if alone else {}, INNER: {"internal": True}, OUTSIDE: {}}
    used = {name for service in services.values() for name in whole(service).get("networks", [])}
    return {name: settings for name, settings in networks.items() if name in used}


def _volumes(services: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Return the named volumes that services use, those of the nodes first."""
    mounts = [mount.partition(":")[0] for service in services.values() for mount in service.get("volumes", [])]
    named = dict.fromkeys(name for name in mounts if not name.startswith((".", "/")))
    return [name for name in named if name in services] + [name for name in named if name not in services]


def _comments(options: Options, content: Mapping[str, Any]) -> dict[str, str]:
    """Return the comments on what is there; a service that has none stands apart from the one before at least."""
    comments = {f"services.{name}": "" for name in content["services"]} | _COMMENTS
    roles = {node.role for node in asked(options)}
    comments |= {f"x-{role}": _ASKED[role] for role in roles}
    if "client" in roles and line_of(options.geth.version) < geth.NEW_NAMES:
        comments["x-client"] += _EVERY_ORIGIN
    there = {*content, *(f"{part}.{name}" for part in content for name in content[part])}
    return {path: comment for path, comment in comments.items() if path in there}


def _bases(service: Mapping[str, Any]) -> Iterator[Shared]:
    """Yield what a service is based on, each after its own base."""
    for value in service.values():
        if isinstance(value, Shared):
            yield from _bases(value)
            yield value


def _checksum(texts: Iterator[str]) -> str:
    return sha256("\0".join(texts).encode()).hexdigest()[:16]


def _escaped(value: Any, done: dict[int, Shared]) -> Any:  # noqa: ANN401 - a document holds anything
    """Return a value in which Compose finds no variable: what is shared stays shared."""
    if isinstance(value, str):
        return value.replace("$", "$$")
    if isinstance(value, list):
        return [_escaped(inner, done) for inner in value]
    if not isinstance(value, dict):
        return value
    if id(value) in done:
        return done[id(value)]
    mapping = {key: _escaped(inner, done) for key, inner in value.items()}
    if isinstance(value, Shared):
        done[id(value)] = mapping = Shared(value.anchor, mapping)
    return mapping
