"""Stands in for geth 1.8.27 and its bootnode, which can't be had: the command lines are theirs, the node is simulated.

`geth` refuses every flag that 1.8.27 does not know, in its words. As a node it is one of compose/simulated, reached at
the ports that the flags name: JSON-RPC over HTTP with the modules of --rpcapi and the host names of --rpcvhosts, and
`/debug/metrics` with --pprof. It makes blocks by itself: nodes that run side by side do not speak to each other, push
nothing to ethstats, keep nothing on disk, and answer no WebSocket.
"""

from __future__ import annotations

import asyncio
import json
import signal
import socket
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import NoReturn
from urllib.parse import urlsplit

from compose.simulated.cluster import SimulatedCluster
from compose.simulated.geth import NAMESPACES, OLD, GethOptions

_SWITCHES = (
    "dashboard debug dev fakepow goerli h help ipcdisable lightkdf metrics metrics.influxdb mine miner.noverify "
    "nocompaction nodiscover nousb pprof rinkeby rpc shh shh.restrict-light testnet txpool.nolocals v v5disc version "
    "vmdebug ws"
)
_VALUES = (
    "backtrace blockprofilerate bootnodes bootnodesv4 bootnodesv5 cache cache.database cache.gc cache.trie config "
    "cpuprofile dashboard.addr dashboard.host dashboard.refresh datadir dev.period docroot ethash.cachedir "
    "ethash.cachesinmem ethash.cachesondisk ethash.dagdir ethash.dagsinmem ethash.dagsondisk etherbase ethstats exec "
    "extradata gasprice gcmode gpoblocks gpopercentile identity ipcpath jspath keystore lightpeers lightserv maxpeers "
    "maxpendpeers memprofilerate metrics.influxdb.database metrics.influxdb.endpoint metrics.influxdb.password "
    "metrics.influxdb.tags metrics.influxdb.username miner.etherbase miner.extradata miner.gaslimit miner.gasprice "
    "miner.gastarget miner.notify miner.recommit miner.threads minerthreads nat netrestrict networkid nodekey "
    "nodekeyhex override.constantinople password port pprofaddr pprofport preload rpc.gascap rpcaddr rpcapi "
    "rpccorsdomain rpcport rpcvhosts shh.maxmessagesize shh.pow syncmode targetgaslimit trace trie-cache-gens "
    "txpool.accountqueue txpool.accountslots txpool.globalqueue txpool.globalslots txpool.journal txpool.lifetime "
    "txpool.locals txpool.pricebump txpool.pricelimit txpool.rejournal unlock verbosity vm.evm vm.ewasm vmodule "
    "whitelist wsaddr wsapi wsorigins wsport"
)
"""Flags of geth 1.8.27 (cmd/utils/flags.go, internal/debug/flags.go): those that stand alone, those with a value."""

SWITCHES, VALUES = frozenset(_SWITCHES.split()), frozenset(_VALUES.split())

BOOTNODE_SWITCHES = frozenset({"v5", "writeaddress"})
BOOTNODE_VALUES = frozenset({"addr", "genkey", "nat", "netrestrict", "nodekey", "nodekeyhex", "verbosity", "vmodule"})

ALL_INTERFACES = "0.0.0.0"
ENDS = {signal.SIGTERM, signal.SIGINT}


def main(program: str, arguments: Sequence[str]) -> int:
    """Do what the program of this name does with these arguments; return its exit code."""
    if program == "bootnode":
        boot(parsed(arguments, BOOTNODE_SWITCHES, BOOTNODE_VALUES)[0])
        return 0
    flags, rest = parsed(arguments, SWITCHES, VALUES)
    match rest:
        case ["version", *_]:
            print("Geth\nVersion: 1.8.27-stable\nArchitecture: amd64")
        case ["init", genesis]:
            return init(Path(genesis))
        case ["account" | "attach" | "console" | "js", *_]:
            fail(f"{rest[0]} is not imitated")
        case []:
            check_files(flags)
            return asyncio.run(run(flags, arguments))
        case _:
            fail(f"invalid command: {rest[0]!r}")
    return 0


def boot(flags: dict[str, str]) -> None:
    """Listen where a boot node would, and answer nobody."""
    signal.pthread_sigmask(signal.SIG_BLOCK, ENDS)
    address, _, port = flags.get("addr", ":30301").rpartition(":")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listening:
        listening.bind((address or ALL_INTERFACES, int(port)))
        signal.sigwait(ENDS)


