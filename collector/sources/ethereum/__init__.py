"""The source for Ethereum nodes, geth above all.

methods.py  what is asked by JSON-RPC, and how each answer becomes catalogued metrics
rpc.py      sends one batch, and sorts the answers by call
answers.py  reads the answers of one batch
told.py     what a node tells of itself beyond metrics
blocks.py   its blocks, and who made them
seals.py    who sealed a block, from its header
metrics.py  the names of geth's two documents of metrics as one
raw.py      the selected numbers of these
source.py   a gather
"""

from collector.sources.ethereum.source import Ethereum

__all__ = ["Ethereum"]
