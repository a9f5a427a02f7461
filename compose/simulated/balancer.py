"""A simulated load balancer: one address that answers as the nodes behind it do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from aiohttp import web

from compose.simulated import spoiling
from compose.simulated.describing import described
from compose.simulated.faults import FaultError, Parameters
from compose.simulated.geth import GethNode
from compose.simulated.network import Network
from compose.simulated.nodeos import NodeosNode
from compose.simulated.serving import Answer, Listener, Requests, Served

UNAVAILABLE = Answer(b"no server is available\n", 503, "text/plain", "other")

HELP: Mapping[str, str] = MappingProxyType(
    {
        "down": "refuses connections",
        "stale": "answers as the first node behind it would have when the fault came: an old answer for ever",
    }
)
"""What can be wrong with it; what is wrong with a node behind it shows as well."""


@dataclass(frozen=True, kw_only=True)
class BalancerOptions:
    """How a load balancer is run.

    `behind` names nodes of one chain: of those that are up all answer `in_turn`, or the first alone.
    """

    name: str
    behind: tuple[str, ...]
    in_turn: bool = True


class Balancer:
    """A load balancer: each request is answered by a node behind it, its faults included, but by none that is down."""

    role = "balancer"
    version = ""
    metrics_url = ""
    makes_blocks = False

    def __init__(self, options: BalancerOptions, behind: Sequence[GethNode | NodeosNode]) -> None:
        if not behind or len({(node.kind, node.chain) for node in behind}) > 1:
            raise ValueError(f"{options.name}: nodes of one chain must be behind a balancer, at least one")
        self.name = options.name
        self.kind = behind[0].kind
        self.chain = behind[0].chain
        self.faults: spoiling.Faults = MappingProxyType({})
        self.requests = Requests()
        self.served = Served()
        self._in_turn = options.in_turn
        self._behind = tuple(behind)
        self._next = 0
        self._old: GethNode | NodeosNode | None = None
        self._listener = Listener(self._answer)

    @property
    def url(self) -> str:
        """Where it answers."""
        return self._listener.url

    @property
    def connections(self) -> int:
        """How many connections to it are open."""
        return self._listener.connections

    def describe(self) -> dict[str, Any]:
        """Return what the control interface says of it."""
        return described(self)

    async def fault(self, name: str, /, **parameters: float | str) -> None:
        """Have this fault from now on; raises FaultError for one that a balancer does not have."""
        if name not in HELP or parameters:
            raise FaultError(f"a balancer has these faults, without parameters: {', '.join(HELP)}")
        if name == "down":
            await self._listener.close()
        else:
            self._old = _as_now(self._behind[0])
        nothing: Parameters = MappingProxyType({})
        self.faults = MappingProxyType({**self.faults, name: nothing})

    async def heal(self, *names: str) -> None:
        """Lose these faults, or all of them where none is named."""
        if "down" in self.faults and (not names or "down" in names):
            await self._listener.open()
        self.faults = MappingProxyType({n: p for n, p in self.faults.items() if names and n not in names})

    async def open(self) -> None:
        """Answer.

        Raises OSError where the port cannot be had.
        """
        await self._listener.open()
        for node in self._behind:
            node.known_as.add(self.url.removeprefix("http://"))

    async def end(self) -> None:
        """Stop answering and give the port away."""
        await self._listener.end()

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        self.requests.note(request.method, request.raw_path)
        node = self._old if "stale" in self.faults else self._chosen()
        if node is None:
            response = await spoiling.send(request, UNAVAILABLE, dict)
        else:
            response = await node.serve(request)
        self.served.answered[response.status] += 1
        return response

    def _chosen(self) -> GethNode | NodeosNode | None:
        up = [node for node in self._behind if "down" not in node.faults]
        if not up:
            return None
        self._next += 1
        return up[self._next % len(up) if self._in_turn else 0]


def _as_now(node: GethNode | NodeosNode) -> GethNode | NodeosNode:
    """Return a node that knows what this one knows now, and learns nothing more."""
    node.network.advance()
    old: GethNode | NodeosNode
    if isinstance(node, GethNode):
        sealed = node.clique.branch()
        sealed.made_by(())
        old = GethNode(node.options, Network(sealed))
    else:
        produced = node.antelope.branch()
        produced.made_by(())
        old = NodeosNode(node.options, Network(produced))
    old.known_as = node.known_as
    return old
