"""geth's own configuration of one node: the other nodes by name, and the stats page with its secret.

geth refuses to start on a field that it does not know; these are known to all versions from 1.8 to 1.13. One enode
stands in a line, for the start script: it puts addresses in the place of names, since geth 1.8 takes nothing else, and
leaves out the lines of those that have no address yet.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence

from compose.identities.ethereum.nodekeys import enode
from compose.options.ethereum.cluster import BOOT_PORT, ETHSTATS_HOST, ETHSTATS_PORT, boot_names, has_ethstats, nodes
from compose.options.ethereum.models import Options

ETHSTATS_URL = f"ws://{ETHSTATS_HOST}:{ETHSTATS_PORT}"
"""Where the collector listens for geth, within the network of the containers."""

MOST_STATIC = 12
"""Nodes that each node dials by itself. Half of the 25 peers that geth 1.8 allows: as many dial in."""


def config_toml(name: str, options: Options, ids: Mapping[str, str], ethstats: str, *, public: bool) -> str:
    """Return the configuration of one node, given everyone's node ids and the secret of the stats page.

    On a public chain geth's own bootstrap nodes hold.
    """
    boots = None if public else [enode(ids[boot], boot, BOOT_PORT) for boot in boot_names(options)]
    static = [enode(ids[other], other, port) for other, port in neighbours(name, options)]
    return toml(boots, static, f"{name}:{ethstats}@{ETHSTATS_URL}" if has_ethstats(options) else None)


def neighbours(name: str, options: Options) -> list[tuple[str, int]]:
    """Return whom a node dials, each with the port: those that follow it, were all nodes in a ring.

    Up to thirteen nodes all know each other so. With more, nobody is dialled by all the others.
    """
    ring = [(node.name, node.p2p_port) for node in nodes(options)]
    place = [each for each, _ in ring].index(name)
    return (ring[place + 1 :] + ring[:place])[:MOST_STATIC]


def toml(boots: Sequence[str] | None, static: Iterable[str], ethstats: str | None) -> str:
    """Return a configuration of geth. Without `boots`, geth takes those of the public chains."""
    parts = ["[Node.P2P]\n"]
    if boots is not None:
        # The nodes of the fifth protocol, which light clients ask, are not those of the public chains either.
        parts += [_array("BootstrapNodes", boots), _array("BootstrapNodesV5", [])]
    parts.append(_array("StaticNodes", static))
    if ethstats:
        parts.append(f"\n[Ethstats]\nURL = {json.dumps(ethstats)}\n")
    return "".join(parts)


def _array(key: str, values: Iterable[str]) -> str:
    # What JSON calls a string is one to TOML, too.
    lines = "".join(f"  {json.dumps(value)},\n" for value in values)
    return f"{key} = [\n{lines}]\n" if lines else f"{key} = []\n"
