"""The first block of a chain: built of the options, read, and held against other options."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from eth_utils.address import to_checksum_address

from compose.identities.errors import Unusable
from compose.options.ethereum.models import Options

Genesis = Mapping[str, Any]

ACCOUNT_FUNDS = 10**24
"""Wei that each node's account has at first: a million ether."""

MINING_DIFFICULTY = 0x20000
"""The least that ethash allows: a block every few seconds on one processor, and the protocol goes on from there."""

_FORKS = (
    ((1, 8), ("homestead", "eip150", "eip155", "eip158", "byzantium", "constantinople", "petersburg")),
    ((1, 9), ("istanbul",)),
    ((1, 10), ("berlin", "london")),
)
"""The rules that a chain can begin with, by the version of geth that brought them.

With london, blocks have a base fee, which empty blocks bring down to 7 wei; legacy transactions go on as before, but
for those with gas price 0. Later rules need a beacon chain. A private chain never reaches the difficulty bombs.
"""

_VANITY = 32
_SEAL = 65
_ADDRESS = 20
"""Bytes of a Clique header's extra data: the signers' addresses stand between vanity and seal (EIP-225)."""

_HEX = re.compile(r"0x([0-9a-fA-F]{2})*")


def forks(version: str) -> list[str]:
    """Return the keys of the forks that a version of geth knows: `homesteadBlock`, ..."""
    known = _parts(version)
    return [f"{name}Block" for since, names in _FORKS if since <= known for name in names]


def build(options: Options, signers: Sequence[str], accounts: Sequence[str]) -> Genesis:
    """Return the genesis of a new chain: who seals it, and which accounts have funds."""
    geth = options.geth
    config: dict[str, Any] = {"chainId": geth.network_id, **dict.fromkeys(forks(geth.version), 0)}
    funds = {**dict.fromkeys(accounts, ACCOUNT_FUNDS), **geth.prefund}
    document = {
        "config": config,
        "nonce": "0x0",
        "timestamp": "0x0",
        "extraData": "0x",
        "gasLimit": hex(geth.gas_limit),
        "difficulty": hex(MINING_DIFFICULTY),
        "alloc": {
            address: {"balance": hex(amount)}
            for address, amount in sorted((_plain(address), amount) for address, amount in funds.items())
        },
    }
    if geth.consensus_engine == "clique":
        config["clique"] = {"period": geth.clique_period, "epoch": geth.clique_epoch}
        document |= {"extraData": extra_data(signers), "difficulty": "0x1"}
    else:
        config["ethash"] = {}
    return document


def text_of(genesis: Genesis) -> str:
    """Return the text of a genesis' file."""
    return json.dumps(genesis, indent=2) + "\n"


def extra_data(signers: Sequence[str]) -> str:
    """Return the extra data by which Clique knows who may seal: each once, in ascending order."""
    ascending = sorted({_plain(signer) for signer in signers})
    return "0x" + "00" * _VANITY + "".join(ascending) + "00" * _SEAL


def signers_in(extra: object) -> list[str] | None:
    """Return who may seal by a genesis' extra data, None where Clique would not take it."""
    if not isinstance(extra, str) or not _HEX.fullmatch(extra):
        return None
    content = bytes.fromhex(extra[2:])
    middle = content[_VANITY:-_SEAL]
    if len(content) < _VANITY + _SEAL or len(middle) % _ADDRESS:
        return None
    return [to_checksum_address(middle[start : start + _ADDRESS]) for start in range(0, len(middle), _ADDRESS)]


