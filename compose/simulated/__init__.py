"""Simulated chains: geth and nodeos as they answer over HTTP, with blocks by a clock and faults on command.

    async with SimulatedCluster() as cluster:
        await cluster.nodes["sealer-1"].fault("stall")
        await cluster.nodes["worker-2"].fault("lag", blocks=20)
        await cluster.nodes["worker-3"].fault("some", every=100, drop=10, busy=5)
        cluster.nodes["worker-3"].served
        await cluster.split("ethereum-demo", ["sealer-1", "client-1"])
        await cluster.join("ethereum-demo")

`python -m compose.simulated` runs one by itself.
"""

from compose.simulated.balancer import Balancer, BalancerOptions
from compose.simulated.cluster import AnyNode, SimulatedCluster
from compose.simulated.faults import FAULTS, FaultError
from compose.simulated.geth import GethNode, GethOptions
from compose.simulated.nodeos import NodeosNode, NodeosOptions

__all__ = [
    "FAULTS",
    "AnyNode",
    "Balancer",
    "BalancerOptions",
    "FaultError",
    "GethNode",
    "GethOptions",
    "NodeosNode",
    "NodeosOptions",
    "SimulatedCluster",
]
