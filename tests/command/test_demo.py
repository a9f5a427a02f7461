"""The demo: two chains that move, a page that shows every node, and faults that show on it."""

from __future__ import annotations

import re
import socket
import time
import urllib.request
from pathlib import Path
from signal import SIGINT

import pytest

from tests.command.processes import free_address, running, scraped, seen
from tests.real.servers import fetch, wait_for


def test_the_demo(tmp_path: Path) -> None:
    address = free_address()
    with running(tmp_path, "demo", "--listen", address) as demo:
        wait_for(lambda: "Ctrl-C ends the demo" in demo.stdout, "where to look")
        assert f"http://{address}/ " in demo.stdout
        assert f"http://{address}/metrics " in demo.stdout
        control = re.findall(r"GET (\S+) names all nodes", demo.stdout)[0]
        nodes = fetch(control).json()["nodes"]
        names = {node["name"] for node in nodes}
        seen(address, "chain_node_up", node="worker-1")
        wait_for(lambda: len(scraped(address).values("chain_node_up")) == len(names), "every node")
        first = {chain: head(address, chain) for chain in ("ethereum-demo", "nodeos-demo")}

        assert "<title>chainwatch</title>" in fetch(f"http://{address}/").text
        wait_for(lambda: states(address) == dict.fromkeys(names, "up"), "every node on the page")

        fetch(f"{control}nodes/worker-1/faults/down", data=b"")
        wait_for(lambda: scraped(address).values("chain_node_up", node="worker-1") == [0], "it shows", 2.6)
        wait_for(lambda: states(address) == dict.fromkeys(names, "up") | {"worker-1": "down"}, "the page, too", 5)

        wait_for(lambda: head(address, "ethereum-demo") > first["ethereum-demo"], "a block", 6)
        assert head(address, "nodeos-demo") > first["nodeos-demo"]
        assert demo.stop(SIGINT) == 0
    assert "ERROR" not in demo.stderr
    folder = re.findall(r"configuration is (\S+)/demo.yaml", demo.stdout)[0]
    assert not Path(folder).exists()


@pytest.mark.slow
def test_what_it_invites_to_is_told_on_the_page(tmp_path: Path) -> None:
    address = free_address()
    with running(tmp_path, "demo", "--listen", address) as demo:
        wait_for(lambda: "Ctrl-C ends the demo" in demo.stdout, "where to look")
        pushed = re.findall(r"(http://127\S+)/ +what the geth nodes push", demo.stdout)[0]
        assert "<html" in fetch(f"{pushed}/").text
        arrival = "chain_network_arrival_delay_seconds"
        wait_for(lambda: scraped(address).values(arrival, chain="ethereum-demo"), "how blocks spread", 20)

        breaking = re.findall(r"curl -X POST (\S+)(?: -d '(.*)')?", demo.stdout)
        assert len(breaking) == 5
        for url, data in breaking:
            fetch(url, data=data.encode())
        told = {"fork", "network_split", "double_production"}
        wait_for(lambda: told <= signals(address), "what was broken", 40)
        for url in re.findall(r"curl -X DELETE (\S+)", demo.stdout):
            with urllib.request.urlopen(urllib.request.Request(url, method="DELETE"), timeout=5) as answer:
                assert answer.status == 200
        assert demo.stop(SIGINT) == 0


def signals(address: str) -> set[str]:
    """Return the signals that the page tells of."""
    chains = fetch(f"http://{address}/api/state").json()["chains"]
    return {finding["signal"] for chain in chains for finding in chain["findings"]}


def states(address: str) -> dict[str, str]:
    """Return the state of each node as the page has it."""
    chains = fetch(f"http://{address}/api/state").json()["chains"]
    return {node["node"]: node["state"] for chain in chains for node in chain["nodes"]}


def test_it_ends_by_itself(tmp_path: Path) -> None:
    began = time.monotonic()
    with running(tmp_path, "demo", "--duration", "1", "--listen", free_address()) as demo:
        assert demo.ended(within=8.0) == 0
    assert time.monotonic() - began > 1


def head(address: str, chain: str) -> float:
    """Return the highest head block of a chain."""
    return max(scraped(address).values("chain_head_block_number", chain=chain))


def test_an_address_in_use_is_told_in_one_line(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        with running(tmp_path, "demo", "--listen", address) as demo:
            assert demo.ended(within=5.0) == 1
    assert demo.stdout == ""
    (line,) = demo.stderr.splitlines()
    assert f"cannot listen on {address}: " in line
