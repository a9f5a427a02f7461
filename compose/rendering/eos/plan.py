"""An EOSIO or Antelope network as a whole: its services in the order in which they start, and the files they read."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.resources import files
from typing import Any

from compose.options.eos.cluster import PRODUCER, SNAPSHOTS, WORKER, worker_names
from compose.options.eos.models import Options
from compose.options.targets import COMPOSE, SWARM
from compose.rendering import alerting, alertmanager, collecting, grafana, prometheus, setting_up
from compose.rendering.document import Shared
from compose.rendering.eos import balancing, nodeos, nodes, rotation, scraping, swarm
from compose.rendering.eos.collecting import SLOT_VARIABLE
from compose.rendering.eos.collecting import configuration as collected
from compose.rendering.eos.handing_out import gifts, volumes_of
from compose.rendering.eos.presence import has_collector, has_load_balancer, roles
from compose.rendering.monitoring import Monitoring
from compose.rendering.plan import Plan
from compose.rendering.services import CHAIN, INNER, OUTSIDE, SETUP, SLOT, common, of_chainwatch

_HEADERS = {
    COMPOSE: """\
A private EOSIO or Antelope network (nodeos) with its monitoring, for Docker Compose 2 and docker-compose 1.29: \
`docker compose up -d`.
Made from options.yaml by `chainwatch deploy`: change the options, not this file. It holds no secret; those are in \
keys/.""",
    SWARM: """\
