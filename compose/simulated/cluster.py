"""The simulated cluster: chains of both kinds and the nodes on them, all on loopback."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from types import MappingProxyType, TracebackType
from typing import Any, Self, TypeVar

from compose.simulated import antelope, clique
from compose.simulated.antelope import Antelope
from compose.simulated.balancer import Balancer, BalancerOptions
from compose.simulated.clique import Clique
from compose.simulated.control import Control
from compose.simulated.faults import LONGEST, FaultError
from compose.simulated.geth import NEW, GethNode, GethOptions
from compose.simulated.network import Network
from compose.simulated.nodeos import NodeosNode, NodeosOptions
from compose.simulated.nodeos_versions import VERSIONS

AnyNode = GethNode | NodeosNode
Options = GethOptions | NodeosOptions | BalancerOptions
AnyNetwork = Network[clique.Block] | Network[antelope.Block]
OptionsT = TypeVar("OptionsT", GethOptions, NodeosOptions)


class SimulatedCluster:
    """Simulated nodes that answer over HTTP from `async with` on, until it ends.

    By default three sealers and two clients of geth 1.8.27 and two newer ones in one Clique chain, and a nodeos
    producer with three workers in one Antelope chain; every count may be 0. `more` are further nodes, of these chains
    or, where their options name others, of their own, and load balancers before nodes. Periods are seconds between
    blocks; `ethereum_period` 0 is Clique's period 0, where blocks are made of transactions alone. Loads are
    transactions a second. `ethstats` is where the geths push to, `ws://{name}:SECRET@HOST:PORT` with the word `{name}`
    for their own names, nowhere if it is empty. `clock` returns the seconds since 1970 that blocks come by. `control`
    opens the control interface, on `control_port` (0: any).

    Raises ValueError for counts, periods, names or versions that cannot be, OSError where a port cannot be had.
    """

    def __init__(
        self,
        *,
        sealers: int = 3,
        clients: int = 2,
        newer: int = 2,
        producers: int = 1,
        workers: int = 3,
        more: Iterable[Options] = (),
        ethereum_chain: str = "ethereum-demo",
        nodeos_chain: str = "nodeos-demo",
        ethereum_period: float = 3.0,
        nodeos_period: float = 0.5,
        ethereum_load: float = 1.0,
        nodeos_load: float = 4.0,
        ethstats: str = "",
        clock: Callable[[], float] = time.time,
        control: bool = False,
        control_port: int = 0,
    ) -> None:
        if min(sealers, clients, newer, producers, workers) < 0:
            raise ValueError("a count is below 0")
        if ethereum_period < 0 or nodeos_period <= 0:
            raise ValueError("a period is not above 0")
        if min(ethereum_load, nodeos_load) < 0:
            raise ValueError("a load is below 0")
        self._clock = clock
        self._ethereum = (ethereum_chain, ethereum_period, ethereum_load)
        self._nodeos = (nodeos_chain, nodeos_period, nodeos_load)
        self._networks: dict[str, AnyNetwork] = {}
        options = [
            *(_pushing(GethOptions(name=f"sealer-{i}", role="sealer"), ethstats) for i in _from_1(sealers)),
            *(_pushing(GethOptions(name=f"client-{i}"), ethstats) for i in _from_1(clients)),
            *(_pushing(GethOptions(name=f"newer-{i}", version=NEW, pprof=True), ethstats) for i in _from_1(newer)),
            *(NodeosOptions(name=f"producer-{i}", role="producer") for i in _from_1(producers)),
            *(NodeosOptions(name=f"worker-{i}") for i in _from_1(workers)),
            *more,
        ]
        nodes: dict[str, AnyNode] = {}
        made: list[AnyNode] = [*self._geths(options), *self._nodeoses(options)]
        for node in made:
            if node.name in nodes:
                raise ValueError(f"two nodes are named {node.name}")
            nodes[node.name] = node
        self.nodes: Mapping[str, AnyNode] = MappingProxyType(nodes)
        """All nodes by name: first those of Ethereum, then those of nodeos, each in the order given."""
        self.balancers: Mapping[str, Balancer] = MappingProxyType(
            {o.name: self._balancer(o) for o in options if isinstance(o, BalancerOptions)}
        )
        """All load balancers by name."""
        self._everything: dict[str, AnyNode | Balancer] = {**self.nodes, **self.balancers}
        self._control = Control(self._everything, control_port, self) if control else None

    @property
    def control_url(self) -> str:
        """Where the control interface answers; empty without one."""
        return self._control.url if self._control else ""

    def describe(self) -> list[dict[str, Any]]:
        """Return what the control interface says of every node."""
        return [node.describe() for node in self._everything.values()]

    async def split(self, chain: str, *sides: Iterable[str]) -> None:
        """Let a chain's network fall apart: the nodes named together see each other alone, and so do those not named.

        Raises FaultError for a chain or node that there is not.
        """
        self._network(chain).split(*sides)

    async def join(self, chain: str) -> None:
        """Let a chain's nodes all see each other again: all take the best branch.

        Raises FaultError for a chain that there is not.
        """
        self._network(chain).join()

    def push_to(self, ethstats: str) -> None:
        """Let all geths push from now on, where none did before; `ethstats` as above.

        Raises ValueError for an address that is none.
        """
        for node in self.nodes.values():
            if isinstance(node, GethNode):
                node.push_to(ethstats.replace("{name}", node.name))

    def submit(self, chain: str, transactions: int) -> None:
        """Let so many transactions come to a chain now; where it is split, to each side.

        Raises FaultError for a chain that there is not.
        """
        for ledger in self._network(chain).ledgers:
            ledger.submit(transactions)

    async def __aenter__(self) -> Self:
        try:
            for node in self._everything.values():
                await node.open()
            if self._control:
                await self._control.open()
        except BaseException:
            await self._end()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._end()

    async def _end(self) -> None:
        if self._control:
            await self._control.end()
        for node in self._everything.values():
            await node.end()

    def _network(self, chain: str) -> AnyNetwork:
        network = self._networks.get(chain)
        if network is None:
            raise FaultError(f"no chain {chain[:LONGEST]!r}; there are {', '.join(self._networks) or 'none'}")
        return network

    def _balancer(self, options: BalancerOptions) -> Balancer:
        missing = next((name for name in options.behind if name not in self.nodes), None)
        if missing is not None or options.name in self.nodes:
            wrong = "another node has its name" if missing is None else f"no node {missing}"
            raise ValueError(f"{options.name}: {wrong}")
        return Balancer(options, [self.nodes[name] for name in options.behind])

    def _add(self, network: AnyNetwork) -> None:
        if network.name in self._networks:
            raise ValueError(f"two chains are named {network.name}")
        self._networks[network.name] = network

    def _geths(self, options: Iterable[Options]) -> Iterator[GethNode]:
        own, period, load = self._ethereum
        for chain, members in _by_chain([o for o in options if isinstance(o, GethOptions)], own).items():
            sealers = [o.name for o in members if o.role == GethNode.maker]
            network = Network(Clique(chain, sealers, period, self._clock, load))
            self._add(network)
            yield from (GethNode(o, network) for o in members)

    def _nodeoses(self, options: Iterable[Options]) -> Iterator[NodeosNode]:
        own, period, load = self._nodeos
        for chain, members in _by_chain([o for o in options if isinstance(o, NodeosOptions)], own).items():
            makers = [o for o in members if o.role == NodeosNode.maker]
            savanna = bool(makers) and all(o.version in VERSIONS and VERSIONS[o.version].savanna for o in makers)
            names = [o.name for o in makers]
            network = Network(Antelope(chain, names, period, self._clock, savanna=savanna, load=load))
            self._add(network)
            yield from (NodeosNode(o, network) for o in members)


def _pushing(options: GethOptions, ethstats: str) -> GethOptions:
    return replace(options, ethstats=ethstats.replace("{name}", options.name))


def _from_1(count: int) -> range:
    return range(1, count + 1)


def _by_chain(options: Iterable[OptionsT], own: str) -> dict[str, list[OptionsT]]:
    chains: dict[str, list[OptionsT]] = {}
    for option in options:
        chains.setdefault(option.chain or own, []).append(option)
    return chains