def read_genesis(text: str, where: str) -> Genesis:
    """Return a genesis that somebody may have edited. Raises Unusable unless it is one, for Clique or ethash."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        raise Unusable(f"{where}: is no JSON; put it right, or restore it") from None
    if not isinstance(document, dict):
        raise Unusable(f"{where}: is no genesis, but another kind of JSON; put it right, or restore it")
    config = document.get("config")
    if not isinstance(config, dict) or _number(config.get("chainId")) is None:
        raise Unusable(f"{where}: is no genesis: config.chainId is missing; put it right, or restore it")
    missing = [key for key in ("gasLimit", "difficulty") if _number(document.get(key)) is None]
    if not isinstance(document.get("alloc"), dict) or missing:
        raise Unusable(f"{where}: is no genesis: {missing[0] if missing else 'alloc'} is missing; put it right")
    if "clique" in config:
        if not isinstance(config["clique"], dict):
            raise Unusable(f"{where}: is no genesis: config.clique is no object; put it right")
        if signers_in(document.get("extraData")) is None:
            raise Unusable(
                f"{where}: extraData is not what Clique needs: 32 bytes, the signers' addresses, 65 bytes; put it right"
            )
    return document


def signers_of(genesis: Genesis) -> list[str]:
    """Return who may seal a Clique chain when it begins; nobody in particular where miners do."""
    return signers_in(genesis.get("extraData")) or [] if engine_of(genesis) == "clique" else []


def engine_of(genesis: Genesis) -> str:
    """Return how the chain agrees on blocks: clique or ethash."""
    return "clique" if "clique" in genesis["config"] else "ethash"


def other_chain(genesis: Genesis, options: Options) -> str | None:
    """Return why a genesis can't be that of the chain of the options, None if it can."""
    chain_id = _number(genesis["config"]["chainId"])
    if chain_id != options.geth.network_id:
        return f"is of chain {chain_id}, the options' geth.network_id is {options.geth.network_id}"
    if options.geth.create_genesis and engine_of(genesis) != options.geth.consensus_engine:
        return f"is for {engine_of(genesis)}, the options' geth.consensus_engine is {options.geth.consensus_engine}"
    return None


def differences(genesis: Genesis, options: Options) -> list[str]:
    """Return what the options ask for and the genesis has otherwise: `geth.clique_period: 15 -> 5`."""
    return [f"{key}: {there} -> {wanted}" for key, there, wanted in _compared(genesis, options) if there != wanted] + [
        f"geth.version: {options.geth.version} does not know {fork}, by which the chain began"
        for fork in _unknown_forks(genesis, options.geth.version)
    ]


def too_few_signers(genesis: Genesis, sealers: Sequence[str]) -> str | None:
    """Return what is wrong where those who seal are too few of the genesis' signers to go on, None if nothing is.

    `sealers` are the addresses of those that there are to be. Who was voted in since, the genesis does not know.
    """
    signers = signers_of(genesis)
    left = len(set(signers) & set(sealers))
    needed = len(signers) // 2 + 1 if signers else 0
    if left >= needed:
        return None
    return f"sealer.count: {left} of the {len(signers)} signers of the genesis would be left, {needed} are needed"


def _compared(genesis: Genesis, options: Options) -> Iterator[tuple[str, object, object]]:
    """Yield option, what the genesis has, what the options want."""
    geth, config = options.geth, genesis["config"]
    engine = engine_of(genesis)
    yield "geth.network_id", _number(config["chainId"]), geth.network_id
    yield "geth.consensus_engine", engine, geth.consensus_engine
    if engine == geth.consensus_engine == "clique":
        yield "geth.clique_period", _number(config["clique"].get("period", 0)), geth.clique_period
        yield "geth.clique_epoch", _number(config["clique"].get("epoch", 0)), geth.clique_epoch
    yield "geth.gas_limit", _number(genesis["gasLimit"]), geth.gas_limit
    balances = {_plain(address): _balance(account) for address, account in genesis["alloc"].items()}
    for address, amount in geth.prefund.items():
        yield f"geth.prefund.{address}", balances.get(_plain(address)) or 0, amount


def _unknown_forks(genesis: Genesis, version: str) -> list[str]:
    every = {f"{name}Block" for _, names in _FORKS for name in names}
    return sorted(every & set(genesis["config"]) - set(forks(version)))


def _balance(account: object) -> int | None:
    return _number(account.get("balance")) if isinstance(account, dict) else None


def _number(value: object) -> int | None:
    """Return a number as geth reads one: 18, "18" or "0x12"."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, str) and re.fullmatch(r"0x[0-9a-fA-F]{1,64}|[0-9]{1,78}", value):
        return int(value, 0) if value.startswith("0x") else int(value)
    return None


def _parts(version: str) -> tuple[int, int]:
    major, minor, *_ = version.split(".")
    return int(major), int(minor)


def _plain(address: str) -> str:
    return address.lower().removeprefix("0x")
