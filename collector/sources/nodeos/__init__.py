"""The source for EOSIO and Antelope nodes: nodeos, from dawn-3 to Spring.

endpoints.py  what is asked of a node, and nothing else ever
values.py     how nodeos writes numbers, times, names and ids
answers.py    how each answer becomes metrics of the catalogue
blocks.py     what is told of one block
raw.py        the numbers of an answer under the node's own names; the page of the prometheus plugin
source.py     a gather
"""

from collector.sources.nodeos.source import Nodeos

__all__ = ["Nodeos"]
