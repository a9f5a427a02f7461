"""The demo: a simulated cluster of each kind, watched by the collector as any other."""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
from collections.abc import Sequence
from pathlib import Path

import yaml

from chainwatch.running import run
from collector.configuration import Address, read_configuration
from collector.ethstats import Listening
from compose.simulated import AnyNode, SimulatedCluster

_ETHEREUM, _NODEOS = "ethereum-demo", "nodeos-demo"
_PERIODS = {"ethereum": "3s", "nodeos": "500ms"}
_PRODUCERS = 4
"""The fewest of which one may fail: with them, a round that is missed is not yet the end of finality."""

_LOOPBACK = "127.0.0.1"
_SECRET = "demo"  # noqa: S105 - of a port of loopback, for as long as the demo runs


async def demo(listen: Address, duration: float | None) -> int:
    """Run it until it is stopped, or for so many seconds. Returns the exit code."""
    async with SimulatedCluster(
        producers=_PRODUCERS,
        ethereum_chain=_ETHEREUM,
        nodeos_chain=_NODEOS,
        control=True,
    ) as cluster:
        with tempfile.TemporaryDirectory(prefix="chainwatch-demo-") as directory:
            path = Path(directory) / "demo.yaml"
            text = yaml.safe_dump(_configuration(list(cluster.nodes.values()), listen), sort_keys=False)
            await asyncio.to_thread(path.write_text, text)
            configuration = await asyncio.to_thread(read_configuration, path)

            def started(listening: Listening) -> None:
                pushed_to = Address(_LOOPBACK, listening.port(_ETHEREUM))
                cluster.push_to(f"ws://{{name}}:{_SECRET}@{pushed_to}")
                print(_where_to_look(listen, pushed_to, path, cluster), flush=True)

            stop = asyncio.Event()
            ending = asyncio.create_task(_set_after(stop, duration))
            try:
                return await run(path, configuration, stop, started)
            finally:
                ending.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await ending


def _configuration(nodes: Sequence[AnyNode], listen: Address) -> dict[str, object]:
    chains: dict[str, dict[str, object]] = {}
    for node in nodes:
        chain = chains.setdefault(
            node.chain,
            {"name": node.chain, "kind": node.kind, "block_period": _PERIODS[node.kind], "servers": []},
        )
        server = {"url": node.url, "name": node.name, "role": node.role, "metrics_url": node.metrics_url}
        servers = chain["servers"]
        assert isinstance(servers, list)
        servers.append({key: value for key, value in server.items() if value})
    chains[_ETHEREUM]["ethstats"] = {"listen": f"{_LOOPBACK}:0", "secret": _SECRET}
    return {
        "agent": {"interval": "1s"},
        "chains": list(chains.values()),
        "outputs": {"prometheus": {"listen": str(listen)}},
    }


def _where_to_look(listen: Address, pushed_to: Address, path: Path, cluster: SimulatedCluster) -> str:
    page = f"http://{listen._replace(host=listen.host or 'localhost')}"
    control = cluster.control_url.rstrip("/")
    return f"""
A simulated cluster of {len(cluster.nodes)} nodes is up, and the collector is watching it. Look at

    {page}/           how both chains are, live
    {page}/metrics    what Prometheus would scrape
    http://{pushed_to}/           what the geth nodes push: when each block reached each of them

Now break something, and see the page tell of it:

    curl -X POST {control}/nodes/sealer-1/faults/stall       a sealer is gone: one more, and the chain halts
    curl -X POST {control}/nodes/client-1/faults/fork        a node has other blocks than all others
    curl -X POST {control}/nodes/producer-1/faults/skip      a producer lets its next round go by
    curl -X POST {control}/nodes/producer-2/faults/double    and one makes blocks in another's turn
    curl -X POST {control}/chains/{_ETHEREUM}/split -d '{{"sides": [["sealer-1", "client-1"]]}}'

and mend it again:

    curl -X DELETE {control}/nodes/sealer-1/faults
    curl -X DELETE {control}/chains/{_ETHEREUM}/split

GET {control}/ names all nodes and faults. The collector's configuration is {path}. Ctrl-C ends the demo.
"""


async def _set_after(event: asyncio.Event, seconds: float | None) -> None:
    if seconds is not None:
        await asyncio.sleep(seconds)
        event.set()
