"""A private Clique network of real geth nodes on loopback: two sealers and a client, a block every second.

geth 1.13.15 is the last version that seals. It is `geth` in PATH, or where CHAINWATCH_GETH points to. The last that has
`debug_metrics` is 1.8.27: where CHAINWATCH_OLD_GETH points to, or what geth-1.8.27/build.sh has built.
"""

from __future__ import annotations

import ipaddress
import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import requests
from eth_account import Account
from eth_account.signers.local import LocalAccount
from web3 import HTTPProvider, Web3
from web3.middleware import ExtraDataToPOAMiddleware
from web3.types import RPCEndpoint

from tests.real.servers import Process, answers, fetch, free_port, require, unavailable, wait_for

CHAIN_ID = 1337
PERIOD = 1
PASSWORD = "on loopback only"
LOOPBACK = "127.0.0.1"


def geth() -> str:
    """Return the path of a geth that can seal; skip or fail the test where there is none."""
    binary = require("geth")
    told = subprocess.run([binary, "version"], capture_output=True, text=True, timeout=30, check=True).stdout
    version = re.search(r"^Version: (\d+)\.(\d+)", told, re.MULTILINE)
    if version is None or not (1, 10) <= (int(version[1]), int(version[2])) < (1, 14):
        unavailable(f"{binary} is no version that seals a Clique chain: {version and version[0]}")
    return binary


def old_geth() -> str:
    """Return the path of a geth 1.8.27; skip or fail the test where there is none."""
    kept = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "chainwatch" / "bin" / "geth-1.8.27"
    named = os.environ.get("CHAINWATCH_OLD_GETH") or str(kept / "geth")
    binary = shutil.which(named) or unavailable(f"no {named}: {Path(__file__).parent}/geth-1.8.27/build.sh makes it")
    told = subprocess.run([binary, "version"], capture_output=True, text=True, timeout=30, check=True).stdout
    if "Version: 1.8.27-stable" not in told:
        unavailable(f"{binary} is another version")
    return binary


def genesis(signers: list[str]) -> dict[str, Any]:
    """Return the genesis of a Clique chain with these signers, each with funds."""
    forks = ("homestead", "eip150", "eip155", "eip158", "byzantium", "constantinople", "petersburg", "istanbul")
    ascending = sorted(signer.removeprefix("0x").lower() for signer in signers)
    return {
        "config": {
            "chainId": CHAIN_ID,
            **{f"{fork}Block": 0 for fork in (*forks, "berlin", "london")},
            "clique": {"period": PERIOD, "epoch": 30_000},
        },
        "difficulty": "0x1",
        "gasLimit": "0x1c9c380",
        "extraData": "0x" + "00" * 32 + "".join(ascending) + "00" * 65,
        "alloc": {signer: {"balance": hex(10**24)} for signer in ascending},
    }


