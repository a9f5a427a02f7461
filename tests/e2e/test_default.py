"""The cluster of the default options: what it offers, what it keeps to itself, and what it survives.

It is the one in the repository's compose/, begun as in a fresh clone: its first start makes keys and genesis. A block
takes its 15 seconds.
"""

from __future__ import annotations

import json
import re
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.cluster import (
    GIVE_AWAY,
    PROMETHEUS,
    STATS,
    Cluster,
    Refused,
    answered,
    chainwatch,
    containers,
    figure,
    has_passed,
    height,
    rpc,
    rpc_by_websocket,
    sealed_in_turn,
)
from tests.e2e.engine import Docker
from tests.real.servers import Prometheus, fetch, wait_for

SEALERS = ["sealer-1", "sealer-2", "sealer-3"]
CLIENTS = ["client-1", "client-2"]
NODES = sorted(SEALERS + CLIENTS)

PAGE = "http://127.0.0.1:9280"
ALERTMANAGER = "http://127.0.0.1:9093"

RECENT = 6
"""Blocks in which a sealer that is there seals: of three, each has two turns in them."""

MARGIN = f"""
count(ethstats_sealer_last_block_number > on(chain) group_left() (max by(chain) (chain_head_block_number) - {RECENT}))
- (floor(max(chain_clique_signers) / 2) + 1)
"""
"""Sealers that may fail before the chain halts."""


@pytest.fixture(scope="module")
def described(docker: Docker, deployed: dict[str, Path]) -> Iterator[Cluster]:
    """Return the cluster as it is before it is started. It goes when what failed has been told, started or not."""
    cluster = Cluster(docker, deployed["default"])
    yield cluster
    cluster.remove()


@pytest.fixture(scope="module")
def cluster(described: Cluster) -> Cluster:
    """Run the cluster for all tests; each leaves it as it found it."""
    described.up()
    wait_for(lambda: has_passed(3), "there are blocks", within=120)
    return described


def test_every_sealer_seals_in_its_turn(cluster: Cluster) -> None:
    wait_for(lambda: sealed_in_turn(cluster, *SEALERS), "six blocks in turn", within=300, every=2)


def test_all_nodes_are_peers_of_all(cluster: Cluster) -> None:
    wait_for(lambda: answered("net_peerCount") == "0x4", "four peers, over HTTP", within=60, every=1)


def test_clients_answer_over_a_websocket(cluster: Cluster) -> None:
    number = int(rpc_by_websocket("eth_blockNumber"), 16)

    assert abs(number - height()) <= 1
    assert int(rpc("eth_chainId"), 16) == int(rpc_by_websocket("eth_chainId"), 16) == 18


@pytest.mark.parametrize("method", GIVE_AWAY)
def test_what_gives_a_node_away_is_refused(cluster: Cluster, method: str) -> None:
    with pytest.raises(Refused, match="-32601"):
        rpc(method)


def test_prometheus_has_every_node(cluster: Cluster) -> None:
    def up() -> list[str]:
        return sorted(sample.labels["node"] for sample in Prometheus(PROMETHEUS).query("chain_node_up == 1"))

    wait_for(lambda: up() == NODES, "chain_node_up is 1 of every node", within=60, every=1)


def test_prometheus_reaches_every_target(cluster: Cluster) -> None:
    def down() -> list[str]:
        targets = [target for target in Prometheus(PROMETHEUS).targets() if target["health"] != "up"]
        return [f"{target['scrapePool']}: {target['lastError']}" for target in targets]

    def none_but_grafana() -> bool:
        return all(line.startswith("grafana:") for line in down())

    wait_for(none_but_grafana, "all targets are up but Grafana, which is left out", within=60, every=1)


