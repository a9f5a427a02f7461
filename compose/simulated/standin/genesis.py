"""The genesis of a chain, and the chain id that nodeos reckons from it."""

from __future__ import annotations

import hashlib
import json
import struct
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from .ending import EndError

LIMITS: dict[str, tuple[str, int]] = {
    "max_block_net_usage": ("Q", 1_048_576),
    "target_block_net_usage_pct": ("I", 1000),
    "max_transaction_net_usage": ("I", 524_288),
    "base_per_transaction_net_usage": ("I", 12),
    "net_usage_leeway": ("I", 500),
    "context_free_discount_net_usage_num": ("I", 20),
    "context_free_discount_net_usage_den": ("I", 100),
    "max_block_cpu_usage": ("I", 200_000),
    "target_block_cpu_usage_pct": ("I", 1000),
    "max_transaction_cpu_usage": ("I", 150_000),
    "min_transaction_cpu_usage": ("I", 100),
    "max_transaction_lifetime": ("I", 3600),
    "deferred_trx_expiration_window": ("I", 600),
    "max_transaction_delay": ("I", 3_888_000),
    "max_inline_action_size": ("I", 524_288),
    "max_inline_action_depth": ("H", 4),
    "max_authority_depth": ("H", 6),
}
"""What `initial_configuration` holds, in the order in which it is hashed, each with its width and its default."""

ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
BAD_KEY = "3010010 public_key_type_exception: Invalid public key"
KEY_SIZE = 33
CHECKSUM_SIZE = 4
DEFAULT = {
    "initial_timestamp": "2018-06-01T12:00:00.000",
    "initial_key": "EOS6MRyAjQq8ud7hVNYcfnVPJqcVpscN5So8BhtHuGYqET5GDW5CV",
}
"""What nodeos begins with where it is given neither a genesis nor a snapshot: hence heads dated 2018."""


@dataclass(frozen=True)
class Genesis:
    """When a chain begins, in seconds since 1970, the key that its first producer signs with, and the chain's id."""

    document: dict[str, Any]
    chain_id: str
    began: float
    key: str


def read(path: Path) -> Genesis:
    """Read a genesis.json."""
    if not path.is_file():
        raise EndError(f"Specified genesis file '{path}' does not exist.")
    try:
        document = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise EndError(f"the genesis file '{path}' cannot be parsed: {type(error).__name__}") from None
    return of(document)


def of(document: object) -> Genesis:
    """Take a genesis from its JSON; what is missing has its default."""
    if not isinstance(document, dict):
        raise EndError("the genesis is not an object")
    whole = {**DEFAULT, **document}
    key, limits = whole["initial_key"], whole.get("initial_configuration", {})
    began = _instant(whole["initial_timestamp"])
    if not isinstance(key, str) or not isinstance(limits, dict):
        raise EndError("the genesis has no initial_key or no initial_configuration of the right form")
    packed = struct.pack("<qB", round(began * 1_000_000), 0) + public_key(key)
    try:
        packed += b"".join(struct.pack(f"<{form}", limits.get(name, usual)) for name, (form, usual) in LIMITS.items())
    except struct.error as error:
        raise EndError(f"the genesis holds a number that does not fit: {error}") from None
    return Genesis(whole, hashlib.sha256(packed).hexdigest(), began, key)


def public_key(text: str) -> bytes:
    """Return a public key's 33 bytes. Its checksum, which needs RIPEMD-160, is not checked."""
    number = 0
    for letter in text.removeprefix("EOS").removeprefix("PUB_K1_"):
        place = ALPHABET.find(letter)
        if place < 0:
            raise EndError(f"{text[:60]!r} is no public key", name=BAD_KEY)
        number = number * 58 + place
    size = KEY_SIZE + CHECKSUM_SIZE
    if not 0 < number.bit_length() <= size * 8:
        raise EndError(f"{text[:60]!r} is no public key", name=BAD_KEY)
    raw = number.to_bytes(size, "big")[:KEY_SIZE]
    if raw[0] not in {2, 3}:
        raise EndError(f"{text[:60]!r} is no public key", name=BAD_KEY)
    return raw


def _instant(text: object) -> float:
    try:
        instant = datetime.fromisoformat(str(text).removesuffix("Z"))
    except ValueError:
        raise EndError(f"the genesis has {str(text)[:40]!r} for its initial_timestamp") from None
    return instant.replace(tzinfo=timezone.utc).timestamp()
