"""Who a cluster is: keys, accounts, secrets, the genesis, and what is made of them.

ensure(options, directory, print)      # makes what is missing, never touches a key that is there

The directory, which its owner alone can look into, holds chain/genesis.json, secrets/NAME with one secret each, and
a folder for each node that has something of its own, by the name of its service. What that is depends on the kind of
network: see `ethereum` and `eos`.
"""

from __future__ import annotations

from pathlib import Path

from compose.identities.eos import ensuring as eos
from compose.identities.errors import Unusable
from compose.identities.ethereum import ensuring as ethereum
from compose.identities.ethereum.join import join_bundle
from compose.identities.ethereum.reading import read
from compose.identities.steps import Say
from compose.identities.storing import Store
from compose.options.kinds import EosOptions, Options

__all__ = ["Unusable", "ensure", "join_files", "needs_new_genesis", "planned", "secret_of_nodes"]


def ensure(options: Options, directory: Path, say: Say, *, new_genesis: bool = False) -> None:
    """Make what is missing of a cluster's identities, telling each thing.

    A genesis that is there is kept unless `new_genesis`; it is then set aside under a name of its own, not deleted.
    Raises Unusable; what has been made until then stays.
    """
    if isinstance(options, EosOptions):
        eos.ensure(options, directory, say, new_genesis=new_genesis)
    else:
        ethereum.ensure(options, directory, say, new_genesis=new_genesis)


def planned(options: Options, directory: Path) -> list[str]:
    """Return what `ensure` would make. Writes nothing. Raises Unusable."""
    if isinstance(options, EosOptions):
        return eos.planned(options, directory)
    return ethereum.planned(options, directory)


def needs_new_genesis(options: Options, directory: Path) -> list[str]:
    """Return why the genesis there can't be that of the options' chain (`geth.clique_period: 15 -> 5`).

    Nothing if it can, if there is none yet, or if it is none of ours to make. Raises Unusable.
    """
    if isinstance(options, EosOptions):
        return eos.needs_new_genesis(options, directory)
    return ethereum.needs_new_genesis(options, directory)


def join_files(options: Options, directory: Path) -> dict[str, str]:
    """Return what somebody needs who adds a node of their own, as files by name. Raises Unusable.

    An EOSIO or Antelope network has none: nobody outside reaches its nodes' p2p ports, they reach those of
    `eos.peers`.
    """
    return {} if isinstance(options, EosOptions) else join_bundle(options, read(directory))


def secret_of_nodes(options: Options, directory: Path) -> str | None:
    """Return the secret that nodes are told when they start, and go on with; None if there is none that can be read."""
    path = eos.SIGNING_KEY if isinstance(options, EosOptions) else ethereum.ETHSTATS
    try:
        return Store(directory).line(path)
    except Unusable:
        return None
