"""Who a cluster's nodes are: node keys, accounts, secrets, the genesis, and geth's configuration made of them.

identities = ensure(options, directory, print)      # makes what is missing, never touches a key that is there
identities.nodes["sealer-1"].address                # 0x…, None where a node has no account

The directory, which its owner alone can look into, holds

    chain/genesis.json          the first block; those that were set aside beside it
    NODE/nodekey, NODE/id       private key of the p2p protocol, and the public key that others know the node by
    NODE/keystore/, NODE/password, NODE/address
                                account, encrypted; the passphrase that geth unlocks it with; the account's address
    NODE/config.toml            geth's own configuration: the nodes that it is to find, and the stats page
    secrets/NAME                one secret each

`NODE` is the name of a service: boot-1, sealer-1, client-1.
"""

from compose.identities.errors import Unusable
from compose.identities.ethereum.ensuring import ensure, needs_new_genesis, planned
from compose.identities.ethereum.join import join_bundle
from compose.identities.ethereum.reading import Identities, Identity, read

__all__ = [
    "Identities",
    "Identity",
    "Unusable",
    "ensure",
    "join_bundle",
    "needs_new_genesis",
    "planned",
    "read",
]
