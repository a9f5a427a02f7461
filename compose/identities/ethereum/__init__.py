"""Who the nodes of an Ethereum network are: node keys, accounts, and geth's configuration made of them.

    NODE/nodekey, NODE/id       private key of the p2p protocol, and the public key that others know the node by
    NODE/keystore/, NODE/password, NODE/address
                                account, encrypted; the passphrase that geth unlocks it with; the account's address
    NODE/config.toml            geth's own configuration: the nodes that it is to find, and the stats page

`NODE` is the name of a service: boot-1, sealer-1, client-1.
"""
