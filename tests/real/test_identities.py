"""What `compose.identities` makes, taken by a real geth: genesis, node keys, accounts, configurations, join bundle."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Iterator
from functools import partial
from itertools import pairwise
from pathlib import Path

import pytest

from compose.identities.ethereum.ensuring import ensure
from compose.identities.ethereum.genesis import ACCOUNT_FUNDS
from compose.identities.ethereum.join import join_bundle
from compose.identities.ethereum.nodekeys import enode
from compose.identities.ethereum.reading import Identities
from compose.options.ethereum.cluster import nodes
from compose.options.ethereum.models import Options
from tests.real.cluster import Node, cluster, is_old, run_commands
from tests.real.geth import geth, old_geth
from tests.real.servers import free_port, wait_for

pytestmark = pytest.mark.real

KNOWN_KEY = "ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80"
KNOWN_ADDRESS = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"
"""The first account of the mnemonic "test test test ... junk", which every development chain has."""

RICH = "0x7E5F4552091A69125d5DfCb7b8C2659029395Bdf"


BINARIES = {"1.13.15": geth, "1.8.27": old_geth}


@pytest.fixture(scope="module", params=BINARIES)
def running(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Options, Identities, dict[str, Node]]]:
    """Run three sealers and a client, the first sealer with a key of its owner's."""
    tmp_path = tmp_path_factory.mktemp("cluster")
    first = consecutive_ports(4)
    options = Options.model_validate(
        {
            "geth": {
                "version": request.param,
                "network_id": 1818,
                "clique_period": 1,
                "advertise": "127.0.0.1",
                "prefund": {RICH: 5},
            },
            "sealer": {"account_privatekeys": KNOWN_KEY, "count": 1},
            "client": {"count": 0},
            "publish": {"p2p": first},
        }
    )
    ensure(options, tmp_path / "keys", lambda _: None)  # so far one sealer; the others get keys of their own
    (tmp_path / "keys" / "chain/genesis.json").unlink()
    sealer = options.sealer.model_copy(update={"count": 3, "account_privatekeys": ()})
    client = options.client.model_copy(update={"count": 1})
    options = options.model_copy(update={"sealer": sealer, "client": client})
    identities = ensure(options, tmp_path / "keys", lambda _: None)
    ports = {node.name: node.p2p_port for node in nodes(options)}
    with cluster(BINARIES[request.param](), tmp_path, options, identities, ports) as started:
        yield options, identities, started


def consecutive_ports(count: int) -> int:
    """Return the first of so many ports in a row that nothing listens on."""
    while True:
        first = free_port()
        try:
            for port in range(first, first + count):
                with socket.socket() as probe:
                    probe.bind(("127.0.0.1", port))
        except OSError:
            continue
        return first


def signer(node: Node, number: int) -> str:
    """Return who sealed a block; geth 1.8 has no clique_getSigner."""
    recents: dict[str, str] = node.ask("clique_getSnapshot", hex(number))["recents"]
    return recents[str(number)]


def test_the_sealers_are_the_signers_and_seal_in_turn(
    running: tuple[Options, Identities, dict[str, Node]],
) -> None:
    _, identities, started = running
    sealers = {str(identities.nodes[f"sealer-{i}"].address).lower() for i in (1, 2, 3)}
    node = started["client-1"]
    assert node.ask("clique_getSigners", "0x0") == sorted(sealers)
    wait_for(partial(node.has_reached, 12), "there are blocks", within=60)

    def of_all() -> list[str]:
        """Return who sealed the last nine blocks, nothing while one of them is still to find the others."""
        found = [signer(node, number) for number in range(node.head - 8, node.head + 1)]
        return found if set(found) == sealers else []

    signers = wait_for(of_all, "each of the three has sealed within nine blocks", within=60, every=1)
    # Of three signers none may seal two blocks in a row.
    assert all(one != other for one, other in pairwise(signers))
    heads = [each.ask("eth_getBlockByNumber", "0x5", False)["hash"] for each in started.values()]
    assert len(set(heads)) == 1


def test_nodes_know_each_other_by_the_ids_that_were_made(
    running: tuple[Options, Identities, dict[str, Node]],
) -> None:
    options, identities, started = running
    for planned in nodes(options):
        told = started[planned.name].ask("admin_nodeInfo")["enode"]
        expected = enode(identities.nodes[planned.name].node_id, "127.0.0.1", planned.p2p_port)
        assert told.split("?")[0] == expected


def test_accounts_have_their_ether(running: tuple[Options, Identities, dict[str, Node]]) -> None:
    _, identities, started = running
    node = started["client-1"]
    funded = {identity.address: ACCOUNT_FUNDS for identity in identities.nodes.values() if identity.address}
    assert len(funded) == 4
    for address, amount in {**funded, RICH: 5}.items():
        assert int(node.ask("eth_getBalance", address, "0x0"), 16) == amount


def test_an_imported_key_has_its_known_address(running: tuple[Options, Identities, dict[str, Node]]) -> None:
    _, identities, started = running
    assert identities.nodes["sealer-1"].address == KNOWN_ADDRESS
    assert started["sealer-1"].ask("eth_accounts") == [KNOWN_ADDRESS.lower()]


def test_accounts_are_unlocked_by_their_password(running: tuple[Options, Identities, dict[str, Node]]) -> None:
    _, identities, started = running
    for name in ("sealer-1", "client-1"):
        own = identities.nodes[name].address
        sent = started[name].ask("eth_sendTransaction", {"from": own, "to": RICH, "value": "0x1", "gas": "0x5208"})
        wait_for(partial(started[name].ask, "eth_getTransactionReceipt", sent), f"{name}'s transfer is in a block")


def test_a_node_joins_by_the_commands_of_the_bundle(
    running: tuple[Options, Identities, dict[str, Node]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options, identities, started = running
    bundle = join_bundle(options, identities)
    for name, text in bundle.items():
        (tmp_path / name).write_text(text)
    monkeypatch.chdir(tmp_path)
    init, run = run_commands(bundle["README.md"])
    binary = BINARIES[options.geth.version]()
    subprocess.run([binary, *init[1:]], check=True, capture_output=True, timeout=60)
    run[run.index("--port") + 1] = str(free_port())
    joined = Node(binary, tmp_path, run[1:], old=is_old(options))
    joined.start()
    try:
        there = started["sealer-1"].head
        wait_for(partial(joined.has_reached, there), "the new node has the chain", within=60)
        wait_for(partial(joined.has_reached, there + 2), "and goes on with it", within=60)
        assert int(joined.ask("net_peerCount"), 16) == len(started)
        genesis = [node.ask("eth_getBlockByNumber", "0x0", False)["hash"] for node in (joined, started["sealer-1"])]
        assert genesis[0] == genesis[1]
    finally:
        joined.process.stop()
