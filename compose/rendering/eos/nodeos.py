"""nodeos's configuration, config.ini: one for each role.

Neither a secret nor what a node learns when it starts is in it: the entrypoint of the image adds the line with the key
that blocks are signed with, the peers among the other workers, and the node's own name.
"""

from __future__ import annotations

from collections.abc import Iterator

from compose.options.eos.cluster import (
    HTTP_PORT,
    METRICS_PORT,
    P2P_PORT,
    PRODUCER,
    SNAPSHOTS,
    WORKER,
    has_own_page,
    has_page,
)
from compose.options.eos.models import Options
from compose.rendering.eos.presence import settings_of

FOLDER = "config/nodeos"

_ALL_INTERFACES = "0.0.0.0"  # noqa: S104 - within the container's own networks; the world comes in nowhere
_NODES_PER_ADDRESS = 8
"""A node that comes back may meet its former connection, which would be the one that is allowed by default."""

_ADDED = "plugin"
"""Lines that add up; those of all other names take the place of each other."""

_HEADER = (
    "# Made from the options: change those. The image's entrypoint adds what is secret, the peers among the workers,\n"
    "# and the node's name.\n"
)


def path(role: str) -> str:
    """Return the folder with the configuration of a role."""
    return f"{FOLDER}/{role}"


def configuration(options: Options, role: str) -> str:
    """Return the config.ini of the nodes of a role; lines that the options give take the place of those of a name."""
    lines: dict[str, list[str]] = {}
    for name, value in _lines(options, role):
        lines.setdefault(name, []).append(value)
    for given in (options.eos.config, settings_of(options, role).config):
        for name, values in given.items():
            before = lines.get(name, []) if name == _ADDED else []
            lines[name] = list(dict.fromkeys([*before, *values]))
    return _HEADER + "".join(f"{name} = {value}\n" for name, values in lines.items() for value in values)


def _lines(options: Options, role: str) -> Iterator[tuple[str, str]]:
    for plugin in _plugins(options, role):
        yield "plugin", f"eosio::{plugin}_plugin"
    yield "http-server-address", f"{_ALL_INTERFACES}:{HTTP_PORT}"
    yield "http-validate-host", "false"  # nodes are asked by names that they can't know
    yield "p2p-listen-endpoint", f"{_ALL_INTERFACES}:{P2P_PORT}"
    yield "max-clients", "0"  # no limit: only nodes of the cluster get there, and there may be more of them any time
    yield "p2p-max-nodes-per-host", str(_NODES_PER_ADDRESS)
    if has_own_page(options):
        yield "prometheus-exporter-address", f"{_ALL_INTERFACES}:{METRICS_PORT}"
    if role == PRODUCER:
        yield "producer-name", options.producer.name
        if options.eos.create_genesis:
            yield "enable-stale-production", "true"  # the chain goes on however long it stood still
        return
    if options.producer.count:
        yield "p2p-peer-address", f"{PRODUCER}:{P2P_PORT}"
    if role == WORKER and options.snapshots.count:
        yield "p2p-peer-address", f"{SNAPSHOTS}:{P2P_PORT}"


def _plugins(options: Options, role: str) -> Iterator[str]:
    yield "chain_api"
    yield "net_api"
    yield "db_size_api"
    if role == PRODUCER:
        yield "producer"
    if role in (PRODUCER, SNAPSHOTS):
        yield "producer_api"  # snapshots are asked for there
    if has_page(options):
        yield "prometheus"