def test_prometheus_evaluates_every_rule_without_an_error(cluster: Cluster) -> None:
    def failing() -> list[str]:
        groups = fetch(f"{PROMETHEUS}/api/v1/rules").json()["data"]["groups"]
        found = [rule for group in groups for rule in group["rules"]]
        assert {"Watchdog", "ChainHalted", "NodeDown"} <= {rule["name"] for rule in found}
        return [f"{rule['name']}: {rule['health']} {rule.get('lastError', '')}" for rule in found]

    def none_failing() -> bool:
        return all(": ok " in line for line in failing())

    wait_for(none_failing, "each rule has been evaluated, and well", within=60, every=1)


def test_alertmanager_hears_the_watchdog_and_of_nothing_critical(cluster: Cluster) -> None:
    def told() -> set[str]:
        return {str(alert["labels"]["alertname"]) for alert in _alerts() if alert["labels"]["severity"] == "critical"}

    wait_for(lambda: ("Watchdog", "") in _firing(), "the Watchdog is heard", within=60, every=1)
    wait_for(lambda: not told(), "nothing critical is told of", within=300, every=2)


def test_the_live_page_compares_all_nodes_and_finds_nothing_wrong(cluster: Cluster) -> None:
    def told() -> tuple[object, ...]:
        (chain,) = fetch(f"{PAGE}/api/state").json()["chains"]
        making = chain["making"] or {}
        up = sorted(node["node"] for node in chain["nodes"] if node["state"] == "up")
        return up, making.get("active"), making.get("margin"), chain["period"], chain["findings"]

    wait_for(lambda: told() == (NODES, 3, 1, 15.0, []), "the network is known, and well", within=180, every=2)


def test_influxdb_keeps_what_the_nodes_say(cluster: Cluster) -> None:
    def of_every_node() -> bool:
        series = cluster.influx("SELECT last(chain_head_block), last(p2p_peers) FROM geth GROUP BY node")
        return sorted(one["tags"]["node"] for one in series) == NODES

    wait_for(of_every_node, "measurement geth has two paths of every node", within=60, every=1)


def test_the_stats_page_lists_every_node(cluster: Cluster) -> None:
    def complete() -> bool:
        said = fetch(f"{STATS}/nodes.json").json()
        nodes = {node["name"]: node for node in said["nodes"]}
        assert sorted(nodes) == NODES
        return (
            all(node["state"] == "connected" and node["head"] for node in nodes.values())
            and all(node["arrivals"] and node["mean_arrival_delay_seconds"] is not None for node in nodes.values())
            and {one["address"] for one in said["sealers"]} == {cluster.address(name) for name in SEALERS}
        )

    wait_for(complete, "every node has pushed blocks, every sealer has sealed one", within=120, every=1)
    page = fetch(STATS)
    assert page.status == 200
    assert all(name in page.text for name in NODES)


def test_endpoints_are_listed(cluster: Cluster) -> None:
    endpoints = json.loads(chainwatch("endpoints", str(cluster.folder)))

    assert {
        "boot-p2p",
        "client-http",
        "client-p2p",
        "client-ws",
        "ethstats-http",
        "sealer-http",
        "sealer-p2p",
        "sealer-ws",
    } <= endpoints.keys()
    assert endpoints["client-http"]["address"] == ["127.0.0.1:8500"]
    assert endpoints["client-ws"]["address"] == ["127.0.0.1:8501"]
    assert endpoints["ethstats-http"]["address"] == ["127.0.0.1:8502"]


def test_nothing_but_loopback_is_published(cluster: Cluster) -> None:
    published = {
        f"{binding['HostIp']}:{binding['HostPort']}"
        for container in containers(cluster.docker).values()
        for bindings in container.about["NetworkSettings"]["Ports"].values()
        for binding in bindings or ()
    }

    assert published == {f"127.0.0.1:{port}" for port in (8500, 8501, 8502, 9090, 9093, 9280)}


