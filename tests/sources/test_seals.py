"""Who sealed a block: recovered from real headers, from any that is signed as Clique does it, and from no other."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest
import rlp  # type: ignore[import-untyped]
from eth_keys.datatypes import PrivateKey
from eth_utils.crypto import keccak
from hypothesis import given, settings
from hypothesis import strategies as st

from collector.sources.ethereum.seals import in_turn, sealer

CASES = Path(__file__).parents[1] / "cases"
RECORDED = {  # by case: who sealed its head, as clique_getSnapshot of the same node listed it among the recent ones
    "geth-1.8.27": "0x57c13be665e8a546f89328807c84b379d6e37dc9",
    "geth-1.10.26": "0x27fb18bc55bdff9ed4cc9389fcc52a5191d812f9",
    "geth-1.13.15": "0x0e714ed93a05fe70a7d3844d0da0e107d6e67d1a",
}


def head(case: str) -> dict[str, Any]:
    """Return the head block of a recorded node."""
    answer = orjson.loads((CASES / case / "answers" / "rpc" / "eth_getBlockByNumber.json").read_bytes())
    block: dict[str, Any] = answer["result"]
    return block


@pytest.mark.parametrize("case", RECORDED)
def test_the_sealer_of_a_recorded_block_is_the_one_that_geth_names(case: str) -> None:
    assert in_turn(head(case)) is True
    assert sealer(head(case)) == RECORDED[case]


HASH = st.binary(min_size=32, max_size=32)
NUMBER = st.integers(0, 2**64 - 1)
HEADERS = st.fixed_dictionaries(
    {
        "parentHash": HASH,
        "sha3Uncles": HASH,
        "miner": st.binary(min_size=20, max_size=20),
        "stateRoot": HASH,
        "transactionsRoot": HASH,
        "receiptsRoot": HASH,
        "logsBloom": st.binary(min_size=1, max_size=3).map(lambda seed: (seed * 256)[:256]),
        "difficulty": st.sampled_from([1, 2]),
        "number": NUMBER,
        "gasLimit": NUMBER,
        "gasUsed": NUMBER,
        "timestamp": NUMBER,
        "extraData": st.binary(min_size=32, max_size=300),
        "mixHash": st.just(bytes(32)),
        "nonce": st.binary(min_size=8, max_size=8),
    },
    optional={"baseFeePerGas": st.integers(0, 2**128)},
)
BEFORE = ["parentHash", "sha3Uncles", "miner", "stateRoot", "transactionsRoot", "receiptsRoot", "logsBloom"]
SIGNED = [*BEFORE, "difficulty", "number", "gasLimit", "gasUsed", "timestamp", "extraData", "mixHash", "nonce"]
KEYS = st.integers(1, 2**64).map(lambda secret: PrivateKey(secret.to_bytes(32, "big")))


def sealed(header: dict[str, Any], key: PrivateKey) -> dict[str, Any]:
    """Return a header as JSON-RPC tells of it, with a seal: encoded by the library that others use."""
    told = [header[name] for name in [*SIGNED, "baseFeePerGas"] if name in header]
    fields = [
        value if isinstance(value, bytes) else value.to_bytes((value.bit_length() + 7) // 8, "big") for value in told
    ]
    seal = key.sign_msg_hash(keccak(rlp.encode(fields))).to_bytes()
    header = {**header, "extraData": header["extraData"] + seal}
    return {name: "0x" + value.hex() if isinstance(value, bytes) else hex(value) for name, value in header.items()}


@settings(max_examples=25)
@given(header=HEADERS, key=KEYS)
def test_whoever_signs_any_header_is_recovered(header: dict[str, Any], key: PrivateKey) -> None:
    told = sealed(header, key)
    assert in_turn(told) is (header["difficulty"] == 2)
    assert sealer(told) == key.public_key.to_address()


ANYTHING = st.none() | st.booleans() | st.integers() | st.text(max_size=80) | st.lists(st.text(max_size=3), max_size=3)


@settings(max_examples=50)
@given(changes=st.dictionaries(st.sampled_from(sorted(head("geth-1.10.26"))), ANYTHING, max_size=4))
def test_no_header_is_an_error(changes: dict[str, Any]) -> None:
    told = head("geth-1.10.26") | changes
    in_turn(told)
    assert isinstance(sealer(told), str)


@pytest.mark.parametrize(
    "change",
    [
        {"withdrawalsRoot": "0x" + 64 * "0"},
        {"parentBeaconBlockRoot": "0x" + 64 * "0"},
        {"extraData": "0x" + 97 * "00"},
        {"extraData": "0x" + 97 * "ff"},
        {"extraData": "0x" + 20_000 * "ff"},
        {"extraData": "0x" + 97 * "0"},
        {"number": "-0x1"},
        {"number": "0x" + 65 * "f"},
        {"miner": "0x00"},
        {"stateRoot": None},
    ],
)
def test_a_header_that_can_not_be_signed_like_this_has_no_sealer(change: dict[str, Any]) -> None:
    assert sealer(head("geth-1.10.26") | change) == ""


@pytest.mark.parametrize("change", [{"mixHash": "0x" + 64 * "1"}, {"difficulty": "0x20000"}, {"extraData": "0x00"}])
def test_other_chains_than_cliques_are_told_apart(change: dict[str, Any]) -> None:
    assert in_turn(head("geth-1.10.26") | change) is None
