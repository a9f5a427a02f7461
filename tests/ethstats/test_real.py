"""A real geth pushes to the collector: with a scheme in its URL and without, and after kill -9."""

from __future__ import annotations

import json
import math
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import pytest

from tests.real.collecting import Collector, collector
from tests.real.servers import fetch, free_port, wait_for

pytestmark = [pytest.mark.real, pytest.mark.slow]

SECRET = "s3cret@both"
"""No colon: from 1.10.4 on geth takes what is before the last one for the name."""


@dataclass(frozen=True)
class Pushing:
    """Two nodes that push, a collector that polls the first of them, and where its page of nodes is."""

    sealer: Any
    client: Any
    collector: Collector
    push: str

    def nodes(self) -> dict[str, dict[str, Any]]:
        """Return what the page tells of each node."""
        told = fetch(f"http://{self.push}/lab/nodes.json").json()
        return {node["name"]: node for node in told["nodes"]}


@pytest.fixture(scope="module")
def pushing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pushing]:
    """Run a sealer, whose URL has a scheme, and a client, whose URL has none; they are no peers."""
    from eth_account import Account  # noqa: PLC0415 - it takes a second, and only these tests need it

    from tests.real.geth import Node, genesis, geth  # noqa: PLC0415

    binary = geth()
    folder = tmp_path_factory.mktemp("pushing")
    account = Account.create()
    push = f"127.0.0.1:{free_port()}"
    with ExitStack() as stack:
        nodes = []
        for name, sealer, scheme in (("sealer-1", account, "ws://"), ("client ü", None, "")):
            data = folder / name
            data.mkdir()
            (data / "genesis.json").write_text(json.dumps(genesis([account.address])))
            argv = [binary, "init", "--datadir", str(data), str(data / "genesis.json")]
            subprocess.run(argv, check=True, capture_output=True, timeout=60)
            node = Node(binary, data, name, sealer)
            node.process.argv += ["--ethstats", f"{name}:{SECRET}@{scheme}{push}/lab"]
            stack.callback(node.close)
            nodes.append(node)
        polled = {"url": nodes[0].url, "name": "sealer-1", "role": "sealer"}
        settings = {
            "name": "lab",
            "kind": "ethereum",
            "metrics": [],
            "servers": [polled],
            "ethstats": {
                "listen": push,
                "path": "/lab",
                "groups": [{"name": "g", "role": "client", "secrets": [SECRET]}],
            },
        }
        collecting = stack.enter_context(collector(folder, settings))
        for node in nodes:
            node.start()
        yield Pushing(nodes[0], nodes[1], collecting, push)


def value(pushing: Pushing, name: str, **labels: str) -> float:
    """Return the value of a series, NaN where there is none yet."""
    found = pushing.collector.page().values(name, **labels)
    assert len(found) < 2
    return found[0] if found else math.nan


def test_a_node_with_a_scheme_tells_of_every_block(pushing: Pushing) -> None:
    wait_for(lambda: value(pushing, "ethstats_head_block_number", node="sealer-1") > 3, "heads come")
    labels = {"node": "sealer-1", "role": "sealer", "chain": "lab"}
    page = pushing.collector.page()
    head = page.value("ethstats_head_block_number", **labels)
    assert abs(head - page.value("chain_head_block_number", **labels)) <= 2
    assert page.value("chain_node_up", **labels) == 1
    assert page.value("ethstats_connected", **labels) == 1
    assert page.value("ethstats_peers", **labels) == 0
    assert abs(page.value("ethstats_clock_skew_seconds", **labels)) < 0.5
    assert page.value("ethstats_head_arrival_delay_seconds", **labels) == 0
    sealer = pushing.sealer.account.address.lower()
    assert page.value("ethstats_sealer_blocks_total", chain="lab", sealer=sealer) >= 3
    assert page.value("ethstats_sealer_in_turn_blocks_total", chain="lab", sealer=sealer) >= 3
    assert page.values("ethstats_unreadable_total") == []


def test_a_node_without_a_scheme_tries_tls_first_and_comes_in(pushing: Pushing) -> None:
    wait_for(lambda: value(pushing, "ethstats_connected", node="client ü") == 1, "it is connected", within=30)
    page = pushing.collector.page()
    labels = {"node": "client ü", "role": "client", "chain": "lab"}
    wait_for(lambda: value(pushing, "chain_head_block_number", **labels) == 0, "it tells of its genesis")
    assert page.value("chain_node_info", network_id="1337", **labels) == 1
    assert page.value("chainwatch_ethstats_refused_connections_total", kind="tls") >= 1
    assert pushing.nodes()["client ü"]["version"].startswith("Geth/v1.13.15")
    said = pushing.collector.process.said(1_000).splitlines()
    assert [line for line in said if "WARNING" in line and "ethstats" in line] == []


def test_a_report_every_15_s_goes_on_without_a_break(pushing: Pushing) -> None:
    """A pong missing, late or doubled would end the connection within 20 s."""
    wait_for(lambda: "latency_seconds" in pushing.nodes().get("sealer-1", {}), "it is there")
    before = value(pushing, "chainwatch_ethstats_messages_total", chain="lab", kind="node-ping")
    wait_for(
        lambda: value(pushing, "chainwatch_ethstats_messages_total", chain="lab", kind="node-ping") >= before + 4,
        "both nodes ping twice more",
        within=45,
        every=0.5,
    )
    for node in (pushing.sealer, pushing.client):
        assert "pinger seems to have died" not in node.process.said(1_000)
        assert "ping timed out" not in node.process.said(1_000)
    assert value(pushing, "chainwatch_ethstats_logins_total", chain="lab", kind="accepted") == 2
    assert pushing.nodes()["sealer-1"]["latency_seconds"] < 0.5


def test_kill_and_start_is_one_restart(pushing: Pushing) -> None:
    labels = {"node": "sealer-1", "role": "sealer"}
    wait_for(lambda: value(pushing, "ethstats_process_start_time_seconds", **labels) > 0, "its start is known")
    before = value(pushing, "ethstats_process_start_time_seconds", **labels)
    assert abs(time.time() - before) < 300
    assert value(pushing, "ethstats_restarts_total", **labels) == 0
    time.sleep(max(0.0, 7 - (time.time() - before)))  # two starts within five seconds count as one
    pushing.sealer.process.signal(signal.SIGKILL)
    wait_for(lambda: value(pushing, "ethstats_connected", **labels) == 0, "it is gone")
    pushing.sealer.stop()
    pushing.sealer.start()
    wait_for(lambda: value(pushing, "ethstats_connected", **labels) == 1, "it is back")
    wait_for(lambda: value(pushing, "ethstats_restarts_total", **labels) == 1, "the restart is told")
    after = value(pushing, "ethstats_process_start_time_seconds", **labels)
    assert before + 5 < after < time.time()
    assert value(pushing, "ethstats_identity_conflicts", **labels) == 0