def test_no_secret_is_to_be_seen(cluster: Cluster) -> None:
    secrets = cluster.secrets()
    assert {"keys/sealer-1/nodekey", "keys/sealer-1/password", "keys/secrets/ethstats"} <= secrets.keys()
    seen = {"ps": subprocess.run(["ps", "-e", "-o", "args"], capture_output=True, text=True, check=True).stdout}
    for service, container in containers(cluster.docker).items():
        seen[f"docker inspect {service}"] = json.dumps(container.about)
        seen[f"docker logs {service}"] = cluster.docker("logs", container.name)
    seen["compose.yaml"] = (cluster.folder / "compose.yaml").read_text()

    assert [f"{file} in {place}" for place, text in seen.items() for file, it in secrets.items() if it in text] == []


def test_a_client_is_killed_and_the_other_one_answers(cluster: Cluster) -> None:
    noticed = _seconds_until_noticed(cluster)
    cluster.kill("client-1")
    began = time.monotonic()
    failed, served = [], 0
    while (since := time.monotonic() - began) < noticed + 10:
        try:
            rpc("eth_blockNumber", timeout=2)
            served += since > noticed
        except (Refused, OSError) as error:
            failed.append((round(since, 2), str(error)))
        time.sleep(0.05)
    cluster.start("client-1")

    assert [one for one in failed if one[0] > noticed] == []
    assert served > 50
    wait_for(lambda: answered("net_peerCount") == "0x4", "client-1 is back among its peers", within=90, every=1)
    wait_for(lambda: not cluster.not_ready(), "client-1 is healthy", within=60, every=1)


def test_a_sealer_is_killed_and_the_margin_falls(cluster: Cluster) -> None:
    wait_for(lambda: figure(MARGIN) == 1, "one of three sealers may fail", within=180, every=1)
    cluster.kill("sealer-3")
    before = height()

    wait_for(lambda: figure(MARGIN) == 0, "none may fail now", within=300, every=1)
    assert height() > before
    assert figure('chain_node_up{node="sealer-3"}') == 0
    expected = {("NodeDown", "sealer-3"), ("QuorumAtRisk", "")}
    wait_for(
        lambda: expected <= _firing(), "Alertmanager is told of the sealer, and of the quorum", within=300, every=1
    )
    cluster.start("sealer-3")
    wait_for(lambda: figure(MARGIN) == 1, "the sealer seals again", within=300, every=1)


def test_the_chain_goes_on_after_down_and_up(cluster: Cluster) -> None:
    keys = {path: path.read_bytes() for path in (cluster.folder / "keys").rglob("*") if path.is_file()}
    genesis = rpc("eth_getBlockByNumber", "0x0", False)["hash"]
    number = height()
    old = rpc("eth_getBlockByNumber", hex(number - 5), False)["hash"]

    cluster.down()
    assert containers(cluster.docker) == {}
    cluster.up()

    wait_for(lambda: has_passed(number), "the chain goes on from where it was", within=180, every=1)
    assert rpc("eth_getBlockByNumber", "0x0", False)["hash"] == genesis
    assert rpc("eth_getBlockByNumber", hex(number - 5), False)["hash"] == old
    assert {path: path.read_bytes() for path in (cluster.folder / "keys").rglob("*") if path.is_file()} == keys


def _alerts() -> list[dict[str, dict[str, str]]]:
    """Return what Alertmanager has been told of and has not been told to be over."""
    found: list[dict[str, dict[str, str]]] = fetch(f"{ALERTMANAGER}/api/v2/alerts").json()
    return found


def _firing() -> set[tuple[str, str]]:
    """Return the same by name and subject."""
    return {(alert["labels"]["alertname"], alert["labels"].get("subject", "")) for alert in _alerts()}


def _seconds_until_noticed(cluster: Cluster) -> float:
    """Return how long Traefik may take to see that a server is dead, by what it was told of the health check."""
    told = (cluster.folder / "config" / "traefik" / "dynamic" / "clients.yaml").read_text()
    found = {key: float(value) for key, value in re.findall(r"(interval|timeout): (\d+)s", told)}
    return found["interval"] + found["timeout"] + 1
