"""Clique's seals: who seals has a key, and signs each header that it seals; go-ethereum's `consensus/clique`.

Keys are made up from names, the same at every start. Signing takes milliseconds: it is done when a header is asked
for, and remembered.
"""

from __future__ import annotations

from functools import lru_cache

from eth_hash.auto import keccak
from eth_keys.backends import get_backend
from eth_keys.datatypes import PrivateKey

from compose.simulated.ledger import digits

REMEMBERED = 4096
"""Signatures that are remembered, of all chains together."""

UNSEALED = bytes(65)

SHORT = 56
"""Bytes from which on RLP writes the length apart."""

Field = bytes | int

# Both are looked for on disk at their first use, the curve's backend at each: now, and not once an event loop runs.
keccak(b"")
_CURVE = get_backend()


@lru_cache(REMEMBERED)
def key_of(chain: str, name: str) -> PrivateKey:
    """Return the key of the sealer `name`."""
    return PrivateKey(bytes.fromhex(digits("sealer", chain, name)), _CURVE)


@lru_cache(REMEMBERED)
def address_of(chain: str, name: str) -> str:
    """Return the address of the sealer `name`: 0x and 40 hexadecimal digits, the same at every start."""
    return str(key_of(chain, name).public_key.to_address())


@lru_cache(REMEMBERED)
def seal(chain: str, name: str, header: tuple[Field, ...]) -> bytes:
    """Return the 65 bytes with which `name` seals a header.

    `header` holds the fields in their order, extraData without the seal, and the base fee only where there is one.
    """
    fields = b"".join(map(_encoded, header))
    return key_of(chain, name).sign_msg_hash(keccak(_with_length(0xC0, fields))).to_bytes()


def _encoded(field: Field) -> bytes:
    """Return a field in RLP, Ethereum's encoding: a number as its bytes without leading zeros."""
    text = field if isinstance(field, bytes) else field.to_bytes(-(-field.bit_length() // 8))
    return text if len(text) == 1 and text[0] < 0x80 else _with_length(0x80, text)  # noqa: PLR2004 - itself


def _with_length(kind: int, text: bytes) -> bytes:
    if len(text) < SHORT:
        return bytes([kind + len(text)]) + text
    length = len(text).to_bytes(-(-len(text).bit_length() // 8))
    return bytes([kind + SHORT - 1 + len(length)]) + length + text
