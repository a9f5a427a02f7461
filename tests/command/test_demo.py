"""The demo: two chains that move, a page that shows every node, and faults that show on it."""

from __future__ import annotations

import re
import socket
import time
from pathlib import Path
from signal import SIGINT

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

        html = fetch(f"http://{address}/").text
        assert all(f"<td>{name}<td>" in html for name in names)
        assert f"{len(names)} of {len(names)} nodes answer" in html

        fetch(f"{control}nodes/worker-1/faults/down", data=b"")
        wait_for(lambda: scraped(address).values("chain_node_up", node="worker-1") == [0], "it shows", 2.6)
        assert "does not answer" in fetch(f"http://{address}/").text

        wait_for(lambda: head(address, "ethereum-demo") > first["ethereum-demo"], "a block", 6)
        assert head(address, "nodeos-demo") > first["nodeos-demo"]
        assert demo.stop(SIGINT) == 0
    assert "ERROR" not in demo.stderr
    folder = re.findall(r"configuration is (\S+)/demo.yaml", demo.stdout)[0]
    assert not Path(folder).exists()


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
