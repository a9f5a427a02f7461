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
from compose.simulated import AnyNode, SimulatedCluster

_PERIODS = {"ethereum": "3s", "nodeos": "500ms"}


async def demo(listen: Address, duration: float | None) -> int:
    """Run it until it is stopped, or for so many seconds. Returns the exit code."""
    async with SimulatedCluster(control=True) as cluster:
        with tempfile.TemporaryDirectory(prefix="chainwatch-demo-") as directory:
            path = Path(directory) / "demo.yaml"
            text = yaml.safe_dump(_configuration(list(cluster.nodes.values()), listen), sort_keys=False)
            await asyncio.to_thread(path.write_text, text)
            configuration = await asyncio.to_thread(read_configuration, path)
            where = _where_to_look(listen, path, cluster)
            stop = asyncio.Event()
            ending = asyncio.create_task(_set_after(stop, duration))
            try:
                return await run(path, configuration, stop, lambda: print(where, flush=True))
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
    return {
        "agent": {"interval": "1s"},
        "chains": list(chains.values()),
        "outputs": {"prometheus": {"listen": str(listen)}},
    }


def _where_to_look(listen: Address, path: Path, cluster: SimulatedCluster) -> str:
    page = f"http://{listen._replace(host=listen.host or 'localhost')}"
    sealer = next(iter(cluster.nodes))
    control = cluster.control_url.rstrip("/")
    return f"""
A simulated cluster of {len(cluster.nodes)} nodes is up, and the collector is watching it. Look at

    {page}/           every node's state
    {page}/metrics    what Prometheus would scrape

The collector's configuration is {path}. To break something, and mend it again:

    curl -X POST   {control}/nodes/{sealer}/faults/stall
    curl -X DELETE {control}/nodes/{sealer}/faults

GET {control}/ names all nodes and faults. Ctrl-C ends the demo.
"""


async def _set_after(event: asyncio.Event, seconds: float | None) -> None:
    if seconds is not None:
        await asyncio.sleep(seconds)
        event.set()
