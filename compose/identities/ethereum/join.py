"""What somebody needs who adds a node of their own: the genesis, where the others are, and the commands.

Without `geth.advertise` the others are found by their names in the cluster's own network, on this machine alone.
"""

from __future__ import annotations

import ipaddress
import json
import textwrap
from collections.abc import Iterator

from compose.identities.errors import Unusable
from compose.identities.ethereum.configs import ETHSTATS_URL, toml
from compose.identities.ethereum.genesis import text_of
from compose.identities.ethereum.nodekeys import bracketed, enode
from compose.identities.ethereum.reading import Identities, Identity
from compose.options.ethereum.cluster import BOOT_PORT, boot_names, has_ethstats, nodes
from compose.options.ethereum.models import Options

README, CONFIG, GENESIS, STATIC_NODES = "README.md", "config.toml", "genesis.json", "static-nodes.json"

SECRET = frozenset({CONFIG})
"""Files that are for their owner alone (0600), and whose text is not to be shown: the stats page's secret is there."""

NEW_NODE = "added-1"
"""What an added node calls itself on the stats page, until its owner calls it otherwise."""

NETWORK = "chain"
"""The network of the compose file in which nodes speak to each other."""


def join_bundle(options: Options, identities: Identities) -> dict[str, str]:
    """Return the files of the bundle, by name. Those in `SECRET` hold a secret. Raises Unusable.

    A node whose keys are not made yet is left out.
    """
    boots, static = list(_boots(options, identities)), list(_static(options, identities))
    page = _stats_page(options)
    ethstats = f"{NEW_NODE}:{_secret(identities)}@{page}" if page else None
    public = identities.genesis is None and not options.geth.create_genesis
    files = {
        README: "\n\n".join(map(_wrapped, _readme(options, begins=identities.genesis is not None, page=page))) + "\n",
        CONFIG: toml(None if public else boots, static, ethstats),
        STATIC_NODES: json.dumps(static, indent=2) + "\n",
    }
    if identities.genesis is not None:
        files[GENESIS] = text_of(identities.genesis)
    return files


def _boots(options: Options, identities: Identities) -> Iterator[str]:
    for name in boot_names(options):
        known = identities.nodes.get(name)
        if known and not options.geth.advertise:
            yield enode(known.node_id, name, BOOT_PORT)
        elif known and options.publish.boot_p2p:
            yield enode(known.node_id, options.geth.advertise, options.publish.boot_p2p)


def _static(options: Options, identities: Identities) -> Iterator[str]:
    for node in nodes(options):
        known: Identity | None = identities.nodes.get(node.name)
        if known:
            yield enode(known.node_id, options.geth.advertise or node.name, node.p2p_port)


def _secret(identities: Identities) -> str:
    try:
        return identities.secret("ethstats")
    except Unusable:
        return "SECRET"  # not made yet


def _stats_page(options: Options) -> str | None:
    """Return where an added node pushes its stats to, None if it can't."""
    if not has_ethstats(options):
        return None
    if not options.geth.advertise:
        return ETHSTATS_URL
    if not (options.traefik.count and options.publish.ethstats):
        return None
    bound, advertised = (ipaddress.ip_address(it or "::") for it in (options.publish.address, options.geth.advertise))
    if bound.is_loopback and not advertised.is_loopback:
        return None
    host = options.geth.advertise if bound.is_unspecified else options.publish.address
    return f"ws://{bracketed(host)}:{options.publish.ethstats}"


def _readme(options: Options, *, begins: bool, page: str | None) -> Iterator[str]:
    """Yield paragraphs, headings and blocks of commands."""
    geth = options.geth
    yield f"# Add a node to the chain {options.service.name}"
    yield f"With geth {geth.version}, in this directory:"
    commands = [f"geth --datadir data init {GENESIS}"] if begins else []
    run = f"geth --datadir data --config {CONFIG} --networkid {geth.network_id} --syncmode {geth.syncmode} --port 30303"
    yield "\n".join(["```sh", *commands, run, "```"])
    yield (
        f"`{CONFIG}` names the nodes that there are. Where port 30303 is taken, choose another one; a node behind a "
        "router adds `--nat extip:ITS-ADDRESS`, so that the others can dial it. Another client, or a geth without that "
        f"file, takes `{STATIC_NODES}`: geth before 1.11 reads it as `data/geth/{STATIC_NODES}`."
    )
    yield from _reachability(options)
    yield "## The stats page"
    yield _stats(options, page)
    if begins and geth.consensus_engine == "clique":
        yield "## To seal blocks"
        yield (
            "The node needs an account (`geth --datadir data account new`), and more than half of the signers have to "
            'vote for it, each with `clique.propose("0xITS-ACCOUNT", true)` in its console, `geth attach`. '
            "Then it starts with `--mine --miner.etherbase 0xITS-ACCOUNT --unlock 0xITS-ACCOUNT --password FILE`."
        )


def _reachability(options: Options) -> Iterator[str]:
    if options.geth.advertise:
        yield f"The cluster's nodes are reached at {options.geth.advertise}, the address in `geth.advertise`."
        return
    yield (
        "**The cluster's nodes can be reached from this machine only**, by containers in their network, since the "
        "option `geth.advertise` is not set. Give it the address of this machine that nodes elsewhere reach, and run "
        "`chainwatch deploy` again: their ports are then published there, and named here. Until then, geth runs in "
        f"that network: `docker run --network {options.service.name}_{NETWORK} ...`."
    )
    if options.geth.version.startswith("1.8."):
        yield (
            "geth 1.8 takes no names: write the containers' addresses in their place "
            "(`docker compose exec SERVICE hostname -i`)."
        )


def _stats(options: Options, page: str | None) -> str:
    if page:
        return (
            f"The node pushes to {page} by `[Ethstats]` in `{CONFIG}`, **with the secret: keep the file private**. Put "
            f"a name of its own in the place of {NEW_NODE}. On the command line the same is "
            f"`--ethstats '{NEW_NODE}:SECRET@{page}'`, which every user of the machine could read."
        )
    if not has_ethstats(options):
        return "The cluster has none: `ethstats.count` or `collector.count` is 0."
    return (
        "It can't be reached from elsewhere. With `publish.address` set to an address of this machine that can be, "
        f"`publish.ethstats` to a port, and the load balancer there, `{CONFIG}` will say where it is."
    )


def _wrapped(part: str) -> str:
    """Return a paragraph in lines that a terminal shows; what is no paragraph stays as it is."""
    if part.startswith(("#", "```")):
        return part
    return textwrap.fill(part, 100, break_long_words=False, break_on_hyphens=False)
