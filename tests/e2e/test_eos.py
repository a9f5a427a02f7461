"""A nodeos network on one machine. nodeos is a stand-in (see images.py); all else around it is the real thing."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.e2e.cluster import PROMETHEUS, Cluster, chainwatch, containers
from tests.e2e.engine import Docker
from tests.real.servers import Prometheus, fetch, wait_for

API = "http://127.0.0.1:8888"
WORKERS = ["worker-1", "worker-2", "worker-3"]
NODES = ["producer", "snapshots", *WORKERS]
STALL = "/data/nodeos/STANDIN_STALL"
"""While this file is there the stand-in's head stands still, and all else goes on."""
ANSWER_BYTES = 700
"""Of get_info, at least."""
OUT_WITHIN = 10.0
"""Seconds after which a worker that stands still has no requests, as the options of this cluster have it."""


@pytest.fixture(scope="module")
def described(docker: Docker, deployed: dict[str, Path]) -> Iterator[Cluster]:
    """Return the cluster as it is before it is started. It goes when what failed has been told, started or not."""
    cluster = Cluster(docker, deployed["eos"])
    yield cluster
    cluster.remove()


@pytest.fixture(scope="module")
def cluster(described: Cluster) -> Cluster:
    """Run the cluster for all tests; each leaves it as it found it."""
    described.up()
    wait_for(lambda: _head() > 3, "there are blocks, through the load balancer", within=60)
    return described


def test_prometheus_has_every_node_and_every_entrypoint(cluster: Cluster) -> None:
    assert cluster.not_ready() == []
    wait_for(lambda: _nodes("chain_node_up == 1") == NODES, "chain_node_up is 1 of every node", within=60, every=1)
    wait_for(lambda: _nodes("nodeos_entrypoint_info") == NODES, "every entrypoint has a page", within=60, every=1)


def test_the_load_balancer_asks_all_workers(cluster: Cluster) -> None:
    before = {node: _sent(cluster, node) for node in WORKERS}

    found = json.loads(chainwatch("load", API, "--requests", "1500", "--workers", "10", "--json"))

    assert found["ok"] == 1500, found
    sent = {node: _sent(cluster, node) - before[node] for node in WORKERS}
    assert min(sent.values()) > 300 * ANSWER_BYTES, sent


def test_a_worker_that_stands_still_has_no_requests(cluster: Cluster) -> None:
    cluster.execute("worker-2", "touch", STALL)
    try:
        began = time.monotonic()
        own = _own_info(cluster, "worker-2")["head_block_num"]
        time.sleep(OUT_WITHIN)
        old = [number for number in (_head() for _ in range(100)) if number <= own]
        assert _in_rotation(cluster) == ["worker-1", "worker-3"]
        assert old == [], f"{time.monotonic() - began:.1f} s after it stood still at block {own}"
        assert _own_info(cluster, "worker-2")["head_block_num"] <= own + 1, "it answers, and stands still"
    finally:
        cluster.execute("worker-2", "rm", "--force", STALL)

    wait_for(lambda: _in_rotation(cluster) == WORKERS, "it is to have requests again", within=60, every=1)


@pytest.mark.parametrize("node", ["worker-3", "producer"])
def test_a_node_that_is_stopped_closes_its_database_and_ends_well(cluster: Cluster, node: str) -> None:
    name = cluster.container(node).name
    before = _head()
    cluster.docker("stop", name, within=60)

    state = cluster.container(node).about["State"]
    assert (state["ExitCode"], state["OOMKilled"]) == (0, False)
    said = cluster.docker("logs", "--tail", "30", name)
    assert "nodeos successfully exiting" in said
    assert "after it was asked to" in said

    cluster.start(node)
    wait_for(lambda: not cluster.not_ready(), f"{node} is healthy again", within=60, every=1)
    wait_for(lambda: _head() > before, "blocks are made", within=60)
    assert _status(cluster, node)["restores"] == 0
    wait_for(lambda: _nodes("chain_node_up == 1") == NODES, "all are up", within=60, every=1)


def test_a_killed_node_is_restored_from_a_snapshot(cluster: Cluster) -> None:
    wait_for(lambda: _status(cluster, "snapshots")["snapshots"], "there is a snapshot", within=60, every=1)
    cluster.kill("worker-1")
    cluster.start("worker-1")

    def restored() -> bool:
        found = _status(cluster, "worker-1")
        return bool(found["restores"] == 1 and found["state"] == "running" and "snapshot" in found["started_from"])

    wait_for(restored, "it runs, from a snapshot", within=60, every=1)
    wait_for(lambda: _own_info(cluster, "worker-1")["head_block_num"] >= _head() - 4, "it keeps up", within=60, every=1)
    wait_for(lambda: not cluster.not_ready(), "it is healthy", within=60, every=1)


