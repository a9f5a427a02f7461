"""Headers of a Clique chain as geth writes them in JSON, each signed by whoever sealed it."""

from __future__ import annotations

from typing import Any

from compose.simulated.clique import Block, Clique
from compose.simulated.ledger import Fork, digits
from compose.simulated.seals import UNSEALED, Field, seal

ZERO_ADDRESS = "0x" + "0" * 40
ZEROS = "0x" + "0" * 64
EMPTY_ROOT = "0x56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421"
NO_UNCLES = "0x1dcc4de8dec75d7aab85b567b6ccd41ad312451b948a7413f0a142fd40d49347"
NO_LOGS = "0x" + "0" * 512
NO_NONCE = "0x0000000000000000"
GAS_LIMIT = 8_000_000
TRANSFER = 21_000
"""Gas that the least transaction uses."""
MORE = 5000
"""Gas that one uses beyond that, at most."""


def gas_used(clique: Clique, block: Block) -> int:
    """Return the gas that a block's transactions used."""
    more = int(digits("gas", clique.name, block.number, length=8), 16) % (MORE + 1)
    return block.transactions * (TRANSFER + more)


def header(
    clique: Clique, block: Block, fork: Fork | None, vanity: str, *, base_fee: bool, sealed: bool = True
) -> dict[str, Any]:
    """Return what `eth_getBlockByNumber` answers with, transactions by their hashes.

    `vanity` begins extraData; `base_fee` says that the chain has one. The seal is over all of a header's fields as
    they stand here, unless nobody will look at it (`sealed`); `hash` is made up, hence not their digest.
    """
    number, count = block.number, block.transactions
    identity = clique.hash(number, fork)
    told: dict[str, Any] = {
        "difficulty": hex(block.difficulty),
        "extraData": clique.extra_data(block, vanity),
        "gasLimit": hex(GAS_LIMIT),
        "gasUsed": hex(gas_used(clique, block)),
        "hash": identity,
        "logsBloom": NO_LOGS,
        "miner": ZERO_ADDRESS,
        "mixHash": ZEROS,
        "nonce": NO_NONCE,
        "number": hex(number),
        "parentHash": clique.hash(number - 1, fork) if number else ZEROS,
        "receiptsRoot": "0x" + digits("receipts", identity) if count else EMPTY_ROOT,
        "sha3Uncles": NO_UNCLES,
        "size": hex(0x25E + 110 * count),
        "stateRoot": "0x" + digits("state", identity),
        "timestamp": hex(block.timestamp),
        "totalDifficulty": hex(block.total_difficulty),
        "transactions": ["0x" + digits("transaction", identity, i) for i in range(count)],
        "transactionsRoot": "0x" + digits("transactions", identity) if count else EMPTY_ROOT,
        "uncles": [],
    }
    if base_fee:
        told = {"baseFeePerGas": hex(7 + int(875_000_000 * 0.875 ** min(number, 200))), **told}
    if number and sealed:
        signature = seal(clique.name, clique.sealers[block.sealer], _signed(told))
        told["extraData"] = clique.extra_data(block, vanity, signature)
    return told


def pushed(clique: Clique, block: Block, fork: Fork | None) -> dict[str, Any]:
    """Return a block as geth pushes it to an ethstats listener, its sealer as the miner."""
    told = header(clique, block, fork, "", base_fee=False, sealed=False)
    names = ("hash", "parentHash", "transactionsRoot", "stateRoot", "uncles")
    return {
        "number": block.number,
        "timestamp": block.timestamp,
        "miner": clique.signers[block.sealer] if block.number else ZERO_ADDRESS,
        "gasUsed": gas_used(clique, block),
        "gasLimit": GAS_LIMIT,
        "difficulty": str(block.difficulty),
        "totalDifficulty": str(block.total_difficulty),
        "transactions": [{"hash": identity} for identity in told["transactions"]],
        **{name: told[name] for name in names},
    }


def _signed(told: dict[str, Any]) -> tuple[Field, ...]:
    """Return what of a header is signed, in the order of go-ethereum's `encodeSigHeader`."""
    fields = (
        _bytes(told["parentHash"]),
        _bytes(told["sha3Uncles"]),
        _bytes(told["miner"]),
        _bytes(told["stateRoot"]),
        _bytes(told["transactionsRoot"]),
        _bytes(told["receiptsRoot"]),
        _bytes(told["logsBloom"]),
        int(told["difficulty"], 16),
        int(told["number"], 16),
        int(told["gasLimit"], 16),
        int(told["gasUsed"], 16),
        int(told["timestamp"], 16),
        _bytes(told["extraData"])[: -len(UNSEALED)],
        _bytes(told["mixHash"]),
        _bytes(told["nonce"]),
    )
    return (*fields, int(told["baseFeePerGas"], 16)) if "baseFeePerGas" in told else fields


def _bytes(text: str) -> bytes:
    return bytes.fromhex(text[2:])