A private EOSIO or Antelope network (nodeos) with its monitoring, for Docker Swarm 20.10 and newer: \
`docker stack deploy --prune --compose-file stack.yaml {name}`.
Made from options.yaml by `chainwatch deploy`: change the options, not this file. It holds no secret; those are in \
keys/, where Docker takes them from when the stack is deployed.""",
}

_READ_AT_START = {
    **{role: (f"{nodeos.path(role)}/",) for role in (PRODUCER, SNAPSHOTS)},
    "collector": (collecting.PATH,),
    rotation.ROTATION: (f"{rotation.FOLDER}/",),
    "traefik": (f"{balancing.FOLDER}/",),
    "prometheus": (prometheus.PATH, alerting.PATH),
    "alertmanager": (alertmanager.PATH,),
    "grafana": grafana.READ_AT_START,
}
"""Under Compose. In a swarm what is read is part of a service."""

_COMMENTS = {
    "x-service": "What every service begins with.",
    "x-chainwatch": "What runs chainwatch's own code.",
    "x-nodeos": "Every node: its entrypoint runs nodeos, restores it when it has to, and tells of it on its own port.",
    "x-worker": "nodeos answers under every host name, since nodes are asked by their services' names; from outside, "
    "the load balancer alone leads there.",
    "services.setup": "Makes what is missing of keys, genesis and secrets, and hands each service its own.",
    "services.producer": "The node that makes blocks: in the chain's network alone, and no port of it is published.",
    "services.snapshots": "The node that answers no user, takes snapshots, and offers them to the others.",
    "services.worker": "The nodes that answer users: `docker service scale {name}_worker=9`. Each slot has its own "
    "volume, and none is checked for health, since Docker's DNS would know it by its name only once it is healthy.",
    "services.worker-1": "The nodes that answer users.",
    "services.collector": "chainwatch: it asks every node, and its page asks for no password.",
    "services.rotation": "chainwatch again: every second it asks how far nodes are, and tells Traefik which workers "
    "are to have requests.",
    "services.traefik": "One address for all workers.",
    "services.prometheus": "Figures, kept and shown. Prometheus and Alertmanager ask nobody for a password.",
    "services.influxdb-setup": "Makes the database and its users, each with a password of its own.",
    "services.node-exporter": "Processors, memory and disks of the machine. Its network does not show in here.",
    "networks.chain": "For nodes among themselves, and for what asks the producer: no way in, no way out.",
    "networks.inner": "For the workers' HTTP API and the monitoring: no way in, no way out. The producer is not in it.",
    "networks.peers": "By which workers reach their peers elsewhere.",
    "networks.outside": "For what publishes a port, and what tells somebody outside.",
}
_VOLUMES = {
    COMPOSE: "`docker compose down` leaves them; with --volumes the chain is gone.",
    SWARM: "Each is on the machine where its service runs. `docker stack rm` leaves them.",
}


def plan(options: Options, source: str | None, target: str) -> Plan:
    """Return the network's plan; `source` is where images are built from, None if they aren't."""
    if target == SWARM:
        options = swarm.options_for(options)
    said = {"name": options.service.name}
    comments = {place: words.format(**said) for place, words in _COMMENTS.items()} | {"volumes": _VOLUMES[target]}
    services = dict(_services(options, source, target))
    read_at_start = _READ_AT_START | dict.fromkeys(worker_names(options), (f"{nodeos.path(WORKER)}/",))
    return Plan(
        header=_HEADERS[target].format(**said),
        services=services,
        networks={CHAIN: {"internal": True}, INNER: {"internal": True}, nodes.PEERS: {}, OUTSIDE: {}},
        files=_files(options, target),
        comments=comments,
        read_at_start=read_at_start,
        swarm=swarm.settings(options) if target == SWARM else None,
    )


def _files(options: Options, target: str) -> dict[str, str]:
    found = {f"{nodeos.path(role)}/config.ini": nodeos.configuration(options, role) for role in roles(options)}
    if has_load_balancer(options):
        found |= rotation.configuration(options, target)
        found |= balancing.configuration(options, target)
    if has_collector(options):
        found[collecting.PATH] = collected(options, target)
    if options.prometheus.count:
        everywhere = swarm.EVERYWHERE if target == SWARM else ()
        found[prometheus.PATH] = prometheus.configuration(options, scraping.jobs(options, target), target, everywhere)
        found[alerting.PATH] = alerting.rules(options, watched=has_collector(options))
    if options.alertmanager.count:
        found[alertmanager.PATH] = alertmanager.configuration(options)
    if options.grafana.count:
        found |= grafana.provisioning(options, "nodeos", watched=has_collector(options))
    found["firewall.sh"] = files("compose.rendering").joinpath("firewall.sh").read_text("utf-8")
    return found


def _services(options: Options, source: str | None, target: str) -> Iterator[tuple[str, dict[str, Any]]]:
    base = common(options)
    own = of_chainwatch(options, base, source)
    if target == COMPOSE:
        yield SETUP, setting_up.setup(options, own, gifts(options), volumes_of(options))
    for name, service in _nodes(options, base, source, target):
        unchecked = {"healthcheck": {"disable": True}} if target == SWARM else {}
        yield name, service | unchecked
    monitoring = Monitoring(options, base)
    if has_collector(options):
        yield "collector", _collector(options, monitoring, own, target)
    if has_load_balancer(options):
        yield rotation.ROTATION, rotation.service(options, own)
        yield "traefik", balancing.load_balancer(options, base)
    for name, service in monitoring.beside(own):
        if name == "prometheus":  # it reads the pages of the nodes' entrypoints
            service["networks"] = [CHAIN, *service["networks"]]
        yield name, service


def _nodes(options: Options, base: Shared, source: str | None, target: str) -> Iterator[tuple[str, dict[str, Any]]]:
    runs_nodeos = nodes.runs_nodeos(options, base, source)
    if options.producer.count:
        yield PRODUCER, nodes.producer(options, runs_nodeos)
    if options.snapshots.count:
        yield SNAPSHOTS, nodes.snapshots(options, runs_nodeos)
    if options.worker.count:
        replicated = {WORKER: nodes.replicated_workers(options, runs_nodeos)} if target == SWARM else {}
        yield from (replicated or nodes.workers(options, runs_nodeos)).items()


def _collector(options: Options, monitoring: Monitoring, own: Shared, target: str) -> dict[str, Any]:
    """Return the collector; where it is to try the producer from outside, it has a way there."""
    shielded = options.producer.count and options.producer.shielded
    service = monitoring.collector(
        own,
        [],
        [CHAIN, INNER, *([OUTSIDE] if shielded else [])],
        [],
        {},
    )
    return service | ({"environment": {SLOT_VARIABLE: SLOT}} if target == SWARM else {})