@pytest.mark.parametrize(
    "path", ["/v1/net/connections", "/v1/net/connect", "/v1/producer/pause", "/v1/chain/push_block", "/v1/db_size/get"]
)
@pytest.mark.usefixtures("cluster")
def test_the_world_is_offered_no_more_than_the_chain(path: str) -> None:
    assert fetch(f"{API}{path}").status == 404
    assert fetch(f"{API}{path}", b"{}").status == 404


def test_nothing_but_loopback_is_published_and_nothing_of_the_producer(cluster: Cluster) -> None:
    found = containers(cluster.docker)
    published = {
        (service, f"{binding['HostIp']}:{binding['HostPort']}")
        for service, container in found.items()
        for bindings in container.about["NetworkSettings"]["Ports"].values()
        for binding in bindings or ()
    }

    assert published == {
        ("traefik", "127.0.0.1:8888"),
        ("prometheus", "127.0.0.1:9090"),
        ("collector", "127.0.0.1:9280"),
    }
    assert set(found["producer"].about["NetworkSettings"]["Networks"]) == {"eos_chain"}
    assert "eos_chain" not in found["traefik"].about["NetworkSettings"]["Networks"]


def test_no_secret_is_to_be_seen(cluster: Cluster) -> None:
    key = (cluster.folder / "keys" / "producer" / "signing-key").read_text().strip()
    secrets = {**cluster.secrets(), "keys/producer/signing-key": key}
    assert len(secrets) > 1
    seen = {"ps": subprocess.run(["ps", "-e", "-o", "args"], capture_output=True, text=True, check=True).stdout}
    for service, container in containers(cluster.docker).items():
        seen[f"docker inspect {service}"] = json.dumps(container.about)
        seen[f"docker logs {service}"] = cluster.docker("logs", container.name)
    seen["compose.yaml"] = (cluster.folder / "compose.yaml").read_text()

    assert [f"{file} in {place}" for place, text in seen.items() for file, it in secrets.items() if it in text] == []


def test_the_chain_goes_on_after_down_and_up(cluster: Cluster) -> None:
    before = _info()

    cluster.down()
    cluster.up()

    wait_for(lambda: _head() > before["head_block_num"], "blocks are made again", within=60)
    assert _info()["chain_id"] == before["chain_id"]
    assert {node: _status(cluster, node)["last_exit"]["code"] for node in NODES} == dict.fromkeys(NODES, "0")
    wait_for(lambda: _nodes("chain_node_up == 1") == NODES, "all are up", within=60, every=1)


def _nodes(query: str) -> list[str]:
    return sorted(sample.labels["node"] for sample in Prometheus(PROMETHEUS).query(query))


def _in_rotation(cluster: Cluster) -> list[str]:
    """Return the workers that Traefik is told of."""
    told = cluster.execute("rotation", "python3", "-c", _ask_for("http://127.0.0.1:9274/traefik"))
    servers = yaml.safe_load(told)["http"]["services"]["reads"]["loadBalancer"]["servers"]
    return sorted(server["url"].removeprefix("http://").removesuffix(":8888") for server in servers)


def _info() -> dict[str, Any]:
    """Return what some worker answers to get_info, through the load balancer. Raises OSError."""
    answer = fetch(f"{API}/v1/chain/get_info")
    assert answer.status == 200, answer.text[:200]
    return dict(answer.json())


def _head() -> int:
    return int(_info()["head_block_num"])


def _own_info(cluster: Cluster, node: str) -> dict[str, Any]:
    """Return what a node answers to get_info itself."""
    return _ask(cluster, node, "8888/v1/chain/get_info")


def _status(cluster: Cluster, node: str) -> dict[str, Any]:
    """Return what a node's entrypoint says of it."""
    return _ask(cluster, node, "8889/status")


def _ask(cluster: Cluster, node: str, what: str) -> dict[str, Any]:
    return dict(json.loads(cluster.execute(node, "python3", "-c", _ask_for(f"http://127.0.0.1:{what}"))))


def _ask_for(url: str) -> str:
    """Return a program that a container can run which has Python."""
    return f"import urllib.request as u; print(u.urlopen('{url}', timeout=5).read().decode())"


def _sent(cluster: Cluster, node: str) -> int:
    """Return how many bytes a node has sent over its networks."""
    lines = cluster.execute(node, "cat", "/proc/net/dev").splitlines()[2:]
    interfaces = dict(line.split(":", 1) for line in lines)
    return sum(int(figures.split()[8]) for name, figures in interfaces.items() if name.strip() != "lo")
