"""The collector with the configuration of a cluster of geth 1.8, on simulated nodes, into a real InfluxDB."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest

from compose.options.ethereum.models import Options
from compose.rendering import collecting
from compose.rendering.ethereum.collecting import configuration
from compose.simulated.cluster import SimulatedCluster
from compose.simulated.geth import GethOptions
from tests.helpers import run
from tests.real.databases import InfluxDb, influxdb
from tests.real.servers import answers, free_port, process, wait_for

pytestmark = pytest.mark.real

OPTIONS = Options.model_validate(
    {
        "geth": {"version": "1.8.27", "clique_period": 1},
        "sealer": {"count": 1},
        "client": {"count": 1},
        "traefik": {"count": 0},
        "collector": {"interval": "1s"},
    }
)


def located(cluster: SimulatedCluster, influx: InfluxDb, folder: Path, page: str) -> str:
    """Return the collector's configuration with what is on this machine in the place of what is in containers."""
    text = configuration(OPTIONS)
    for name, node in cluster.nodes.items():
        text = text.replace(f"http://{name}:6060/debug/metrics", node.metrics_url)
        text = text.replace(f"http://{name}:8545", node.url)
    text = text.replace("http://influxdb:8086", influx.url).replace("0.0.0.0:9273", page)
    text = text.replace("0.0.0.0:3000", f"127.0.0.1:{free_port()}")
    return text.replace("/run/chainwatch", str(folder)).replace(collecting.STATE, str(folder))


def collect(cluster: SimulatedCluster, influx: InfluxDb, folder: Path) -> None:
    """Run the collector until InfluxDB has figures of both nodes."""
    influx.query(f"CREATE DATABASE {collecting.DATABASE}")
    for name in ("ethstats", "influxdb-collector"):
        (folder / name).write_text("a secret\n")
    page = f"127.0.0.1:{free_port()}"
    (folder / "chainwatch.yaml").write_text(located(cluster, influx, folder, page))
    argv: list[str | Path] = [sys.executable, "-m", "chainwatch", "run", "--config", folder / "chainwatch.yaml"]
    with process(argv, ready=lambda: answers(f"http://{page}"), log=folder / "log"):
        found = "SELECT last(chain_inserts_overall) FROM geth GROUP BY node"
        wait_for(lambda: len(influx.select(found, collecting.DATABASE)) == 2, "figures of both nodes")


def test_each_node_is_asked_for_what_it_has(tmp_path: Path) -> None:
    """A sealer has percentiles that debug_metrics alone tells, and the client those that its page alone tells."""
    client = GethOptions(name="client-1", namespaces=frozenset(OPTIONS.client.rpcapi), vhosts=("*",), pprof=True)

    async def check(influx: InfluxDb) -> None:
        async with SimulatedCluster(sealers=1, clients=0, newer=0, producers=0, workers=0, more=[client]) as cluster:
            await asyncio.to_thread(collect, cluster, influx, tmp_path)

    with influxdb(tmp_path) as influx:
        run(check(influx))
        for name, role, own in (
            ("sealer-1", "sealer", "chain_inserts_percentiles_20"),
            ("client-1", "client", "chain_inserts_percentiles_75"),
        ):
            fields = f"chain_inserts_overall, p2p_inboundtraffic_overall, {own}, server, port, role"
            where = f"node = '{name}' AND {own} > 0"
            points = influx.select(f"SELECT {fields} FROM geth WHERE {where} LIMIT 1", collecting.DATABASE)
            assert points, name
            assert (points[0]["server"], points[0]["role"]) == ("127.0.0.1", role)
            assert points[0]["chain_inserts_overall"] > 0
            others = influx.select(f"SELECT {own} FROM geth WHERE node != '{name}'", collecting.DATABASE)
            assert others == [], "the other node has no such figure"
