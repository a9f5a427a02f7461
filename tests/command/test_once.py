"""`once`: everything is gathered and delivered, and the exit code tells whether all of it was."""

from __future__ import annotations

import shlex
import subprocess
from pathlib import Path

import pytest

from tests.command.lines import gathers, parse
from tests.command.processes import ARGV, Ended, Settings, chainwatch, settings, written
from tests.command.surroundings import Cluster, Database
from tests.influxdb.fakes import hangs
from tests.real.databases import influxdb


def once(tmp_path: Path, configuration: Settings, *options: str) -> Ended:
    """Gather once, with time enough for a first gather."""
    configuration["agent"] |= {"interval": "5s", "timeout": "2s", "shutdown_timeout": "400ms"}
    return chainwatch("once", "--config", written(tmp_path, configuration), *options)


def test_everything_is_delivered(tmp_path: Path, cluster: Cluster, database: Database) -> None:
    done = once(tmp_path, settings(cluster.nodes, {"influxdb": database.output}))
    assert (done.code, done.stdout) == (0, ""), done.stderr
    assert {node.name: gathers(database.stored, node.name) for node in cluster.nodes} == {
        node.name: ["1"] for node in cluster.nodes
    }
    assert any(line.startswith("geth,") for line in database.stored)
    assert any(line.startswith("chainwatch,") for line in database.stored)


def test_two_shards_gather_each_server_once(tmp_path: Path, cluster: Cluster) -> None:
    gathered = []
    for shard in ("1/2", "2/2"):
        configuration = settings(cluster.nodes, {"stdout": {}}, shard=shard)
        done = once(tmp_path, configuration)
        assert done.code == 0, done.stderr
        lines = done.stdout.splitlines()
        own = [node.name for node in cluster.nodes if gathers(lines, node.name)]
        assert own
        gathered += own
    assert sorted(gathered) == sorted(node.name for node in cluster.nodes)


def test_a_shard_that_nothing_falls_to_is_told(tmp_path: Path, cluster: Cluster) -> None:
    done = once(tmp_path, settings([cluster["sealer-1"]], {"stdout": {}}, shard="1/500"))
    assert done.code == 1
    assert "no server falls to this shard: nothing is gathered" in done.stderr


@pytest.mark.real
def test_everything_is_delivered_to_a_real_influxdb(tmp_path: Path, cluster: Cluster) -> None:
    with influxdb(tmp_path) as server:
        output = {"url": server.url, "database": "chain"}  # which it creates
        assert once(tmp_path, settings(cluster.nodes, {"influxdb": output})).code == 0
        points = server.select("SELECT up, node FROM chain_node WHERE up >= 0", "chain")
    assert {point["node"]: point["up"] for point in points} == {node.name: 1 for node in cluster.nodes}


def test_a_node_that_is_down_keeps_nothing_from_the_others(
    tmp_path: Path, cluster: Cluster, database: Database
) -> None:
    cluster.fault("sealer-1", "down")
    done = once(tmp_path, settings(cluster.nodes, {"influxdb": database.output}))
    assert done.code == 1
    assert "ethereum-demo/sealer-1" in done.stderr
    assert {node.name: gathers(database.stored, node.name) for node in cluster.nodes} == {
        node.name: ["0" if node.name == "sealer-1" else "1"] for node in cluster.nodes
    }


def test_a_database_that_is_down(tmp_path: Path, cluster: Cluster, database: Database) -> None:
    database.stop()
    done = once(tmp_path, settings(cluster.nodes, {"influxdb": database.output}))
    assert done.code == 1
    assert done.seconds < 3
    assert "output db" in done.stderr


def test_a_database_that_hangs(tmp_path: Path, cluster: Cluster, database: Database) -> None:
    database.fake.fault = hangs
    done = once(tmp_path, settings(cluster.nodes, {"influxdb": database.output | {"timeout": "30s"}}))
    assert done.code == 1
    assert done.seconds < 3


def test_a_database_that_refuses(tmp_path: Path, cluster: Cluster, database: Database) -> None:
    refused = database.output | {"database": "other", "create_database": False}
    done = once(tmp_path, settings(cluster.nodes, {"influxdb": refused}))
    assert done.code == 1
    assert "database" in done.stderr


@pytest.mark.parametrize("down", [False, True])
def test_lines_on_standard_output_and_nothing_else(
    tmp_path: Path, cluster: Cluster, database: Database, down: bool
) -> None:
    if down:
        cluster.fault("worker-1", "down")
    done = once(tmp_path, settings(cluster.nodes, {"influxdb": database.output}), "--print")
    assert done.code == int(down)
    assert not database.fake.requests  # printed instead of delivered
    lines = done.stdout.splitlines()
    measurements = {parse(line).measurement for line in lines}
    assert {"chain", "chain_node", "geth", "nodeos", "chainwatch"} <= measurements
    assert gathers(lines, "worker-1") == ["0" if down else "1"]
    assert ("nodeos-demo/worker-1" in done.stderr and "connection refused" in done.stderr) == down


def test_no_server_at_all(tmp_path: Path, database: Database) -> None:
    configuration = settings([], {"influxdb": database.output})
    configuration["chains"] = [{"name": "lab", "kind": "ethereum", "servers": [{"file": "nodes/*.yaml"}]}]
    done = once(tmp_path, configuration)
    assert done.code == 1
    assert "ERROR no server was found" in done.stderr
    assert "nodes/*.yaml: there is no such file" in done.stderr


def test_nowhere_to_deliver_is_said(tmp_path: Path, cluster: Cluster) -> None:
    configuration = settings(cluster.nodes, {"prometheus": {}})
    done = once(tmp_path, configuration)
    assert (done.code, done.stdout) == (0, "")
    assert "delivered nowhere" in done.stderr


def test_a_reader_that_has_seen_enough(tmp_path: Path, cluster: Cluster) -> None:
    path = written(tmp_path, settings(cluster.nodes, {}, interval=5, timeout=2))
    done = subprocess.run(
        f"{shlex.join(ARGV)} once --print --config {path} | head -c 10",
        shell=True, capture_output=True, text=True, timeout=10, check=False,
    )  # fmt: skip
    assert len(done.stdout) == 10
    assert "Traceback" not in done.stderr
    assert "Exception" not in done.stderr
