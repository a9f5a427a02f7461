"""What nodes know each other by: a key of secp256k1, whose public half is the node's id."""

from __future__ import annotations

import ipaddress
import re
import secrets

from eth_keys.constants import SECPK1_N
from eth_keys.datatypes import PrivateKey

_KEY = re.compile(r"[0-9a-f]{64}", re.IGNORECASE)
_ID = re.compile(r"[0-9a-f]{128}")


def new_nodekey() -> str:
    """Return a private key as geth keeps it: 64 hexadecimal digits."""
    return f"{secrets.randbelow(SECPK1_N - 1) + 1:064x}"


def is_nodekey(text: str) -> bool:
    """Tell whether a text is a private key."""
    return bool(_KEY.fullmatch(text)) and 0 < int(text, 16) < SECPK1_N


def is_node_id(text: str) -> bool:
    """Tell whether a text may be a node id."""
    return bool(_ID.fullmatch(text))


def node_id(nodekey: str) -> str:
    """Return the id of the node with this private key: 128 hexadecimal digits."""
    return PrivateKey(bytes.fromhex(nodekey)).public_key.to_bytes().hex()


def enode(identity: str, host: str, port: int) -> str:
    """Return where a node with this id is to be found, as geth writes it."""
    return f"enode://{identity}@{bracketed(host)}:{port}"


def bracketed(host: str) -> str:
    """Return a host as URLs have it: IPv6 in brackets."""
    try:
        return f"[{host}]" if ipaddress.ip_address(host).version == 6 else host  # noqa: PLR2004 - IPv6
    except ValueError:
        return host
