"""Headers are sealed as Clique seals them: whoever recovers the sealer from a header finds who sealed it."""

from __future__ import annotations

import json
from typing import Any

import pytest
import rlp  # type: ignore[import-untyped]
from eth_hash.auto import keccak
from eth_keys.datatypes import Signature

from compose.simulated import SimulatedCluster, seals
from compose.simulated.seals import address_of
from tests.helpers import run
from tests.simulated.asking import SAMPLES, Clock, asking, result

NAMES = [
    "parentHash",
    "sha3Uncles",
    "miner",
    "stateRoot",
    "transactionsRoot",
    "receiptsRoot",
    "logsBloom",
    "difficulty",
    "number",
    "gasLimit",
    "gasUsed",
    "timestamp",
    "extraData",
    "mixHash",
    "nonce",
    "baseFeePerGas",
]
NUMBERS = {"difficulty", "number", "gasLimit", "gasUsed", "timestamp", "baseFeePerGas"}


def recovered(header: dict[str, Any]) -> str:
    """Return who signed a header, as go-ethereum finds out."""
    extra = bytes.fromhex(header["extraData"][2:])
    unsealed = {**header, "extraData": "0x" + extra[:-65].hex()}
    fields = [
        int(unsealed[name], 16) if name in NUMBERS else bytes.fromhex(unsealed[name][2:])
        for name in NAMES
        if name in unsealed
    ]
    signed = Signature(extra[-65:]).recover_public_key_from_msg_hash(keccak(rlp.encode(fields)))
    return str(signed.to_address())


@pytest.mark.parametrize("version", ["1.8.27", "1.10.26"])
def test_so_do_real_headers(version: str) -> None:
    header, signers = (
        json.loads((SAMPLES / "geth" / f"v{version}_{method}.json").read_bytes())["response"]["result"]
        for method in ("eth_getBlockByNumber_latest_false", "clique_getSigners")
    )
    assert recovered(header) in signers


@pytest.mark.parametrize("load", [0.0, 1.0, 50.0])
def test_a_header_names_its_sealer(load: float) -> None:
    async def scenario() -> None:
        clock = Clock()
        async with SimulatedCluster(clock=clock, ethereum_load=load) as cluster, asking() as session:
            node = cluster.nodes["newer-1"]
            await cluster.nodes["sealer-2"].fault("down")
            clock.now += 30
            sealers = {address_of(node.chain, f"sealer-{i}") for i in (1, 2, 3)}
            assert list(await result(session, node, "clique_getSigners")) == sorted(sealers)
            head = int(await result(session, node, "eth_blockNumber"), 16)
            found = set()
            for number in (1, 2, head - 1, head):
                header = await result(session, node, "eth_getBlockByNumber", hex(number), False)
                snapshot = await result(session, node, "clique_getSnapshot", hex(number))
                found.add(recovered(header))
                assert recovered(header) == snapshot["recents"][str(number)]
                assert len(header["transactions"]) * 21_000 <= int(header["gasUsed"], 16)
                assert int(header["gasUsed"], 16) <= int(header["gasLimit"], 16)
                assert bool(load) or not header["transactions"]
            assert found <= sealers
            await cluster.nodes["client-1"].fault("fork", depth=1)
            other = await result(session, cluster.nodes["client-1"], "eth_getBlockByNumber", hex(head), False)
            assert other["hash"] != header["hash"]
            assert recovered(other) == recovered(header), "sealed in the fork's view as well"
            assert other["extraData"] != header["extraData"], (
                "what is sealed differs from the first block of the fork on"
            )

    run(scenario())


def test_a_header_with_a_base_fee_is_sealed_with_it() -> None:
    async def scenario() -> None:
        async with SimulatedCluster(sealers=1, clients=0, newer=0, clock=Clock()) as cluster, asking() as session:
            node = cluster.nodes["sealer-1"]
            old = await result(session, node, "eth_getBlockByNumber", "latest", False)
            assert "baseFeePerGas" not in old
            await node.fault("restart", version="1.10.26")
            new = await result(session, node, "eth_getBlockByNumber", "latest", False)
            assert "baseFeePerGas" in new
            assert recovered(old) == recovered(new) == address_of(node.chain, "sealer-1")

    run(scenario())


def test_signatures_are_remembered_and_bounded() -> None:
    seals.seal.cache_clear()
    first = seals.seal("c", "s", (b"x", 1))
    assert seals.seal("c", "s", (b"x", 1)) is first
    assert seals.seal("c", "s", (b"x", 2)) != first
    assert seals.seal.cache_info().misses == 2
    assert seals.seal.cache_info().maxsize == seals.REMEMBERED
    assert seals.address_of.cache_info().maxsize
    assert seals.key_of.cache_info().maxsize
