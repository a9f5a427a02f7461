"""geth's command line: what nodes are told, in the words of their version.

Checked against cmd/utils/flags.go of each version in `compose.options.values.GETH_VERSIONS`. No flag holds a secret:
they show in `ps`, `docker inspect` and geth's own logs. `ADDRESS` stands for the address of the node's account, which
start.sh puts in.
"""

from __future__ import annotations

from collections.abc import Iterator

from compose.options.ethereum.cluster import HTTP_PORT, METRICS_PORT, WS_PORT, Node
from compose.options.ethereum.models import Options
from compose.options.values import line_of
from compose.rendering.services import Healthcheck

ALL_INTERFACES = "0.0.0.0"  # noqa: S104 - within the container's own networks, none of which is published
_PEERS = 50
"""geth's own limit from 1.9 on; 1.8 stops at 25."""
_CACHE_PART = 4
"""geth sizes its caches by the machine's memory, not by the container's: they get this part of what that may use."""
_LONGEST_START = 300
"""Seconds: a node that was killed may have to mend its database."""
_PRIVATE = {"admin", "debug", "personal"}
"""Modules that give a node away: a client that the load balancer leads to never offers them."""
_ONE_GAS_LIMIT = 10
"""Line of releases from which on a sealer steers for one gas limit; before, it kept between a target and a limit."""
NEW_NAMES = 9
"""Line of releases, 1.9, from which on flags have the names of today."""


def command(options: Options, node: Node) -> list[str]:
    """Return the flags of a node, those of the options last. What these say, no other flag does."""
    given = [argument.lstrip("-").partition("=")[0] for argument in node.settings.args]
    return [
        *(flag for flag in _flags(options, node) if flag.lstrip("-").partition("=")[0] not in given),
        *node.settings.args,
    ]


def seals(options: Options, node: Node) -> bool:
    """Tell whether a node makes blocks: a sealer of a chain of one's own that has an account."""
    return node.role == "sealer" and options.geth.create_genesis and node.settings.have_accounts


def modules(options: Options, node: Node) -> tuple[str, ...]:
    """Return the modules of JSON-RPC that a node offers."""
    if node.role == "client" and options.traefik.count:
        assert _PRIVATE.isdisjoint(node.settings.rpcapi), "reading the options leaves these out"
    return node.settings.rpcapi


def has_page(options: Options, node: Node) -> bool:
    """Tell whether the collector reads a node's page of metrics: not where debug_metrics has the same and more.

    Only versions before 1.9.0 have debug_metrics, and a page and it read together steal figures from each other.
    """
    return line_of(options.geth.version) >= NEW_NAMES or "debug" not in node.settings.rpcapi


def healthcheck(options: Options, node: Node) -> Healthcheck:
    """Return how to see that a node works: it answers a request, over HTTP where it is offered there."""
    offered = modules(options, node)
    if not offered:
        test = "geth attach --exec eth.blockNumber /data/geth.ipc"
        return Healthcheck(test, timeout=10, start_period=_LONGEST_START)
    method = "eth_blockNumber" if "eth" in offered else "rpc_modules"
    request = f'{{"jsonrpc":"2.0","id":1,"method":"{method}","params":[]}}'
    header = "--header 'Content-Type: application/json'"
    asked = f"wget -q -Y off -O - {header} --post-data '{request}' http://127.0.0.1:{HTTP_PORT}"
    return Healthcheck(f"{asked} | grep -q '\"result\"'", interval=5, start_period=_LONGEST_START)


def _flags(options: Options, node: Node) -> Iterator[str]:
    geth = options.geth
    yield "--datadir=/data"
    yield "--config=/tmp/config.toml"
    yield "--nodekey=/keys/nodekey"
    yield f"--networkid={geth.network_id}"
    yield f"--syncmode={geth.syncmode}"
    yield f"--port={node.p2p_port}"
    yield f"--nat=extip:{geth.advertise}" if geth.advertise else "--nat=none"
    yield f"--maxpeers={max(_PEERS, options.sealer.count + options.client.count)}"
    yield f"--cache={max(16, node.settings.mem // _CACHE_PART)}"
    yield f"--verbosity={node.settings.verbosity}"
    yield from _sealing(options, node)
    yield from _account(options, node)
    yield from _rpc(options, node)
    yield from _metrics(options)


def _sealing(options: Options, node: Node) -> Iterator[str]:
    geth = options.geth
    if geth.consensus_engine == "ethash":
        yield "--ethash.dagdir=/data/ethash"
    if seals(options, node):
        yield "--mine"
        yield f"--miner.gaslimit={geth.gas_limit}"  # or blocks would drift from the genesis to geth's own default
        if line_of(geth.version) < _ONE_GAS_LIMIT:
            yield f"--miner.gastarget={geth.gas_limit}"
        if geth.consensus_engine == "ethash":
            yield "--miner.threads=1"


def _account(options: Options, node: Node) -> Iterator[str]:
    if not node.settings.have_accounts:
        return
    yield "--miner.etherbase=ADDRESS"
    if node.settings.unlock_accounts:
        yield "--unlock=ADDRESS"
        yield "--password=/keys/password"
        if node.settings.rpcapi and line_of(options.geth.version) >= NEW_NAMES:
            yield "--allow-insecure-unlock"


def _rpc(options: Options, node: Node) -> Iterator[str]:
    """Offer JSON-RPC to every host name: only the cluster's own networks get there, by names that geth can't know.

    No page of another origin may read what is answered over HTTP (CORS) or open a WebSocket: none is allowed. geth 1.8
    would then turn away programs too, which name no origin; so it allows every one over WebSocket.
    """
    offered = ",".join(modules(options, node))
    if not offered:
        return
    if line_of(options.geth.version) < NEW_NAMES:
        yield "--rpc"
        yield f"--rpcaddr={ALL_INTERFACES}"
        yield f"--rpcport={HTTP_PORT}"
        yield f"--rpcapi={offered}"
        yield "--rpcvhosts=*"
        yield "--ws"
        yield f"--wsaddr={ALL_INTERFACES}"
        yield f"--wsport={WS_PORT}"
        yield f"--wsapi={offered}"
        yield "--wsorigins=*"
        return
    yield "--http"
    yield f"--http.addr={ALL_INTERFACES}"
    yield f"--http.port={HTTP_PORT}"
    yield f"--http.api={offered}"
    yield "--http.vhosts=*"
    yield "--ws"
    yield f"--ws.addr={ALL_INTERFACES}"
    yield f"--ws.port={WS_PORT}"
    yield f"--ws.api={offered}"


def _metrics(options: Options) -> Iterator[str]:
    yield "--metrics"
    if line_of(options.geth.version) < NEW_NAMES:
        yield "--pprof"
        yield f"--pprofaddr={ALL_INTERFACES}"
        yield f"--pprofport={METRICS_PORT}"
    else:
        yield f"--metrics.addr={ALL_INTERFACES}"
        yield f"--metrics.port={METRICS_PORT}"
