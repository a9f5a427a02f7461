"""The load of transfers on a real chain."""

from __future__ import annotations

import re
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from compose.identities.ethereum.ensuring import ensure
from compose.identities.ethereum.genesis import ACCOUNT_FUNDS
from compose.identities.ethereum.reading import Identities
from compose.options.ethereum.models import Options
from tests.real.cluster import Node, cluster
from tests.real.geth import geth
from tests.real.servers import Process, wait_for

pytestmark = pytest.mark.real

RATE = 8.0


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Identities, dict[str, Node]]]:
    """Run a sealer and two clients."""
    tmp_path = tmp_path_factory.mktemp("transfers")
    options = Options.model_validate({"geth": {"clique_period": 1}, "sealer": {"count": 1}, "client": {"count": 2}})
    identities = ensure(options, tmp_path / "keys", lambda _: None)
    with cluster(geth(), tmp_path, options, identities) as started:
        yield identities, started


@contextmanager
def load(identities: Identities, nodes: list[Node], tmp_path: Path) -> Iterator[Process]:
    """Run the load for as long as the block lasts, from when it has sent something; it ends at SIGTERM."""
    argv = [sys.executable, "-m", "compose.transfers", "--keys", str(identities.directory), "--rate", f"{RATE:g}"]
    for node in nodes:
        argv += ["--url", node.url]
    process = Process(argv, tmp_path / f"load-{time.monotonic_ns()}")
    process.start(lambda: "transfers a second" in process.said())
    try:
        yield process
        before = time.monotonic()
        process.signal(signal.SIGTERM)
        wait_for(lambda: not process.running, "the load is over", within=5, every=0.01)
        assert time.monotonic() - before < 4
        assert process.stop() == 0
    finally:
        process.stop()


def counted(process: Process) -> tuple[int, int, int]:
    """Return what the load's last line says that it has sent, and what was accepted and failed of it."""
    *_, last = re.finditer(r"sent (\d+), accepted (\d+), failed (\d+)", process.said())
    sent, accepted, failed = map(int, last.groups())
    return sent, accepted, failed


def transactions(node: Node, first: int, last: int) -> list[dict[str, str]]:
    """Return the transactions in these blocks, in their order."""
    return [
        transaction
        for number in range(first, last + 1)
        for transaction in node.ask("eth_getBlockByNumber", hex(number), True)["transactions"]
    ]


def total(identities: Identities, node: Node, number: int) -> int:
    """Return what all accounts have together after a block."""
    addresses = [identity.address for identity in identities.nodes.values() if identity.address]
    return sum(int(node.ask("eth_getBalance", address, hex(number)), 16) for address in addresses)


def burnt(node: Node, last: int) -> int:
    """Return what was burnt as base fees until this block."""
    blocks = [node.ask("eth_getBlockByNumber", hex(number), False) for number in range(1, last + 1)]
    return sum(int(block["baseFeePerGas"], 16) * int(block["gasUsed"], 16) for block in blocks)


def settled(node: Node) -> int:
    """Wait until no transaction waits, and return the number of the head block."""
    wait_for(lambda: set(node.ask("txpool_status").values()) == {"0x0"}, "the pool is empty")
    return node.head


def test_transfers_go_into_blocks_and_nothing_is_lost(
    running: tuple[Identities, dict[str, Node]], tmp_path: Path
) -> None:
    identities, started = running
    clients = [started["client-1"], started["client-2"]]
    node, first = clients[0], clients[0].head + 1
    with load(identities, clients, tmp_path) as process:
        begun = time.monotonic()
        wait_for(lambda: int(node.ask("txpool_status")["pending"], 16), "the pool moves")
        wait_for(lambda: len(transactions(node, first, node.head)) >= 60, "sixty transfers are in blocks", within=60)
        seconds = time.monotonic() - begun
    last = settled(node)
    found = transactions(node, first, last)
    sent, accepted, failed = counted(process)
    assert failed == 0, process.said()
    assert accepted == sent == len(found)
    assert 0.6 * RATE < len(found) / seconds < 1.3 * RATE
    for sender in {it["from"] for it in found}:
        nonces = [int(it["nonce"], 16) for it in found if it["from"] == sender]
        assert nonces == list(range(len(nonces)))
    assert total(identities, node, last) == 3 * ACCOUNT_FUNDS - burnt(node, last)


def test_a_load_that_starts_again_goes_on_where_it_was(
    running: tuple[Identities, dict[str, Node]], tmp_path: Path
) -> None:
    identities, started = running
    node = started["client-1"]
    for _ in range(2):
        first = node.head + 1
        with load(identities, [node], tmp_path) as process:
            wait_for(lambda first=first: len(transactions(node, first, node.head)) > 10, "transfers", within=60)  # type: ignore[misc]
        assert counted(process)[2] == 0, process.said()
    last = settled(node)
    assert total(identities, node, last) == 3 * ACCOUNT_FUNDS - burnt(node, last)


def test_a_node_that_is_down_stops_nothing(running: tuple[Identities, dict[str, Node]], tmp_path: Path) -> None:
    identities, started = running
    staying, leaving = started["client-1"], started["client-2"]
    with load(identities, [staying, leaving], tmp_path) as process:
        first = staying.head + 1
        wait_for(lambda: len(transactions(staying, first, staying.head)) > 10, "transfers", within=60)
        leaving.process.stop()
        first = staying.head + 1
        wait_for(lambda: len(transactions(staying, first, staying.head)) > 40, "transfers without it", within=60)
        leaving.start()
        wait_for(lambda: "answers again" in process.said(), "it is used again", within=60)
    said = process.said()
    assert said.count(f"{leaving.url}: no answer") == 1, said
    last = settled(staying)
    assert total(identities, staying, last) == 3 * ACCOUNT_FUNDS - burnt(staying, last)
