"""The collector on three real geth nodes says what they say themselves, and one that stops disturbs nobody."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.real.collecting import Collector, Page, collector
from tests.real.geth import PERIOD, Network, Node
from tests.real.servers import wait_for

pytestmark = [pytest.mark.real, pytest.mark.slow]

INTERVAL = 2.0
TIMEOUT = 1.5
SLACK = 0.9
"""What may lie between a tick and the page that tells of it: a page serves half a second, and the machine is busy."""


@pytest.fixture
def watching(network: Network, tmp_path: Path) -> Iterator[Collector]:
    """Run a collector on the network, from when it says of every node that it is up, and of itself what it did."""
    # Named as geth 1.8 did, which 1.13 does not any more; and little enough to read that a page is read at once.
    chain = {**network.as_configured(), "metrics": ["chain.inserts", "p2p.InboundTraffic"]}
    with collector(tmp_path, chain, INTERVAL, TIMEOUT) as running:
        wait_for(lambda: sum(running.page().values("chain_node_up")) == 3, "every node is up")
        wait_for(lambda: len(running.page().values("chainwatch_gathers_total")) == 3, "gathers are counted")
        yield running


def test_every_figure_is_the_nodes_own(network: Network, watching: Collector) -> None:
    before = {node: _asked(node) for node in network.nodes}
    page = watching.page_gathered_after(time.time())
    after = {node: _asked(node) for node in network.nodes}
    for node in network.nodes:
        gathered = {
            "head": _curated(page, "chain_head_block_number", node),
            "timestamp": _curated(page, "chain_head_block_timestamp_seconds", node),
            "peers": _curated(page, "chain_peers", node),
            "signers": _curated(page, "chain_clique_signers", node),
            "inserts": _raw(page, "geth_chain_inserts_overall", node),
            "ingress": _raw(page, "geth_p2p_inboundtraffic_overall", node),
        }
        assert gathered.keys() == before[node].keys()
        for what, value in gathered.items():
            assert before[node][what] <= value <= after[node][what], (node.name, what)
        assert gathered["peers"] == gathered["signers"] == 2


def test_what_stands_still_agrees_exactly(network: Network, watching: Collector) -> None:
    page = watching.page()
    for node in network.nodes:
        identity = {"version": node.web3.client_version, "chain_id": "1337", "network_id": node.web3.net.version}
        assert page.value("chain_node_info", node=node.name, role=node.role, chain="lab", **identity) == 1
        assert _curated(page, "chain_syncing", node) == 0
        assert _curated(page, "chain_node_metrics_enabled", node) == 1
        pool = node.web3.geth.txpool.status()
        assert _curated(page, "chain_txpool_pending", node) == int(str(pool["pending"]), 16)
        inbound = sum(peer["network"]["inbound"] for peer in node.ask("admin_peers"))
        assert _curated(page, "chain_peers_inbound", node) == inbound


def test_a_node_that_stops_disturbs_no_other(network: Network, watching: Collector) -> None:
    node = network.client
    before, began = watching.page(), time.monotonic()
    node.stop()
    try:
        _wait_until_told(watching, node, up=0, within=INTERVAL)
        after = _others_go_on(network, watching, before, began)
        assert _errors(after, node) > _errors(before, node)
        assert _about(after, "gathers_missed_total", node) == 0

        node.start()
        _wait_until_told(watching, node, up=1, within=INTERVAL)
    finally:
        network.restore(node)
    head = node.web3.eth.block_number
    assert _curated(watching.page_gathered_after(time.time()), "chain_head_block_number", node) >= head


def test_a_node_that_freezes_disturbs_no_other(network: Network, watching: Collector) -> None:
    node = network.client
    before, began = watching.page(), time.monotonic()
    node.process.signal(signal.SIGSTOP)  # it takes connections still, and answers none
    try:
        _wait_until_told(watching, node, up=0, within=INTERVAL + TIMEOUT)
        _others_go_on(network, watching, before, began)
    finally:
        node.process.signal(signal.SIGCONT)
    _wait_until_told(watching, node, up=1, within=TIMEOUT + INTERVAL)
    network.restore(node)


def _wait_until_told(watching: Collector, node: Node, *, up: int, within: float) -> None:
    """Wait until the collector says so of the node."""

    def told() -> bool:
        return _curated(watching.page(), "chain_node_up", node) == up

    wait_for(told, f"{node.name} is told to be {'up' if up else 'down'}", within + SLACK, every=0.02)


def _others_go_on(network: Network, watching: Collector, before: Page, began: float) -> Page:
    """Fail unless the sealers are watched as ever while the client is gone; return a page from the end of that."""
    while time.monotonic() - began < 5 * INTERVAL:
        page = watching.page()
        assert [_curated(page, "chain_node_up", node) for node in network.nodes] == [1, 1, 0]
        time.sleep(INTERVAL / 10)
    after, passed = watching.page(), time.monotonic() - began
    for node in network.sealers:
        gathers = _about(after, "gathers_total", node) - _about(before, "gathers_total", node)
        # What chainwatch says of itself is told once an interval, so either page may be one behind.
        assert passed / INTERVAL - 2 <= gathers <= passed / INTERVAL + 2
        assert _about(after, "gathers_missed_total", node) == 0
        assert _errors(after, node) == _errors(before, node)
        head = "chain_head_block_number"
        assert _curated(after, head, node) - _curated(before, head, node) >= passed / PERIOD / 2
    return after


def _asked(node: Node) -> dict[str, float]:
    """Ask a node itself; none of these figures ever falls while the network is left alone."""
    head = node.web3.eth.get_block("latest")
    metrics = node.metrics()
    return {
        "head": head["number"],
        "timestamp": head["timestamp"],
        "peers": node.web3.net.peer_count,
        "signers": len(node.ask("clique_getSigners")),
        "inserts": metrics["chain/inserts.count"],
        "ingress": metrics["p2p/ingress.count"],
    }


def _curated(page: Page, name: str, node: Node) -> float:
    return page.value(name, chain="lab", node=node.name, role=node.role)


def _raw(page: Page, name: str, node: Node) -> float:
    where = {"server": "127.0.0.1", "port": str(node.port)}
    return page.value(name, chain="lab", node=node.name, role=node.role, **where)


def _about(page: Page, field: str, node: Node) -> float:
    return page.value(f"chainwatch_{field}", chain="lab", node=node.name)


def _errors(page: Page, node: Node) -> float:
    """Return how often something went wrong between collector and node.

    What the node itself answers with is no part of that: now and then geth's clique_status fails while a block comes in
    ("recovery failed").
    """
    name, of = "chainwatch_gather_errors_total", {"chain": "lab", "node": node.name}
    return sum(page.values(name, **of)) - sum(page.values(name, **of, kind="rpc"))
