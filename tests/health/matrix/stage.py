"""The cluster of a case, what is done to it, and which of its nodes are watched: by whatever clock, and by whomever."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Self

from compose.simulated import AnyNode, Balancer, BalancerOptions, GethNode, GethOptions, NodeosOptions, SimulatedCluster
from tests.health.matrix.cases import PERIODS, Case, Deed, Node

CHAIN = "lab"
ROLES = {"ethereum": ("client", "sealer"), "nodeos": ("worker", "producer")}


class Stage:
    """The cluster of a case, for one kind of chain; `clock` returns the seconds since 1970 that its blocks come by.

    Nodes are named `maker-1`, `maker-2`, ..., `other-1`, ..., and as the case names those beside them.
    """

    def __init__(self, case: Case, kind: str, clock: Callable[[], float]) -> None:
        makers = [Node(f"maker-{i}", maker=True) for i in range(1, case.makers + 1)]
        others = [Node(f"other-{i}") for i in range(1, case.others + 1)]
        self._kind = kind
        self._nodes = {node.name: node for node in (*makers, *others, *case.nodes)}
        self.watched = [name for name, node in self._nodes.items() if node.watched]
        """The names of the nodes that are to be watched now."""
        self.cluster = _cluster(case, kind, self._nodes.values(), clock)
        self._exit = AsyncExitStack()

    async def __aenter__(self) -> Self:
        await self._exit.enter_async_context(self.cluster)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._exit.aclose()

    async def do(self, deed: Deed) -> None:
        """Do something to the cluster, or to what is watched."""
        if deed.fault:
            for name in deed.at:
                await self.node(name).fault(deed.fault, **deed.with_)
        for name in deed.heal:
            await self.node(name).heal()
        if deed.split:
            await self.cluster.split(CHAIN, *deed.split)
        if deed.join:
            await self.cluster.join(CHAIN)
        self.watched += deed.watch
        self.watched = [name for name in self.watched if name not in deed.unwatch]

    def node(self, name: str) -> AnyNode | Balancer:
        """Return a node, or a load balancer."""
        return self.cluster.nodes.get(name) or self.cluster.balancers[name]

    def role(self, name: str) -> str:
        """Return what a node is watched as."""
        node = self._nodes[name]
        return "balancer" if node.behind else ROLES[self._kind][node.maker]

    def accounts(self) -> Mapping[str, str]:
        """Return the names of the nodes by what their makers are told by: addresses and accounts."""
        accounts = {}
        for node in self.cluster.nodes.values():
            if isinstance(node, GethNode):
                accounts[node.address] = node.name
            elif node.name in node.antelope.producers:
                accounts[node.antelope.schedule[node.antelope.producers.index(node.name)]] = node.name
        return accounts


def _cluster(case: Case, kind: str, nodes: Iterable[Node], clock: Callable[[], float]) -> SimulatedCluster:
    options: list[GethOptions | NodeosOptions | BalancerOptions] = []
    for node in nodes:
        chain, role = node.network or CHAIN, ROLES[kind][node.maker]
        if node.behind:
            options.append(BalancerOptions(name=node.name, behind=node.behind))
        elif kind == "ethereum":
            version = case.version or "1.10.26"
            options.append(GethOptions(name=node.name, chain=chain, role=role, version=version))
        else:
            version = case.version or "4.0"
            options.append(NodeosOptions(name=node.name, chain=chain, role=role, version=version))
    period = PERIODS[kind] if case.period is None else case.period
    return SimulatedCluster(
        sealers=0,
        clients=0,
        newer=0,
        producers=0,
        workers=0,
        more=options,
        ethereum_chain=CHAIN,
        nodeos_chain=CHAIN,
        ethereum_period=period,
        nodeos_period=period or PERIODS["nodeos"],
        clock=clock,
    )
