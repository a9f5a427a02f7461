"""geth 1.8.27, the last that has `debug_metrics`: what the collector asks it for, and what it pushes."""

from __future__ import annotations

import re
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from compose.identities.ethereum.ensuring import ensure
from compose.options.ethereum.models import Options
from tests.real.cluster import Node, cluster
from tests.real.collecting import Collector, Page, collector
from tests.real.geth import old_geth
from tests.real.servers import fetch, free_port, wait_for

pytestmark = [pytest.mark.real, pytest.mark.slow]

RECORDED = Path(__file__).parents[1] / "cases" / "geth-1.8.27" / "expected.lp"
PERIOD = 1


@dataclass(frozen=True)
class Watched:
    """A network of 1.8.27, the collector that asks all of it, and where its nodes push to."""

    nodes: dict[str, Node]
    collector: Collector
    push: str

    def page(self) -> Page:
        """Scrape the collector."""
        return self.collector.page()

    def pushing(self) -> dict[str, dict[str, Any]]:
        """Return what the stats page tells of the nodes that are connected, by name."""
        told = fetch(f"http://{self.push}/nodes.json").json()["nodes"]
        return {node["name"]: node for node in told if node["state"] == "connected"}

    def connected(self) -> bool:
        """Tell whether every node pushes, and has told of a block."""
        pushing = self.pushing()
        return pushing.keys() == self.nodes.keys() and all(node["head"] for node in pushing.values())


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    """Run two sealers, asked by `debug_metrics`, and a client, asked by its page; all of them push."""
    tmp_path = tmp_path_factory.mktemp("old")
    options = Options.model_validate(
        {"geth": {"version": "1.8.27", "clique_period": PERIOD}, "sealer": {"count": 2}, "client": {"count": 1}}
    )
    identities = ensure(options, tmp_path / "keys", lambda _: None)
    ports = {name: free_port() for name in ("sealer-1", "sealer-2", "client-1", "ethstats")}
    push = f"127.0.0.1:{ports['ethstats']}"
    with cluster(old_geth(), tmp_path, options, identities, ports) as nodes:
        servers = [{"url": node.url, "name": name, "role": name.partition("-")[0]} for name, node in nodes.items()]
        servers[-1]["metrics_url"] = nodes["client-1"].metrics_url
        secret = str(identities.directory / "secrets" / "ethstats")
        chain = {
            "name": "lab",
            "kind": "ethereum",
            "block_period": f"{PERIOD}s",
            "servers": servers,
            "ethstats": {"listen": push, "secret_file": secret},
        }
        with collector(tmp_path, chain) as running:
            found = Watched(nodes, running, push)
            wait_for(found.connected, "every node pushes", within=60)
            yield found


def test_every_figure_of_debug_metrics_has_the_name_that_it_always_had(watched: Watched) -> None:
    """The names are those of the recorded answer. A node that seals has the same ones as any other."""
    recorded = next(line for line in RECORDED.read_text().splitlines() if line.startswith("geth,"))
    expected = {f"geth_{name}" for name in re.findall(r"(?:^|,)(\w+)=", recorded.partition(" ")[2])}
    assert "geth_chain_inserts_percentiles_20" in expected

    for name in ("sealer-1", "sealer-2"):
        text = fetch(watched.collector.url).text
        where = f'node="{name}",port="{watched.nodes[name].port}",role="sealer",server="127.0.0.1"'
        assert set(re.findall(rf'^(geth_\w+){{chain="lab",{where}}}', text, re.MULTILINE)) == expected


def test_figures_are_the_nodes_own(watched: Watched) -> None:
    """Metrics that are switched off are all there and 0: a network that moves would stand still."""
    wait_for(lambda: watched.nodes["client-1"].has_reached(5), "there are blocks")
    for name, node in watched.nodes.items():
        before = _inserts(node)
        page = watched.collector.page_gathered_after(time.time())
        assert 0 < before <= page.value("geth_chain_inserts_overall", node=name) <= _inserts(node)
        assert page.value("geth_p2p_inboundtraffic_overall", node=name) > 0
        assert page.value("geth_chain_inserts_percentiles_50", node=name) > 0
        assert page.value("chain_node_metrics_enabled", node=name) == 1
        assert abs(page.value("chain_head_block_number", node=name) - node.head) <= 2
        assert page.value("chain_clique_signers", node=name) == page.value("chain_peers", node=name) == 2
        assert page.value("chain_node_info", node=name, chain_id="18", network_id="18") == 1
        assert page.values("chainwatch_gather_errors_total", node=name) == []


def test_reports_go_on_without_a_break(watched: Watched) -> None:
    """One comes every 15 s, after a ping. A pong missing, late or doubled would end the connection at the next."""
    wait_for(watched.connected, "every node pushes")
    kind = {"chain": "lab", "kind": "node-ping"}
    logins = watched.page().value("chainwatch_ethstats_logins_total", kind="accepted")
    before = watched.page().value("chainwatch_ethstats_messages_total", **kind)
    said = {name: _complaints(node) for name, node in watched.nodes.items()}  # nothing listened when they started

    def pinged() -> bool:
        return watched.page().value("chainwatch_ethstats_messages_total", **kind) >= before + 2 * len(watched.nodes)

    wait_for(pinged, "each node pings twice more", within=45, every=0.5)
    assert watched.connected()
    page = watched.page()
    assert page.value("chainwatch_ethstats_logins_total", kind="accepted") == logins
    assert page.values("ethstats_unreadable_total") == []
    for name, node in watched.nodes.items():
        head = page.value("ethstats_head_block_number", node=name)
        assert abs(head - page.value("chain_head_block_number", node=name)) <= 2
        assert page.value("ethstats_peers", node=name) == 2
        assert abs(page.value("ethstats_clock_skew_seconds", node=name)) < 0.5
        assert 0 <= page.value("ethstats_latency_seconds", node=name) < 0.5
        assert _complaints(node) == said[name]


def test_kill_and_start_is_one_restart(watched: Watched) -> None:
    labels = {"node": "client-1", "role": "client"}
    node = watched.nodes["client-1"]
    before = watched.page().value("ethstats_process_start_time_seconds", **labels)
    assert watched.page().value("ethstats_restarts_total", **labels) == 0
    time.sleep(max(0.0, 7 - (time.time() - before)))  # two starts within five seconds count as one
    node.process.signal(signal.SIGKILL)
    wait_for(lambda: "client-1" not in watched.pushing(), "it is gone")
    node.process.stop()
    node.start()
    wait_for(watched.connected, "it is back", within=60)
    wait_for(lambda: watched.page().value("ethstats_restarts_total", **labels) == 1, "the restart is told")
    assert before + 5 < watched.page().value("ethstats_process_start_time_seconds", **labels) < time.time()
    assert watched.page().value("ethstats_identity_conflicts", **labels) == 0
    head = watched.nodes["sealer-1"].head
    wait_for(lambda: node.has_reached(head), "and follows the chain", within=60)


def _inserts(node: Node) -> float:
    """Return how many blocks a node says that it has inserted; its page has the same figures."""
    return float(fetch(node.metrics_url).json()["chain/inserts.count"])


def _complaints(node: Node) -> list[str]:
    """Return what a node says against the server that it pushes to."""
    return re.findall(r".*[Ss]tats.*(?:failed|unreachable|not responding|Unknown).*", node.process.log.read_text())