class Node:
    """One geth, at its own ports from first to last. A sealer has an account.

    It answers at the address `host`, and has its peers know it by `known_as`.
    """

    def __init__(
        self,
        binary: str,
        folder: Path,
        name: str,
        account: LocalAccount | None,
        *,
        host: str = LOOPBACK,
        known_as: str = LOOPBACK,
    ) -> None:
        self.name = name
        self.role = "sealer" if account else "client"
        self.account = account
        self.port = free_port()
        self.url = f"http://{host}:{self.port}"
        metrics_port = free_port()
        self.metrics_url = f"http://{host}:{metrics_port}/debug/metrics"
        network = ipaddress.ip_network(f"{known_as}/8", strict=False)
        nat = "none" if known_as == LOOPBACK else f"extip:{known_as}"
        argv = [binary, "--datadir", folder, "--networkid", CHAIN_ID, "--syncmode", "full", "--cache", 64]
        argv += ["--port", free_port(), "--nat", nat, "--nodiscover", "--netrestrict", network]
        argv += ["--authrpc.port", free_port(), "--ipcdisable"]
        argv += ["--http", "--http.addr", host, "--http.port", self.port, "--http.vhosts", "*"]
        argv += ["--http.api", "eth,net,web3,txpool,debug,admin,clique"]
        argv += ["--metrics", "--metrics.addr", host, "--metrics.port", metrics_port]
        if account:
            (folder / "password").write_text(PASSWORD)
            # One round: the key guards nothing, and the node is to unlock it at once.
            (folder / "keystore").mkdir(exist_ok=True)
            sealed = Account.encrypt(account.key, PASSWORD, kdf="pbkdf2", iterations=1)
            (folder / "keystore" / "key.json").write_text(json.dumps(sealed))
            argv += ["--mine", "--miner.etherbase", account.address, "--allow-insecure-unlock"]
            argv += ["--unlock", account.address, "--password", folder / "password"]
        self.process = Process([str(part) for part in argv], folder / "log")
        self._session = requests.Session()
        self._session.trust_env = False  # proxies of the environment are no way to loopback

    def start(self) -> None:
        """Start it and wait until it answers."""
        self.process.start(lambda: answers(self.metrics_url) and self.web3.is_connected())

    def stop(self) -> None:
        """End it."""
        self.process.stop()

    @cached_property
    def web3(self) -> Web3:
        """Asks the node by its JSON-RPC."""
        web3 = Web3(HTTPProvider(self.url, request_kwargs={"timeout": 5}, session=self._session))
        web3.middleware_onion.inject(ExtraDataToPOAMiddleware, layer=0)
        return web3

    def ask(self, method: str, *params: object) -> Any:  # noqa: ANN401 - JSON is anything
        """Call any method of its JSON-RPC. Raises AssertionError where it answers with an error."""
        answer = self.web3.provider.make_request(RPCEndpoint(method), list(params))
        assert "result" in answer, answer
        return answer["result"]

    def has_reached(self, number: int) -> bool:
        """Tell whether its head is at this block, or beyond."""
        return self.web3.eth.block_number >= number

    def metrics(self) -> dict[str, Any]:
        """Return what it says at /debug/metrics."""
        found: dict[str, Any] = fetch(self.metrics_url).json()
        return found

    def close(self) -> None:
        """End it and let go of the connection to it."""
        self.stop()
        self._session.close()


@dataclass(frozen=True)
class Network:
    """The nodes of one chain."""

    sealers: list[Node]
    client: Node

    @property
    def nodes(self) -> list[Node]:
        """All of them."""
        return [*self.sealers, self.client]

    def as_configured(self) -> dict[str, Any]:
        """Return the chain `lab` as the collector's configuration has it."""
        servers = [
            {"url": node.url, "name": node.name, "role": node.role, "metrics_url": node.metrics_url}
            for node in self.nodes
        ]
        return {"name": "lab", "kind": "ethereum", "block_period": f"{PERIOD}s", "servers": servers}

    def connect(self, node: Node) -> None:
        """Make a node that has just started and the other ones peers, and wait until they are."""
        others = [other for other in self.nodes if other is not node]
        for other in others:
            node.ask("admin_addPeer", other.ask("admin_nodeInfo")["enode"])
        wait_for(lambda: node.web3.net.peer_count == len(others), f"{node.name} has its peers")

    def restore(self, node: Node) -> None:
        """Start a node again where it was stopped, and wait until it is in step with the others."""
        if not node.process.running:
            node.start()
        self.connect(node)
        head = max(other.web3.eth.block_number for other in self.nodes)
        wait_for(partial(node.has_reached, head), f"{node.name} is in step")


def prepare(binary: str, tmp_path: Path, names: Sequence[str], accounts: Sequence[LocalAccount]) -> None:
    """Make a folder for each of these nodes, with the genesis of a chain that the accounts seal."""
    first = tmp_path / names[0]
    first.mkdir()
    (first / "genesis.json").write_text(json.dumps(genesis([account.address for account in accounts])))
    subprocess.run(
        [binary, "init", "--datadir", first, first / "genesis.json"], check=True, capture_output=True, timeout=60
    )
    (first / "geth" / "nodekey").unlink()  # each node makes its own
    for name in names[1:]:
        shutil.copytree(first, tmp_path / name)


@contextmanager
def clique(tmp_path: Path) -> Iterator[Network]:
    """Run a network for as long as the block lasts, from when every node has its peers and every head moves."""
    binary = geth()
    accounts = [Account.create() for _ in range(2)]
    prepare(binary, tmp_path, ("sealer-1", "sealer-2", "client"), accounts)
    with ExitStack() as stack:
        nodes = []
        for name, account in zip(("sealer-1", "sealer-2", "client"), (*accounts, None), strict=True):
            node = Node(binary, tmp_path / name, name, account)
            stack.callback(node.close)
            nodes.append(node)
            node.start()
        network = Network(nodes[:2], nodes[2])
        for node in nodes:
            network.connect(node)
        for node in nodes:
            wait_for(partial(node.has_reached, 3), f"{node.name} follows the chain", within=60)
        yield network
