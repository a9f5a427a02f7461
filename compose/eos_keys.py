"""Keys of EOSIO and Antelope networks: private ones as wallets write them (WIF, `5…`), public ones as `EOS…`.

Both are numbers of secp256k1 in base 58, with a checksum behind them: of SHA-256 twice for private keys, of RIPEMD-160
for public ones. That is the form of keys that nodeos has always read, in every version.
"""

from __future__ import annotations

import hashlib
import secrets

from Crypto.Hash import RIPEMD160
from eth_keys.constants import SECPK1_N
from eth_keys.datatypes import PrivateKey

_ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_VALUE = {character: value for value, character in enumerate(_ALPHABET)}
_VERSION = b"\x80"
"""Stands before a private key."""
_NUMBER, _CHECKSUM = 32, 4
"""Bytes."""
_WIF, _PREFIX = 51, "EOS"


def new_private_key() -> str:
    """Return a private key that nobody had before."""
    return _written((secrets.randbelow(SECPK1_N - 1) + 1).to_bytes(_NUMBER, "big"))


def is_private_key(text: str) -> bool:
    """Tell whether a text is a private key, its checksum included."""
    return _number(text) is not None


def public_key_of(private_key: str) -> str:
    """Return the public key of a private one. Raises ValueError, without the key, if it is none."""
    number = _number(private_key)
    if number is None:
        raise ValueError("is no private key")
    compressed = PrivateKey(number).public_key.to_compressed_bytes()
    return _PREFIX + _in_base_58(compressed + RIPEMD160.new(compressed).digest()[:_CHECKSUM])


def _written(number: bytes) -> str:
    return _in_base_58(_VERSION + number + _checksum(_VERSION + number))


def _number(text: str) -> bytes | None:
    """Return a private key's number as bytes, None if the text is no private key."""
    if len(text) != _WIF or not set(text) <= _VALUE.keys():
        return None
    value = 0
    for character in text:
        value = value * 58 + _VALUE[character]
    size = len(_VERSION) + _NUMBER + _CHECKSUM
    if value >> 8 * size:
        return None
    content, checksum = (whole := value.to_bytes(size, "big"))[:-_CHECKSUM], whole[-_CHECKSUM:]
    number = content.removeprefix(_VERSION)
    if not content.startswith(_VERSION) or checksum != _checksum(content):
        return None
    return number if 0 < int.from_bytes(number, "big") < SECPK1_N else None


def _checksum(content: bytes) -> bytes:
    return hashlib.sha256(hashlib.sha256(content).digest()).digest()[:_CHECKSUM]


def _in_base_58(content: bytes) -> str:
    """Return bytes of which the first is not 0, as that of all keys is not, in base 58."""
    digits = []
    value = int.from_bytes(content, "big")
    while value:
        value, digit = divmod(value, 58)
        digits.append(_ALPHABET[digit])
    return "".join(reversed(digits))
