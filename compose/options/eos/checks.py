"""What options of an EOSIO or Antelope network have to do with each other, and with what they are deployed for."""

from __future__ import annotations

import ipaddress

from compose.options.eos.cluster import DOOR_PORT, HTTP_PORT, P2P_PORT, PRODUCER, SNAPSHOTS, WORKER, published
from compose.options.eos.config_lines import check_config_lines
from compose.options.eos.models import Options, Placement, Producer
from compose.options.notes import Notes
from compose.options.targets import COMPOSE, SWARM
from compose.options.telling import channels_reach_somebody
from compose.options.together import (
    labels_route_nothing,
    ports_differ,
    ports_lead_somewhere,
    reached_from_elsewhere,
)

PUBLISHED_KEYS = {"5KQwrPbwdL6PhXujxW37FSSQZ1JiwsST4cqQzDeyXtP79zkvFD3"}
"""Keys that stand in nodeos's own documents: with this one its default chain begins."""

_FIRST_PRODUCER = Producer().name
"""Who produces the first blocks of every chain, and on public ones none since."""

_LONGEST_STACK = 32
"""Docker's configs and secrets have names of 64 characters, which begin with the stack's."""


def settled(options: Options, notes: Notes, target: str) -> Options:
    """Return the options as they are worked with; mistakes and remarks are noted."""
    for check in (_beginning, _nodes, _peers, _shielded, _services, check_config_lines, channels_reach_somebody):
        check(options, notes)
    for remark in (_unproduced, _published_key, labels_route_nothing, _reachable):
        remark(options, notes)
    check_target(options, notes, target)
    return options


def check_target(options: Options, notes: Notes, target: str) -> None:
    """Note what can't be had in a swarm, or nowhere else."""
    if target == COMPOSE:
        if options.collector.count > 1:
            notes.wrong(("collector", "count"), "is for a swarm, on one machine one is enough; write 1")
        for key in Placement.model_fields:
            if notes.says("placement", key):
                notes.remark(("placement", key), "places nothing: all runs on the machine where Compose runs")
        if notes.says("worker", "update_delay"):
            notes.remark(("worker", "update_delay"), "delays nothing: Compose updates all workers at once")
    if target == SWARM:
        if len(options.service.name) > _LONGEST_STACK:
            notes.wrong(("service", "name"), f"is too long for a stack; write {_LONGEST_STACK} characters at most")
        address = options.publish.address
        if address and not ((there := ipaddress.ip_address(address)).is_loopback or there.is_unspecified):
            notes.wrong(
                ("publish", "address"),
                "is one of many, and a swarm publishes at every address of a machine; write 0.0.0.0, or leave it out",
            )
        _page_of_one(options, notes)
        begins = options.producer.count and options.eos.create_genesis
        if begins and not options.snapshots.count and not options.placement.producer:
            notes.remark(
                ("snapshots", "count"),
                "is 0: on another machine than its first, the producer would begin the chain once more, since nothing "
                "tells it that there is one; name the machine in `placement.producer`",
            )


def _page_of_one(options: Options, notes: Notes) -> None:
    if notes.says("publish", "page") and options.publish.page and options.collector.count > 1:
        notes.wrong(
            ("publish", "page"),
            "is that of one of several collectors, each of which sees its share of the nodes; leave it out, or write "
            "`collector.count: 1`",
        )


def _beginning(options: Options, notes: Notes) -> None:
    """Note a chain that can't begin, or can't be found."""
    eos = options.eos
    if eos.create_genesis:
        if eos.genesis is not None:
            notes.wrong(
                ("eos", "genesis"), "is of a network that is joined; leave it out, or write `eos.create_genesis: false`"
            )
        return
    at = ("eos", "create_genesis")
    if eos.genesis is None:
        notes.wrong(at, "is false, and nodes know a network by its genesis.json; name that in `eos.genesis`")
    if not eos.peers:
        notes.wrong(at, "is false, and there is nobody to join; name nodes of the network in `eos.peers`")
    if options.producer.count and options.producer.name == _FIRST_PRODUCER:
        notes.wrong(
            ("producer", "name"),
            f"is {_FIRST_PRODUCER}, who produces nothing on a network that is joined; "
            "write the account that does, or `producer.count: 0`",
        )


def _nodes(options: Options, notes: Notes) -> None:
    if not (options.producer.count or options.worker.count or options.snapshots.count):
        notes.wrong(("worker", "count"), "is 0, and there is no other node either; write how many there are to be")


def _peers(options: Options, notes: Notes) -> None:
    if options.eos.peers and not options.worker.count:
        notes.wrong(("eos", "peers"), "are for workers, and there are none; leave them out, or write `worker.count`")
    if any(_is_ours(peer) for peer in options.eos.peers):
        notes.wrong(("eos", "peers"), "name a node of the cluster, which the others know; leave it out")


def _shielded(options: Options, notes: Notes) -> None:
    at, addresses = ("producer", "shielded"), options.producer.shielded
    if addresses and not options.producer.count:
        notes.wrong(at, "is for a producer, and there is none; leave it out, or write `producer.count: 1`")
    if addresses and not options.collector.count:
        notes.wrong(at, "is tried by the collector, and there is none; leave it out, or write `collector.count: 1`")
    if any(_is_ours(address) for address in addresses):
        notes.wrong(at, "has a name within the cluster, where the collector may reach it; write addresses of a machine")
    if any(_is_loopback(address) for address in addresses):
        notes.wrong(at, "has an address that is the collector's own to it; write one that others would reach")


def _services(options: Options, notes: Notes) -> None:
    ports_lead_somewhere(options, notes, "api")
    at = ("publish", "api")
    if notes.says(*at) and options.publish.api and options.traefik.count and not options.worker.count:
        notes.wrong(at, "leads nowhere without workers; leave it out, or write `worker.count`")
    ports_differ(((key, port, 1) for key, port in published(options, COMPOSE)), notes)


def _unproduced(options: Options, notes: Notes) -> None:
    if options.eos.create_genesis and not options.producer.count:
        notes.remark(("producer", "count"), "is 0: nobody makes blocks, until a producer from elsewhere joins")


def _published_key(options: Options, notes: Notes) -> None:
    key = options.producer.signature_key
    if key is not None and key.get_secret_value() in PUBLISHED_KEYS:
        notes.remark(
            ("producer", "signature_key"),
            "is in public documents: whoever reaches a node can sign blocks and spend everything; leave it out, "
            "and one is made that nobody knows",
        )


def _reachable(options: Options, notes: Notes) -> None:
    reached_from_elsewhere(options, notes, "the HTTP API, Prometheus, Alertmanager and the live page")


def _is_ours(address: str) -> bool:
    """Tell whether an address is by a name that nodes have among themselves, at a port of theirs."""
    host, _, port = address.rpartition(":")
    name = host.removeprefix("tasks.").partition("-")[0]
    return int(port) in (HTTP_PORT, P2P_PORT, DOOR_PORT) and name in (PRODUCER, SNAPSHOTS, WORKER) and "." not in host


def _is_loopback(address: str) -> bool:
    host = address.rpartition(":")[0].strip("[]")
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
