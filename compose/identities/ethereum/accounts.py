"""Accounts, and the encrypted files that geth unlocks them from."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime

from eth_utils.address import to_checksum_address

from compose.eth_accounts import Account

SCRYPT_ROUNDS = 1 << 15
"""The cost of finding a passphrase out (scrypt's N, with r = 8, p = 1): a third more than geth's --lightkdf.

geth decrypts the key at each start: a tenth of a second and 32 MB so, against a second and 256 MB at its standard cost.
Passphrases made here have 192 bits: no cost of each guess makes them safer.
"""

_ADDRESS = re.compile(r"(0x)?[0-9a-fA-F]{40}")


def new_private_key() -> str:
    """Return the private key of an account that nobody had before: 64 hexadecimal digits."""
    return bytes(Account.create().key).hex()


def address_of(private_key: str) -> str:
    """Return the address of a private key's account, with the capitals of its checksum."""
    return str(Account.from_key(private_key).address)


def encrypted(private_key: str, passphrase: str) -> str:
    """Return the text of a keystore's file."""
    document = Account.encrypt(bytes.fromhex(private_key), passphrase, kdf="scrypt", iterations=SCRYPT_ROUNDS)
    document["address"] = document["address"].lower().removeprefix("0x")  # as geth writes it
    return json.dumps(document) + "\n"


def address_in(text: str) -> str | None:
    """Return whose key the text of a keystore's file holds, None if it is none."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return None
    found = document.get("address") if isinstance(document, dict) and "crypto" in document else None
    return to_checksum_address(found) if isinstance(found, str) and _ADDRESS.fullmatch(found) else None


def file_name(address: str) -> str:
    """Return a name as geth gives it: with the time, so that the account made first is the first."""
    now = datetime.now(UTC)
    return f"UTC--{now:%Y-%m-%dT%H-%M-%S}.{now.microsecond * 1000:09}Z--{address.lower().removeprefix('0x')}"
