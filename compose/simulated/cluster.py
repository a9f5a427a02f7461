"""The simulated cluster: chains of both kinds and the nodes on them, all on loopback."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from types import MappingProxyType, TracebackType
from typing import Any, Self, TypeVar

from compose.simulated.antelope import Antelope
from compose.simulated.clique import Clique
from compose.simulated.control import Control
from compose.simulated.geth import NEW, GethNode, GethOptions
from compose.simulated.node import Network
from compose.simulated.nodeos import NodeosNode, NodeosOptions
from compose.simulated.nodeos_versions import VERSIONS

AnyNode = GethNode | NodeosNode
Options = GethOptions | NodeosOptions
OptionsT = TypeVar("OptionsT", GethOptions, NodeosOptions)


class SimulatedCluster:
    """Simulated nodes that answer over HTTP from `async with` on, until it ends.

    By default three sealers and two clients of geth 1.8.27 and two newer ones in one Clique chain, and a nodeos
    producer with three workers in one Antelope chain; every count may be 0. `more` are further nodes, of these chains
    or, where their options name others, of their own. Periods are seconds between blocks. `clock` returns the seconds
    since 1970 that blocks come by. `control` opens the control interface, on `control_port` (0: any).

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
        clock: Callable[[], float] = time.time,
        control: bool = False,
        control_port: int = 0,
    ) -> None:
        if min(sealers, clients, newer, producers, workers) < 0:
            raise ValueError("a count is below 0")
        if min(ethereum_period, nodeos_period) <= 0:
            raise ValueError("a period is not above 0")
        self._clock = clock
        self._ethereum = (ethereum_chain, ethereum_period)
        self._nodeos = (nodeos_chain, nodeos_period)
        options = [
            *(GethOptions(name=f"sealer-{i}", role="sealer") for i in _from_1(sealers)),
            *(GethOptions(name=f"client-{i}") for i in _from_1(clients)),
            *(GethOptions(name=f"newer-{i}", version=NEW, pprof=True) for i in _from_1(newer)),
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
        self._control = Control(self.nodes, control_port) if control else None

    @property
    def control_url(self) -> str:
        """Where the control interface answers; empty without one."""
        return self._control.url if self._control else ""

    def describe(self) -> list[dict[str, Any]]:
        """Return what the control interface says of every node."""
        return [node.describe() for node in self.nodes.values()]

    async def __aenter__(self) -> Self:
        try:
            for node in self.nodes.values():
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
        for node in self.nodes.values():
            await node.end()

    def _geths(self, options: Iterable[Options]) -> Iterator[GethNode]:
        own, period = self._ethereum
        for chain, members in _by_chain([o for o in options if isinstance(o, GethOptions)], own).items():
            clique = Clique(chain, [o.name for o in members if o.role == GethNode.maker], period, self._clock)
            network = Network(clique)
            yield from (GethNode(o, clique, network) for o in members)

    def _nodeoses(self, options: Iterable[Options]) -> Iterator[NodeosNode]:
        own, period = self._nodeos
        for chain, members in _by_chain([o for o in options if isinstance(o, NodeosOptions)], own).items():
            makers = [o for o in members if o.role == NodeosNode.maker]
            savanna = bool(makers) and all(o.version in VERSIONS and VERSIONS[o.version].savanna for o in makers)
            antelope = Antelope(chain, [o.name for o in makers], period, self._clock, savanna=savanna)
            network = Network(antelope)
            yield from (NodeosNode(o, antelope, network) for o in members)


def _from_1(count: int) -> range:
    return range(1, count + 1)


def _by_chain(options: Iterable[OptionsT], own: str) -> dict[str, list[OptionsT]]:
    chains: dict[str, list[OptionsT]] = {}
    for option in options:
        chains.setdefault(option.chain or own, []).append(option)
    return chains
