"""A cluster of geth 1.8, which has flags, metrics and a reporter of its own: all of it works as with newer ones."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.cluster import (
    GIVE_AWAY,
    STATS,
    Cluster,
    Refused,
    answered,
    has_passed,
    height,
    rpc,
    rpc_by_websocket,
    sealed_alternately,
)
from tests.e2e.engine import Docker
from tests.real.collecting import Page
from tests.real.servers import fetch, wait_for

SEALERS = ["sealer-1", "sealer-2"]
NODES = ["client-1", *SEALERS]


@pytest.fixture(scope="module")
def described(docker: Docker, deployed: dict[str, Path]) -> Iterator[Cluster]:
    """Return the cluster as it is before it is started. It goes when what failed has been told, started or not."""
    cluster = Cluster(docker, deployed["old"])
    yield cluster
    cluster.remove()


@pytest.fixture(scope="module")
def cluster(described: Cluster) -> Cluster:
    """Run the cluster for all tests."""
    described.up()
    wait_for(lambda: has_passed(5), "there are blocks", within=60)
    return described


def test_both_sealers_seal(cluster: Cluster) -> None:
    wait_for(lambda: sealed_alternately(cluster, *SEALERS), "four blocks, each by the other", within=180, every=1)
    assert rpc("web3_clientVersion").startswith("Geth/v1.8.27-stable/")


def test_all_nodes_are_peers_of_all(cluster: Cluster) -> None:
    wait_for(lambda: answered("net_peerCount") == "0x2", "two peers, over HTTP", within=60, every=1)


def test_clients_answer_over_a_websocket(cluster: Cluster) -> None:
    number = int(rpc_by_websocket("eth_blockNumber"), 16)

    assert abs(number - height()) <= 1


@pytest.mark.parametrize("method", GIVE_AWAY)
def test_what_gives_a_node_away_is_refused(cluster: Cluster, method: str) -> None:
    with pytest.raises(Refused, match="-32601"):
        rpc(method)


@pytest.mark.parametrize(
    ("names", "fields"),
    [
        pytest.param(SEALERS, ["overall", "meanrate", "percentiles_20", "percentiles_95"], id="by debug_metrics"),
        pytest.param(["client-1"], ["overall", "meanrate", "percentiles_50", "percentiles_95"], id="by its page"),
    ],
)
def test_metrics_reach_influxdb_under_their_old_names(cluster: Cluster, names: list[str], fields: list[str]) -> None:
    def figures() -> dict[str, dict[str, Any]]:
        wanted = ", ".join(f"last(chain_inserts_{field})" for field in fields)
        series = cluster.influx(f"SELECT {wanted}, last(p2p_inboundtraffic_overall) FROM geth GROUP BY *")
        return {one["tags"]["node"]: one for one in series}

    def complete() -> bool:
        found = figures()
        return all(name in found and all(value for value in found[name]["values"][0][1:]) for name in names)

    wait_for(complete, "measurement geth has figures other than 0", within=60, every=1)
    found = figures()
    assert {name: (found[name]["tags"]["server"], found[name]["tags"]["port"]) for name in names} == {
        name: (name, "8545") for name in names
    }


def test_no_node_leaves_the_stats_page_in_a_minute(cluster: Cluster) -> None:
    """That is four reports, each with a ping that must be answered in time, and some thirty blocks of each node."""
    wait_for(lambda: list(_connected(cluster)) == NODES, "every node is on the page", within=30, every=1)
    before, began = _accepted(cluster), time.monotonic()
    while time.monotonic() - began < 60:
        assert list(_connected(cluster)) == NODES
        time.sleep(2)

    nodes = _connected(cluster)
    assert _accepted(cluster) == before == len(NODES)
    assert all(node["version"].startswith("Geth/v1.8.27") and node["peers"] == 2 for node in nodes.values())
    assert all(abs(node["head"]["number"] - height()) <= 1 for node in nodes.values())
    assert all(node["latency_seconds"] < 0.5 and node["arrivals"] > 20 for node in nodes.values())
    assert _page(cluster).values("chainwatch_ethstats_unreadable_total") == []
    for name in NODES:
        said = cluster.docker("logs", cluster.container(name).name)
        # Each tries wss:// before ws:// where its URL has no scheme; ours has one.
        assert re.findall(r".*[Ss]tats.*(?:failed|unreachable|not responding|Unknown).*", said) == []


def test_the_chain_goes_on_after_down_and_up(cluster: Cluster) -> None:
    number = height()
    old = rpc("eth_getBlockByNumber", hex(number - 2), False)["hash"]

    cluster.down()
    cluster.up()

    wait_for(lambda: has_passed(number), "the chain goes on from where it was", within=90, every=1)
    assert rpc("eth_getBlockByNumber", hex(number - 2), False)["hash"] == old
    wait_for(lambda: list(_connected(cluster)) == NODES, "every node is back on the page", within=60, every=1)


def _connected(cluster: Cluster) -> dict[str, dict[str, Any]]:
    """Return what the stats page tells of the nodes that are connected, by name."""
    told = fetch(f"{STATS}/nodes.json").json()["nodes"]
    return {node["name"]: node for node in told if node["state"] == "connected"}


def _accepted(cluster: Cluster) -> float:
    """Return how many logins of nodes there were."""
    return _page(cluster).value("chainwatch_ethstats_logins_total", kind="accepted")


def _page(cluster: Cluster) -> Page:
    """Scrape the collector from within its container: it publishes nothing."""
    ask = "import urllib.request as u; print(u.urlopen('http://127.0.0.1:9273/metrics', timeout=5).read().decode())"
    return Page(cluster.execute("collector", "python", "-c", ask))
