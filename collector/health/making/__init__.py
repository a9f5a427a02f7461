"""Who makes the blocks, how finality follows, and what the blocks hold: figures alone, which `ChainHealth` asks for.

makers.py      sealers and producers: the facade
clique.py      who seals, by the last blocks
dpos.py        who produces, by the slots of the last turns
turns.py       whose turn a moment belongs to
orders.py      which order of makers held for which blocks
tallies.py     what each maker has made, and missed, since the collector began
recent.py      what the last blocks tell of those who made them, whatever the kind
verdicts.py    how many more may fail, in words
plausible.py   figures and moments that can be reckoned with
finality.py    how far behind the head the last irreversible block may be
throughput.py  transactions, gas, CPU, bandwidth and time between blocks
"""

from collector.health.making.finality import finality, tolerated
from collector.health.making.makers import Makers
from collector.health.making.throughput import Throughput

__all__ = ["Makers", "Throughput", "finality", "tolerated"]
