"""What is asked of a node by JSON-RPC, and how each answer becomes metrics of the catalogue.

A reader takes a result and returns values by the catalogue's fields; what the node left out is left out. It may raise
LookupError, TypeError, ValueError or AttributeError: the result is then of another form than the method's.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from collector.readings import Value
from collector.remarks import excerpt

Values = dict[str, Value]

_HASH = re.compile(r"0x[0-9a-f]{64}")
_DIGITS = re.compile(r"[0-9]{1,20}")
_ADDRESS = re.compile(r"0x[0-9a-f]{40}")
_LONGEST_QUANTITY = 2 + 64  # "0x" and the digits of 256 bits, the EVM's word

_STATUS_BLOCKS = 64  # that clique_status looks back

MOST_SIGNERS = 200
"""Signers that get series of their own; a Clique network of more is not known."""


def quantity(value: object) -> int | float:
    """Return the number that a hexadecimal string, as JSON-RPC writes them, stands for; beyond 63 bits as a float."""
    if not isinstance(value, str) or not value.startswith("0x") or len(value) > _LONGEST_QUANTITY:
        raise ValueError(f"no hexadecimal number: {value!r:.40}")
    number = int(value, 16)
    return number if number < 2**63 else float(number)


def text(pattern: re.Pattern[str], value: object) -> str:
    """Return a string that has the given form and no other."""
    if not isinstance(value, str) or not pattern.fullmatch(value.lower()):
        raise ValueError(f"not of the form expected: {value!r:.40}")
    return value.lower()


def address(value: object) -> str:
    """Return an account's address, in lower case."""
    return text(_ADDRESS, value)


def client_version(value: object) -> str:
    """Return what the node says it is, as it may stand in a label."""
    if not isinstance(value, str):
        raise TypeError("no string")
    return excerpt(value, 120)


def network_id(value: object) -> str:
    """Return the network's number in decimal digits."""
    return text(_DIGITS, value)


def chain_id(value: object) -> str:
    """Return the chain's number in decimal digits."""
    return str(int(quantity(value)))


def block_hash(value: object) -> str:
    """Return the hash of a block, in lower case."""
    return text(_HASH, value)


def _head(block: Any) -> Values:  # noqa: ANN401 - JSON can be anything
    values: Values = {
        "head_block_number": quantity(block["number"]),
        "head_block_timestamp_seconds": quantity(block["timestamp"]),
        "head_block_hash": block_hash(block["hash"]),
        "head_block_parent_hash": block_hash(block["parentHash"]),
        "head_block_transactions": len(entries(block["transactions"])),
    }
    for field, key in (
        ("head_block_difficulty", "difficulty"),
        ("head_block_total_difficulty", "totalDifficulty"),  # gone from late versions
        ("head_block_gas_used", "gasUsed"),
        ("head_block_gas_limit", "gasLimit"),
        ("head_block_base_fee_wei", "baseFeePerGas"),  # since London
        ("head_block_size_bytes", "size"),
    ):
        if block.get(key) is not None:
            values[field] = quantity(block[key])
    return values


def _syncing(state: Any) -> Values:  # noqa: ANN401 - as above
    if state is False:
        return {"syncing": 0}
    return {
        "syncing": 1,
        "sync_current_block_number": quantity(state["currentBlock"]),
        "sync_highest_block_number": quantity(state["highestBlock"]),
    }


def _pool(status: Any) -> Values:  # noqa: ANN401 - as above
    return {"txpool_pending": quantity(status["pending"]), "txpool_queued": quantity(status["queued"])}


def signers(document: Any) -> tuple[str, ...]:  # noqa: ANN401 - as above
    """Return the addresses of who may seal, ascending."""
    listed = tuple(entries(document))
    return _ascending(listed) if len(listed) <= MOST_SIGNERS else _ascending.__wrapped__(listed)


@lru_cache(256)
def _ascending(addresses: tuple[object, ...]) -> tuple[str, ...]:
    """Return them in order; every node of a chain lists the same, gather after gather."""
    return tuple(sorted({address(signer) for signer in addresses}))


def _clique_status(status: Any) -> Values:  # noqa: ANN401 - as above
    # Before block 2 there is nothing that it could tell: at genesis geth counts the blocks down from 0, at the first
    # one it divides by 0, which comes as an error (`rpc.NotANumber`) or, from others, as NaN.
    if not 0 < status.get("numBlocks", 1) <= _STATUS_BLOCKS:
        return {}
    in_turn = float(status["inturnPercent"]) / 100
    if not math.isfinite(in_turn):
        raise ValueError("inturnPercent is no finite number")
    active = sum(count > 0 for count in sealer_activity(status).values())
    return {"clique_active_signers": active, "clique_in_turn_ratio": in_turn}


def _peers(peers: Any) -> Values:  # noqa: ANN401 - as above
    return {"peers_inbound": sum(peer["network"]["inbound"] is True for peer in entries(peers))}


def entries(value: Any) -> list[Any]:  # noqa: ANN401 - as above
    """Return a list, whatever is in it."""
    if not isinstance(value, list):
        raise TypeError("no list")
    return value


def sealer_activity(status: Any) -> dict[str, int]:  # noqa: ANN401 - as above
    """Return how many of the last 64 blocks each signer sealed, from `clique_status`."""
    return {address(signer): int(count) for signer, count in list(status["sealerActivity"].items())[:MOST_SIGNERS]}


@dataclass(frozen=True, slots=True, eq=False)
class Call:
    """A method and its parameters. Each is one object and equals no other: answers are found by it."""

    method: str
    parameters: tuple[Any, ...] = ()


HEAD = Call("eth_getBlockByNumber", ("latest", False))
VERSION = Call("web3_clientVersion")
CHAIN_ID = Call("eth_chainId")
NETWORK_ID = Call("net_version")
CLIQUE_STATUS = Call("clique_status")
DEBUG_METRICS = Call("debug_metrics", (True,))
PEER_COUNT = Call("net_peerCount")
SYNCING = Call("eth_syncing")
POOL = Call("txpool_status")
SIGNERS = Call("clique_getSigners")
PEERS = Call("admin_peers")
NODE_INFO = Call("admin_nodeInfo")
GENESIS = Call("eth_getBlockByNumber", ("0x0", False))

READERS: Mapping[Call, Callable[[Any], Values]] = {
    HEAD: _head,
    PEER_COUNT: lambda count: {"peers": quantity(count)},
    SYNCING: _syncing,
    Call("eth_gasPrice"): lambda price: {"gas_price_wei": quantity(price)},
    POOL: _pool,
    SIGNERS: lambda addresses: {"clique_signers": len(signers(addresses))},
    CLIQUE_STATUS: _clique_status,
    PEERS: _peers,
}
"""The calls whose results are catalogued metrics of measurement `chain`."""

IDENTITY: Mapping[str, tuple[Call, Callable[[Any], str]]] = {
    "version": (VERSION, client_version),
    "chain_id": (CHAIN_ID, chain_id),
    "network_id": (NETWORK_ID, network_id),
}
"""The calls that say what the node is, by the label of `chain_node_info` that each fills."""

FACTS = (NODE_INFO, GENESIS)
"""The calls that tell what does not change while the node runs."""


def block_call(number: int) -> Call:
    """Return the call that tells of one block of the node's chain."""
    return Call(HEAD.method, (hex(number), False))
