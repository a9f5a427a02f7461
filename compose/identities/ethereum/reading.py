"""What there is in the directory, read for those who make something of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from compose.identities.errors import Unusable
from compose.identities.ethereum.genesis import Genesis, read_genesis
from compose.identities.ethereum.nodekeys import is_node_id
from compose.identities.storing import Store

GENESIS = "chain/genesis.json"
"""In a folder of its own: Docker makes a folder of a file that is to be mounted and isn't there yet."""


@dataclass(frozen=True)
class Identity:
    """Who one node is. Without an account it has no address."""

    node_id: str
    address: str | None


@dataclass(frozen=True)
class Identities:
    """Everybody of a directory: nodes that the options no longer have, too. Secrets are read when asked for."""

    directory: Path
    genesis: Genesis | None
    nodes: Mapping[str, Identity]

    def secret(self, name: str) -> str:
        """Return one of `passphrases.SECRETS`. Raises Unusable."""
        path = f"secrets/{name}"
        found = Store(self.directory).line(path)
        if found is None:
            raise Unusable(f"{self.directory / path}: is missing or empty")
        return found


def read(directory: Path) -> Identities:
    """Return what is there; a directory that does not exist is empty. Raises Unusable."""
    store = Store(directory)
    return Identities(directory, stored_genesis(store), dict(_nodes(store)))


def stored_genesis(store: Store) -> Genesis | None:
    """Return the genesis, None if there is none. Raises Unusable."""
    text = store.text(GENESIS)
    return None if text is None else read_genesis(text, str(store.directory / GENESIS))


def _nodes(store: Store) -> list[tuple[str, Identity]]:
    found = []
    for name in store.names("."):
        if (store.directory / name).is_dir() and (node_id := store.line(f"{name}/id")):
            if not is_node_id(node_id):
                raise Unusable(f"{store.directory / name / 'id'}: is no node id; delete it, it is made anew")
            found.append((name, Identity(node_id, store.line(f"{name}/address"))))
    return found
