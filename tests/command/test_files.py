"""Servers from a file that is edited while the collector runs: nodes come and go, and a broken edit breaks nothing."""

from __future__ import annotations

import json
from pathlib import Path

import yaml

from compose.simulated import AnyNode
from tests.command.processes import collector, free_address, page_at, scraped, seen, server, settings
from tests.command.surroundings import Cluster
from tests.real.servers import wait_for


def as_yaml(*nodes: AnyNode) -> str:
    """Return servers in the form of the configuration."""
    return yaml.safe_dump([server(node) for node in nodes])


def as_file_sd(*nodes: AnyNode) -> str:
    """Return servers as Prometheus' file_sd names them."""
    return json.dumps(
        [
            {"targets": [node.url.removeprefix("http://")], "labels": {"node": node.name, "role": node.role}}
            for node in nodes
        ]
    )


def test_servers_from_files(tmp_path: Path, cluster: Cluster) -> None:
    stays, goes, comes = (cluster[node] for node in ("sealer-1", "sealer-2", "newer-1"))
    own, other = tmp_path / "nodes.yaml", tmp_path / "nodes.json"
    own.write_text(as_yaml(stays))
    other.write_text(as_file_sd(goes))
    address = free_address()
    configuration = settings([stays], page_at(address, expire=2))
    configuration["chains"][0]["servers"] = [{"file": own.name}, {"file": other.name}]
    with collector(tmp_path, configuration) as running:
        seen(address, "chain_node_up", node="sealer-2", role="sealer")
        seen(address, "chainwatch_gathers_total", node="sealer-1")
        connections = cluster.connections("sealer-1")

        other.write_text(as_file_sd(comes))
        seen(address, "chain_node_up", node="newer-1")
        wait_for(lambda: scraped(address).values("chain_node_up", node="sealer-2") == [], "it leaves the page", 3)
        own.write_text(as_yaml(stays, goes))
        seen(address, "chain_node_up", node="sealer-2", role="sealer")
        page = scraped(address)
        assert sum(page.values("chainwatch_servers")) == 3
        assert page.values("chainwatch_discovery_errors_total") == [0]

        own.write_text("- {url: ")
        other.write_text("[")
        assert seen(address, "chainwatch_discovery_errors_total", least=2, chain="ethereum-demo") == 2
        for file in (own, other):
            assert f"WARNING ethereum-demo: {file}:1: " in running.stderr
        before = scraped(address).value("chainwatch_gathers_total", node="sealer-1")
        seen(address, "chainwatch_gathers_total", before + 2, node="sealer-1")
        page = scraped(address)
        assert page.values("chain_node_up") == [1, 1, 1]
        assert page.value("chainwatch_discovery_errors_total") == 2
        assert cluster.connections("sealer-1") == connections
        assert running.stop() == 0
