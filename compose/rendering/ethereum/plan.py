"""An Ethereum network as a whole: its services in the order in which they start, and the files that they read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib.resources import files
from typing import Any

from compose.options.ethereum.cluster import ETHSTATS_HOST, boot_names, has_ethstats, nodes
from compose.options.ethereum.models import Options
from compose.options.values import line_of
from compose.rendering import alerting, alertmanager, collecting, grafana, prometheus
from compose.rendering.document import Shared
from compose.rendering.ethereum import balancing, chain, geth
from compose.rendering.ethereum.collecting import configuration as collected
from compose.rendering.ethereum.presence import asked, has_collector, has_load_balancer, has_rotation, has_transfers
from compose.rendering.ethereum.traefik import INTERNAL_PORT
from compose.rendering.monitoring import Monitoring
from compose.rendering.plan import Plan
from compose.rendering.services import CHAIN, INNER, OUTSIDE, SETUP, common, of_chainwatch

_HEADER = """\
A private Ethereum network with its monitoring, for Docker Compose 2 and docker-compose 1.29: `docker compose up -d`.
Made from options.yaml by `chainwatch deploy`: change the options, not this file. It holds no secret; those are in \
keys/, which the service setup makes at the first start."""

_READ_AT_START = {
    "collector": (collecting.PATH, f"{balancing.FOLDER}/dynamic/"),
    "traefik": (f"{balancing.FOLDER}/traefik.yaml",),
    "prometheus": (prometheus.PATH, alerting.PATH),
    "alertmanager": (alertmanager.PATH,),
    "grafana": grafana.READ_AT_START,
}

_COMMENTS = {
    "x-service": "What every service begins with.",
    "x-chainwatch": "What runs chainwatch's own code.",
    "x-geth": "Every node that runs geth: start.sh takes its keys, begins the chain and becomes geth. "
    "Root in the container may read keys/, which belongs to whoever deployed, and no more than that.",
    "services.setup": "Makes what is missing of keys, genesis and secrets, and hands each service its own.",
    "services.boot-1": "The boot node, by which nodes find each other.",
    "services.collector": "chainwatch: it asks every node, and nodes push their stats to it. Its page asks for no "
    "password.",
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


def plan(options: Options, source: str | None) -> Plan:
    """Return the network's plan; `source` is where the image of chainwatch is built from, None if it isn't."""
    # Nodes elsewhere are found and heard through the chain's network, so it has to lead there.
    alone = options.geth.create_genesis and not options.geth.advertise
    return Plan(
        header=_HEADER,
        services=dict(_services(options, source)),
        networks={CHAIN: {"internal": True} if alone else {}, INNER: {"internal": True}, OUTSIDE: {}},
        files=_files(options),
        comments=_comments(options),
        read_at_start=_READ_AT_START,
    )


def _files(options: Options) -> dict[str, str]:
    found: dict[str, str] = {}
    if options.sealer.count or options.client.count:
        script = files("compose.rendering.ethereum").joinpath("start.sh")
        found["config/geth/start.sh"] = script.read_text("utf-8")
    if has_load_balancer(options):
        found |= balancing.configuration(options)
    if has_collector(options):
        found[collecting.PATH] = collected(options)
    if options.prometheus.count:
        found[prometheus.PATH] = prometheus.configuration(options, _jobs(options))
        found[alerting.PATH] = alerting.rules(options, watched=has_collector(options))
    if options.alertmanager.count:
        found[alertmanager.PATH] = alertmanager.configuration(options)
    if options.grafana.count:
        found |= grafana.provisioning(options, "ethereum", watched=has_collector(options))
    return found


def _jobs(options: Options) -> list[dict[str, Any]]:
    jobs = []
    if has_collector(options):
        jobs.append(prometheus.of_collector(options, prometheus.at(f"collector:{collecting.PROMETHEUS_PORT}")))
    if has_load_balancer(options):
        jobs.append(prometheus.job("traefik", prometheus.at(f"traefik:{INTERNAL_PORT}")))
    return jobs


def _services(options: Options, source: str | None) -> Iterator[tuple[str, dict[str, Any]]]:
    base = common(options)
    own = of_chainwatch(options, base, source)
    monitoring = Monitoring(options, base)
    waits = chain.waits(options)
    yield SETUP, chain.setup(options, own)
    for name in boot_names(options):
        yield name, chain.boot(options, base, name)
    if has_collector(options):
        yield "collector", _collector(options, monitoring, own, waits["collector"])
    yield from _nodes(options, base, waits)
    if has_load_balancer(options):
        yield "traefik", balancing.load_balancer(options, base, waits["traefik"])
    if has_transfers(options):
        yield "transfers", chain.transfers(options, own)
    yield from monitoring.beside(own)


def _nodes(options: Options, base: Shared, waits: Mapping[str, list[str]]) -> Iterator[tuple[str, dict[str, Any]]]:
    all_nodes = nodes(options)
    runs_geth = chain.runs_geth(options, base)
    roles = {
        node.role: chain.of_role(options, runs_geth, node, waits[node.role]) for node in all_nodes if node.index == 1
    }
    for node in all_nodes:
        yield node.name, chain.node(options, roles[node.role], node)


def _collector(options: Options, monitoring: Monitoring, own: Shared, before: list[str]) -> dict[str, Any]:
    """Return the collector; nodes push their stats to it."""
    rotation = ["./config/traefik/dynamic:/etc/traefik:ro", "rotation:/rotation"]
    page = has_ethstats(options)
    pushed_to = {"aliases": [ETHSTATS_HOST]}
    return monitoring.collector(
        own,
        before,
        {CHAIN: pushed_to, INNER: pushed_to} if page else [CHAIN, INNER],
        rotation if has_rotation(options) else [],
        options.ethstats.labels if page else {},
    )


def _comments(options: Options) -> dict[str, str]:
    roles = {node.role for node in asked(options)}
    comments = _COMMENTS | {f"x-{role}": _ASKED[role] for role in roles}
    if "client" in roles and line_of(options.geth.version) < geth.NEW_NAMES:
        comments["x-client"] += _EVERY_ORIGIN
    return comments
