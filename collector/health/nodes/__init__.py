"""What is told of single nodes by comparing them: figures alone, of which `collector.health.chain` makes use.

networks.py    who is on which network
answering.py   how the gathers of each node went
clocks.py      whose clock differs from the collector's: the nodes', and that of the chain's block times
arrivals.py    how long after the first sighting of a block each node had it
peers.py       who is connected to whom
versions.py    which releases the nodes run
"""

from collector.health.nodes.answering import Answering, Answers
from collector.health.nodes.arrivals import Arrivals
from collector.health.nodes.clocks import ChainClock, NodeClocks
from collector.health.nodes.networks import Networks
from collector.health.nodes.peers import Peers
from collector.health.nodes.versions import named, older, versions

__all__ = [
    "Answering",
    "Answers",
    "Arrivals",
    "ChainClock",
    "Networks",
    "NodeClocks",
    "Peers",
    "named",
    "older",
    "versions",
]