def fail(message: str) -> NoReturn:
    """End with a message."""
    print(f"Fatal: {message}", file=sys.stderr)
    sys.exit(1)


def parsed(
    arguments: Sequence[str], switches: frozenset[str], values: frozenset[str]
) -> tuple[dict[str, str], list[str]]:
    """Take the flags apart as Go's package `flag` does. Ends the program where one isn't known."""
    flags: dict[str, str] = {}
    rest = list(arguments)
    subcommand: list[str] = []
    while rest:
        word = rest.pop(0)
        if not word.startswith("-"):
            subcommand.append(word)
            continue
        name, has_value, value = word.lstrip("-").partition("=")
        if name in switches:
            flags[name] = value if has_value else "true"
        elif name in values:
            if not has_value and not rest:
                fail(f"flag needs an argument: -{name}")
            flags[name] = value if has_value else rest.pop(0)
        else:
            print(f"Incorrect Usage. flag provided but not defined: -{name}\n\nflag provided but not defined: -{name}")
            sys.exit(1)
    return flags, subcommand


def init(path: Path) -> int:
    """Check a genesis as far as geth 1.8 would refuse it."""
    try:
        genesis = json.loads(path.read_bytes())
        for key in ("config", "difficulty", "gasLimit", "alloc"):
            genesis[key]
        extra = bytes.fromhex(genesis.get("extraData", "0x").removeprefix("0x"))
        signers = len(extra) - 32 - 65
        if "clique" in genesis["config"] and (signers <= 0 or signers % 20):
            fail(f"extraData holds no signers: {len(extra)} bytes")
    except (OSError, ValueError, KeyError) as error:
        fail(f"invalid genesis file: {error}")
    print("Successfully wrote genesis state")
    return 0


def check_files(flags: dict[str, str]) -> None:
    """End the program where a flag names a file that isn't there."""
    for flag in ("nodekey", "config", "password"):
        if flag in flags and not Path(flags[flag]).is_file():
            fail(f"--{flag}: {flags[flag]} is no file")


async def run(flags: dict[str, str], arguments: Sequence[str]) -> int:
    """Be a node until a signal comes."""
    name = socket.gethostname()
    namespaces = frozenset(flags.get("rpcapi", "eth,net,web3").replace(" ", "").split(","))
    options = GethOptions(
        name=name,
        role="sealer" if "mine" in flags else "client",
        version=OLD,
        namespaces=namespaces & (NAMESPACES | {"personal"}),
        vhosts=tuple(flags.get("rpcvhosts", "localhost").split(",")),
        pprof="pprof" in flags,
    )
    # A chain of its own needs a sealer, whatever this node is.
    others = [] if "mine" in flags else [GethOptions(name=f"sealer-of-{name}", role="sealer")]
    stop = asyncio.Event()
    for number in ENDS:
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with SimulatedCluster(
        sealers=0, clients=0, newer=0, producers=0, workers=0, more=[options, *others]
    ) as cluster:
        node = cluster.nodes[name]
        if "--metrics" not in arguments:  # 1.8 looks for this very word: `--metrics=true` does nothing
            await node.fault("metrics_off")
        servers = []
        if "rpc" in flags:
            address, port = flags.get("rpcaddr", "localhost"), int(flags.get("rpcport", "8545"))
            servers.append(await forward(address, port, node.url))
        if "pprof" in flags:
            address, port = flags.get("pprofaddr", "127.0.0.1"), int(flags.get("pprofport", "6060"))
            servers.append(await forward(address, port, node.metrics_url))
        print(f"Started simulated node {name} of geth 1.8.27", flush=True)
        await stop.wait()
        for server in servers:
            server.close()
    return 0


async def forward(address: str, port: int, url: str) -> asyncio.Server:
    """Pass on whatever comes to an address: the simulated nodes themselves listen on loopback only."""
    target = urlsplit(url)

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await reader.read(65_536):
                writer.write(data)
                await writer.drain()
        writer.close()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection(target.hostname, target.port)
        await asyncio.gather(pump(reader, back), pump(there, writer))

    return await asyncio.start_server(accept, address, port)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
