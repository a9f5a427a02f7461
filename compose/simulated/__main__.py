"""`python -m compose.simulated`: a simulated cluster in a process of its own, until a signal or its time is up."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import signal
import sys

import orjson

from compose.connections import loop_factory, raise_file_limit
from compose.simulated.cluster import SimulatedCluster

LARGEST = 2000
"""Nodes of one sort: each takes a listening port or two."""

FASTEST = 1000
"""Transactions a second: whoever asks for a block is told each of them."""


def main(arguments: list[str] | None = None) -> int:
    """Run a cluster as the arguments say; return the exit code: 1 if it could not be opened."""
    options = _parser().parse_args(arguments)
    raise_file_limit()
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        return runner.run(_run(options))


async def _run(options: argparse.Namespace) -> int:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    try:
        async with SimulatedCluster(
            sealers=options.sealers,
            clients=options.clients,
            newer=options.newer,
            producers=options.producers,
            workers=options.workers,
            ethereum_chain=options.ethereum_chain,
            nodeos_chain=options.nodeos_chain,
            ethereum_period=options.ethereum_period,
            nodeos_period=options.nodeos_period,
            ethereum_load=options.ethereum_load,
            nodeos_load=options.nodeos_load,
            ethstats=options.ethstats,
            control=True,
            control_port=options.control_port,
        ) as cluster:
            ready = {"control": cluster.control_url, "nodes": cluster.describe()}
            print(orjson.dumps(ready).decode(), flush=True)  # noqa: T201 - this line is the command's output
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(options.duration or None):
                    await stop.wait()
    except OSError as error:
        print(f"the cluster cannot be opened: {error}", file=sys.stderr)  # noqa: T201 - a command's own error
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m compose.simulated",
        description="Run simulated chains on loopback. Prints one line of JSON when they answer: the address of the "
        "control interface and all nodes.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    for name, count, text in (
        ("sealers", 3, "sealers of geth 1.8.27"),
        ("clients", 2, "clients of geth 1.8.27"),
        ("newer", 2, "clients of geth 1.10.26, with /debug/metrics"),
        ("producers", 1, "producers of nodeos (Leap 4.0.6)"),
        ("workers", 3, "workers of nodeos (Leap 4.0.6)"),
    ):
        parser.add_argument(f"--{name}", type=_count, default=count, metavar="N", help=f"number of {text}")
    parser.add_argument("--ethereum-chain", default="ethereum-demo", metavar="NAME", help="name of the Clique chain")
    parser.add_argument("--nodeos-chain", default="nodeos-demo", metavar="NAME", help="name of the Antelope chain")
    parser.add_argument(
        "--ethereum-period",
        type=_period,
        default=3.0,
        metavar="SECONDS",
        help="between its blocks; 0: blocks of transactions alone",
    )
    parser.add_argument("--nodeos-period", type=_seconds, default=0.5, metavar="SECONDS", help="between its blocks")
    for chain, rate in (("ethereum", 1.0), ("nodeos", 4.0)):
        parser.add_argument(
            f"--{chain}-load", type=_rate, default=rate, metavar="RATE", help="transactions a second on its chain"
        )
    parser.add_argument(
        "--ethstats",
        default="",
        metavar="URL",
        help="where the geths push to: ws://{name}:SECRET@HOST:PORT, {name} standing for the name of each",
    )
    parser.add_argument(
        "--control-port", type=_port, default=0, metavar="PORT", help="of the control interface; 0: any"
    )
    parser.add_argument("--duration", type=_duration, default=0.0, metavar="SECONDS", help="then end; 0: run on")
    return parser


def _count(text: str) -> int:
    count = int(text)
    if not 0 <= count <= LARGEST:
        raise argparse.ArgumentTypeError(f"must be from 0 to {LARGEST}")
    return count


def _port(text: str) -> int:
    port = int(text)
    if not 0 <= port <= 0xFFFF:  # noqa: PLR2004 - ports have 16 bits
        raise argparse.ArgumentTypeError("must be from 0 to 65535")
    return port


def _seconds(text: str) -> float:
    seconds = float(text)
    if not 0.01 <= seconds <= 86_400:  # noqa: PLR2004 - ten milliseconds to a day
        raise argparse.ArgumentTypeError("must be from 0.01 to 86400")
    return seconds


def _period(text: str) -> float:
    return _seconds(text) if float(text) else 0.0


def _rate(text: str) -> float:
    rate = float(text)
    if not 0 <= rate <= FASTEST:
        raise argparse.ArgumentTypeError(f"must be from 0 to {FASTEST}")
    return rate


def _duration(text: str) -> float:
    seconds = float(text)
    if not 0 <= seconds < float("inf"):
        raise argparse.ArgumentTypeError("must be 0 or more")
    return seconds


if __name__ == "__main__":
    sys.exit(main())
