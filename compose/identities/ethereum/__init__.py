"""Who the nodes of an Ethereum network are."""
