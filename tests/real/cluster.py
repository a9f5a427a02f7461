"""A cluster's nodes as its containers run them, but on loopback: real geth, with the keys that were made for them."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from compose.identities.ethereum.configs import ETHSTATS_URL
from compose.identities.ethereum.reading import Identities, Identity
from compose.options.ethereum.cluster import Node as Planned
from compose.options.ethereum.cluster import nodes
from compose.options.ethereum.models import Options
from compose.options.values import line_of
from compose.rendering.ethereum.geth import NEW_NAMES
from tests.real.servers import Process, answers, fetch, free_port, wait_for

Ports = dict[str, int]


class Node:
    """One geth with its own keys, in a folder of its own. An old one, 1.8, has its own words for the same."""

    def __init__(self, binary: str, folder: Path, argv: list[str], *, old: bool = False) -> None:
        self.folder = folder
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.metrics_url = f"http://127.0.0.1:{(metrics_port := free_port())}/debug/metrics"
        modules = "eth,net,web3,txpool,clique,admin"
        argv = [binary, *argv, "--nat", "none", "--ipcdisable", "--cache", "64", "--metrics"]
        if old:
            argv += ["--rpc", "--rpcaddr", "127.0.0.1", "--rpcport", str(self.port), "--rpcapi", f"{modules},debug"]
            argv += ["--pprof", "--pprofaddr", "127.0.0.1", "--pprofport", str(metrics_port)]
        else:
            argv += ["--http", "--http.addr", "127.0.0.1", "--http.port", str(self.port), "--http.api", modules]
            argv += ["--metrics.addr", "127.0.0.1", "--metrics.port", str(metrics_port)]
            argv += ["--authrpc.port", str(free_port())]
        self.process = Process(argv, folder / "log")

    def start(self) -> None:
        """Start it and wait until it answers."""
        self.process.start(lambda: answers(self.url))

    def ask(self, method: str, *params: object) -> Any:  # noqa: ANN401 - JSON is anything
        """Call a method of its JSON-RPC. Raises AssertionError where it answers with an error."""
        data = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).encode()
        answer = fetch(self.url, data, {"Content-Type": "application/json"}).json()
        assert "result" in answer, answer
        return answer["result"]

    @property
    def head(self) -> int:
        """The number of its head block."""
        return int(self.ask("eth_blockNumber"), 16)

    def has_reached(self, number: int) -> bool:
        """Tell whether its head is at this block, or beyond."""
        return self.head >= number


def is_old(options: Options) -> bool:
    """Tell whether the options' geth is an old one."""
    return line_of(options.geth.version) < NEW_NAMES


def located(config: str, ports: Ports) -> str:
    """Return a configuration of geth with addresses in the place of names, as the start script makes it.

    The stats page is where the port `ethstats` says, and nowhere if it doesn't.
    """
    config = config.replace(ETHSTATS_URL, f"ws://127.0.0.1:{ports.get('ethstats', 9)}")
    config = re.sub(r'"enode://\w+@boot-[^"]*",', "", config)
    return re.sub(r"@((?:sealer|client)-\d+):\d+", lambda found: f"@127.0.0.1:{ports[found[1]]}", config)


@contextmanager
def cluster(
    binary: str, tmp_path: Path, options: Options, identities: Identities, ports: Ports | None = None
) -> Iterator[dict[str, Node]]:
    """Run all nodes of the options for as long as the block lasts, from when each has all the others as peers."""
    planned = nodes(options)
    ports = ports or {node.name: free_port() for node in planned}
    running: dict[str, Node] = {}
    try:
        for node in planned:
            folder = tmp_path / "data" / node.name
            running[node.name] = _prepared(
                binary, folder, options=options, node=node, identities=identities, ports=ports
            )
            running[node.name].start()
        for name, started in running.items():
            wait_for(lambda started=started: _peers(started) == len(planned) - 1, f"{name} has its peers")  # type: ignore[misc]
        yield running
    finally:
        for started in running.values():
            started.process.stop()


def run_commands(readme: str) -> list[list[str]]:
    """Return the commands of a document: those in its first block for a shell."""
    block = re.search(r"```sh\n(.*?)```", readme, re.DOTALL)
    assert block
    return [shlex.split(line) for line in block[1].splitlines()]


def _peers(node: Node) -> int:
    return int(node.ask("net_peerCount"), 16)


def _prepared(
    binary: str, folder: Path, *, options: Options, node: Planned, identities: Identities, ports: Ports
) -> Node:
    old = is_old(options)
    keys = identities.directory / node.name
    identity: Identity = identities.nodes[node.name]
    folder.mkdir(parents=True)
    genesis = identities.directory / "chain/genesis.json"
    subprocess.run([binary, "--datadir", folder, "init", genesis], check=True, capture_output=True, timeout=60)
    (folder / "config.toml").write_text(located((keys / "config.toml").read_text(), ports))
    argv = ["--datadir", folder, "--config", folder / "config.toml", "--nodekey", keys / "nodekey"]
    argv += ["--networkid", options.geth.network_id, "--syncmode", "full", "--port", ports[node.name]]
    argv += ["--nodiscover", "--netrestrict", "127.0.0.0/8"]
    if identity.address:
        shutil.copytree(keys / "keystore", folder / "keystore", dirs_exist_ok=True)
        argv += ["--unlock", identity.address, "--password", keys / "password"]
        argv += [] if old else ["--allow-insecure-unlock"]
    if node.role == "sealer":
        assert identity.address
        argv += ["--mine", "--miner.etherbase", identity.address]
    return Node(binary, folder, [str(part) for part in argv], old=old)
