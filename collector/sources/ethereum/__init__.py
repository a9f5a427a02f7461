"""The source for Ethereum nodes, geth above all.

`methods` says what is asked by JSON-RPC and how each answer becomes catalogued metrics, `rpc` sends one batch and
sorts the answers by method, `metrics` gives the names of geth's two documents of metrics as one, `raw` takes the
selected numbers out of them, `source` is a gather.
"""

from collector.sources.ethereum.source import Ethereum

__all__ = ["Ethereum"]
