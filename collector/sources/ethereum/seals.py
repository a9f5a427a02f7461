"""Who sealed a block of a Clique chain: recovered from the seal in its header.

Under Clique (EIP-225) the sealer signs the header and puts the signature, 65 bytes, at the end of the extra data; the
field `miner` is no matter of who it was. What is signed is keccak of the RLP of the header without these 65 bytes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from eth_keys.backends.base import BaseECCBackend

SEAL = 65
VANITY = 32
"""Bytes at the end and at the beginning of the extra data."""

_LONGEST = 2**15  # characters; the extra data of a checkpoint block lists the signers, 40 characters for each

_BYTES = ("parentHash", "sha3Uncles", "miner", "stateRoot", "transactionsRoot", "receiptsRoot", "logsBloom")
_QUANTITIES = ("difficulty", "number", "gasLimit", "gasUsed", "timestamp")
_ENDS = ("extraData", "mixHash", "nonce")
_BASE_FEE = "baseFeePerGas"  # since London
_SIGNED = (*_BYTES, *_QUANTITIES, *_ENDS, _BASE_FEE)
_LENGTHS = dict.fromkeys((*_BYTES, "mixHash"), 32) | {"miner": 20, "logsBloom": 256, "nonce": 8}
_LATER = ("withdrawalsRoot", "blobGasUsed", "excessBlobGas", "parentBeaconBlockRoot", "requestsHash")
"""Fields that headers have since Shanghai: no Clique chain got so far, and geth refuses to sign such a header."""

_NO_MIX = "0x" + 64 * "0"
_DIFFICULTIES = {"0x1": False, "0x2": True}
_DATA = re.compile(r"0x((?:[0-9a-f]{2})*)", re.IGNORECASE)
_QUANTITY = re.compile(r"0x[0-9a-f]{1,64}", re.IGNORECASE)


def in_turn(header: Mapping[str, Any]) -> bool | None:
    """Tell whether it was the sealer's turn, by the difficulty; None where the header is none of Clique's."""
    difficulty, extra = header.get("difficulty"), header.get("extraData")
    if header.get("mixHash") != _NO_MIX or not isinstance(difficulty, str) or not isinstance(extra, str):
        return None
    return _DIFFICULTIES.get(difficulty) if len(extra) >= len("0x") + 2 * (VANITY + SEAL) else None


def sealer(header: Mapping[str, Any]) -> str:
    """Return the address of who sealed a block, in lower case; "" where the seal does not tell. Takes 5 ms.

    The header is a block as `eth_getBlockByNumber` tells of it, one of which `in_turn` is not None.
    """
    told = _told(header)
    return _recover(told) if told else ""


def _told(header: Mapping[str, Any]) -> list[str]:
    """Return the header's fields in the order in which they are signed; none where it can't be one of Clique's."""
    told = [header.get(name) for name in (*_BYTES, *_QUANTITIES, *_ENDS)]
    if header.get(_BASE_FEE) is not None:
        told.append(header[_BASE_FEE])
    texts = [field for field in told if isinstance(field, str) and len(field) <= _LONGEST]
    later = any(header.get(name) is not None for name in _LATER)
    return [] if later or len(texts) != len(told) else texts


def _recover(told: list[str]) -> str:
    """Return who signed a header, given as what `_told` returns; "" if nobody can have."""
    # Imported where it is needed: it takes a while, and a collector of nodeos alone has no use for it.
    from eth_keys.datatypes import Signature  # noqa: PLC0415
    from eth_keys.exceptions import BadSignature  # noqa: PLC0415
    from eth_utils.crypto import keccak  # noqa: PLC0415
    from eth_utils.exceptions import ValidationError  # noqa: PLC0415

    try:
        fields = [_field(name, text) for name, text in zip(_SIGNED, told, strict=False)]
        extra = _SIGNED.index("extraData")
        fields[extra], seal = fields[extra][:-SEAL], fields[extra][-SEAL:]
        signer = Signature(seal, backend=_curve()).recover_public_key_from_msg_hash(keccak(_rlp(fields)))
        return str(signer.to_address())
    except (ValueError, BadSignature, ValidationError):
        return ""


@cache
def _curve() -> BaseECCBackend:
    """Return what reckons with the curve; left to itself, a signature would look for it on disk each time."""
    from eth_keys.backends import get_backend  # noqa: PLC0415 - as above

    return get_backend()


def _field(name: str, text: str) -> bytes:
    """Return a field as it is signed: numbers without leading zeros. Raises ValueError."""
    if name in _QUANTITIES or name == _BASE_FEE:
        if not _QUANTITY.fullmatch(text):
            raise ValueError(f"{name} is no hexadecimal number")
        number = int(text, 16)
        return number.to_bytes((number.bit_length() + 7) // 8, "big")
    data = _DATA.fullmatch(text)
    if data is None or (name in _LENGTHS and len(data[1]) != 2 * _LENGTHS[name]):
        raise ValueError(f"{name} is not of the length and form that it has")
    return bytes.fromhex(data[1])


def _rlp(fields: list[bytes]) -> bytes:
    """Encode a list of byte strings as Ethereum does, in recursive length prefixes."""
    body = b"".join(
        field if len(field) == 1 and field < b"\x80" else _length(0x80, len(field)) + field for field in fields
    )
    return _length(0xC0, len(body)) + body


def _length(kind: int, length: int) -> bytes:
    """Return the prefix of a string or a list: a byte where the length is below 56, else its own length and itself."""
    if length < 56:  # noqa: PLR2004 - as above
        return bytes([kind + length])
    digits = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes([kind + 55 + len(digits)]) + digits
