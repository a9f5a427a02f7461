"""The chain's id, from its genesis: nodeos takes the SHA-256 of the packed genesis state."""

from __future__ import annotations

import hashlib
import json
import struct
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

LARGEST = 1024 * 1024
"""Bytes of a genesis; a real one has less than two thousand."""

CONFIGURATION = (
    ("max_block_net_usage", "Q"),
    ("target_block_net_usage_pct", "I"),
    ("max_transaction_net_usage", "I"),
    ("base_per_transaction_net_usage", "I"),
    ("net_usage_leeway", "I"),
    ("context_free_discount_net_usage_num", "I"),
    ("context_free_discount_net_usage_den", "I"),
    ("max_block_cpu_usage", "I"),
    ("target_block_cpu_usage_pct", "I"),
    ("max_transaction_cpu_usage", "I"),
    ("min_transaction_cpu_usage", "I"),
    ("max_transaction_lifetime", "I"),
    ("deferred_trx_expiration_window", "I"),
    ("max_transaction_delay", "I"),
    ("max_inline_action_size", "I"),
    ("max_inline_action_depth", "H"),
    ("max_authority_depth", "H"),
)
"""The fields of `initial_configuration` as they are packed, in their order, little-endian."""

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_KEY_BYTES, _CHECKSUM_BYTES = 33, 4
_CURVES = {"EOS": 0, "PUB_K1_": 0, "PUB_R1_": 1}


def from_genesis(path: Path) -> str:
    """Return the id of the chain that begins with this file, "" where that cannot be told."""
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST + 1)
        return packed_id(json.loads(content)) if len(content) <= LARGEST else ""
    except (OSError, ValueError, LookupError, TypeError, AttributeError, struct.error, OverflowError, RecursionError):
        return ""  # nodeos will say what is wrong with it


def packed_id(genesis: Any) -> str:  # noqa: ANN401 - JSON is anything
    """Return the id of the chain that begins with this document. Raises what lookups and conversions raise."""
    began = datetime.fromisoformat(genesis["initial_timestamp"].rstrip("Z"))
    microseconds = (began.replace(tzinfo=timezone.utc) - _EPOCH) // timedelta(microseconds=1)
    configuration = genesis["initial_configuration"]
    values = [int(configuration[name]) for name, _ in CONFIGURATION]
    layout = "<" + "".join(kind for _, kind in CONFIGURATION)
    packed = struct.pack("<q", microseconds) + _key(genesis["initial_key"]) + struct.pack(layout, *values)
    return hashlib.sha256(packed).hexdigest()


def _key(text: str) -> bytes:
    """Return a public key as it is packed: its curve, then the point. The checksum is left for nodeos to find wrong."""
    prefix = next(prefix for prefix in ("PUB_K1_", "PUB_R1_", "EOS", "") if text.startswith(prefix))
    number = 0
    for letter in text[len(prefix) :]:
        number = number * len(_ALPHABET) + _ALPHABET.index(letter)
    point = number.to_bytes(_KEY_BYTES + _CHECKSUM_BYTES, "big")[:_KEY_BYTES]
    return bytes([_CURVES[prefix]]) + point
