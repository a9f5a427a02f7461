"""What simulated nodes of both kinds have in common: listeners, faults, a place in a network, a record of requests."""

from __future__ import annotations

import asyncio
import contextlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Generic

from aiohttp import web

from compose.simulated import spoiling
from compose.simulated.describing import described
from compose.simulated.faults import FAULTS, FaultError, Parameters, checked
from compose.simulated.ledger import BlockT, Fork, Habits, Ledger, Turns
from compose.simulated.network import Member, Network
from compose.simulated.serving import Answer, Listener, Requests, Served
from compose.simulated.striking import Strikes

FURTHEST = 366 * 86_400.0
"""Seconds that a clock is wrong by at most."""

Answering = Callable[[web.BaseRequest, bytes], Answer]


class Node(ABC, Generic[BlockT]):
    """One simulated node: where it answers, what is wrong with it, what it was asked.

    `page` says that its metrics page has a listener of its own.
    """

    kind: str
    maker: str
    """The role that makes blocks."""
    versions: tuple[str, ...]
    """What it can be."""

    def __init__(self, name: str, role: str, version: str, network: Network[BlockT], *, page: bool) -> None:
        if version not in self.versions:
            raise ValueError(f"{name}: no version {version!r}; there are {', '.join(self.versions)}")
        self.name = name
        self.role = role
        self.version = version
        self.network = network
        self.faults: spoiling.Faults = MappingProxyType({})
        """The faults it has now, by name, with their parameters. Replaced as a whole, never changed in place."""
        self.requests = Requests()
        self.served = Served()
        self.restarts = 0
        self.known_as: set[str] = set()
        """Further addresses that requests come to, a load balancer's."""
        self.place = len(network.members)
        self.branch = network.admit(self)
        """The branch that its side of the network is on."""
        self._frozen = (self.branch, self.branch.head)
        self._since: dict[str, float] = {}
        self._strikes: Strikes | None = None
        self._changed = asyncio.Event()
        self._changing = asyncio.Lock()
        self._main = Listener(self.serve)
        self._page = Listener(self._answer_page) if page else None

    @property
    def chain(self) -> str:
        """The name of its chain."""
        return self.network.name

    @property
    def ledger(self) -> Ledger[BlockT]:
        """What it knows of its chain: its side's branch, or where it stalls the one that it was on then."""
        return self._frozen[0] if "stall" in self.faults else self.branch

    @property
    def side(self) -> str:
        """The side of the network that it is on: it sees only nodes of the same."""
        return str(self.faults["split"]["side"]) if "split" in self.faults else ""

    @property
    def ahead(self) -> float:
        """How many seconds its clock is ahead; negative where it is behind."""
        seconds = float(self.faults["clock"]["seconds"]) if "clock" in self.faults else 0.0
        return max(-FURTHEST, min(seconds, FURTHEST))

    @property
    def habits(self) -> Habits:
        """What is odd about how it makes blocks."""
        return Habits(
            mute="mute" in self.faults, skips=self._turns("skip"), doubles=self._turns("double"), clock=self.ahead
        )

    @property
    def makes_blocks(self) -> bool:
        """Whether it is a sealer or producer."""
        return self.role == self.maker

    @property
    def url(self) -> str:
        """Where it answers JSON-RPC or nodeos's API."""
        return self._main.url

    @property
    @abstractmethod
    def metrics_url(self) -> str:
        """Where its metrics page is: geth's `/debug/metrics`, nodeos's Prometheus page; empty where it has none."""

    @property
    def connections(self) -> int:
        """How many connections to it are open."""
        return self._main.connections + (self._page.connections if self._page else 0)

    @property
    def reachable(self) -> bool:
        """Whether nodes of its side see it as a peer."""
        return not ("down" in self.faults or "no_peers" in self.faults)

    def sees(self, other: Member[BlockT]) -> bool:
        """Tell whether it and another node can be connected."""
        return self.reachable and other.reachable and self.side == other.side

    @property
    def head(self) -> BlockT:
        """The block that it takes for the head, as of the chain's last `advance`."""
        ledger, faults = self.ledger, self.faults
        head = self._frozen[1] if "stall" in faults else ledger.head
        if "lag" in faults:
            number = max(head.number - int(faults["lag"]["blocks"]), ledger.oldest.number)
            head = ledger.block(number) or head
        return head

    @property
    def fork(self) -> Fork | None:
        """The fork that it is on, if any."""
        if "fork" in self.faults:
            parameters = self.faults["fork"]
            return Fork(str(parameters["branch"]), int(parameters["height"]))
        return None

    def describe(self) -> dict[str, Any]:
        """Return what the control interface says of it."""
        return described(self)

    async def fault(self, name: str, /, **parameters: float | str) -> None:
        """Have this fault from now on, beside those it has; with other parameters if it has it already.

        Raises FaultError, naming what exists, for a fault or a parameter that this kind of node does not have.
        """
        wanted = checked(self.kind, name, parameters)
        version = str(wanted.get("version") or self.version)
        if version not in self.versions:
            raise FaultError(
                f"no version {version!r} of a node of kind {self.kind}; there are {', '.join(self.versions)}"
            )
        async with self._changing:
            self.network.advance()
            if FAULTS[name].action:
                self.version = version
                self.restarts += 1
                self.began(self.branch.clock())
                for listener in self._listeners:
                    listener.cut()
                return
            if name == "down":
                for listener in self._listeners:
                    await listener.close()
            self._since[name] = self.branch.clock()
            self._have({**self.faults, name: self._settled(name, wanted)})

    async def heal(self, *names: str) -> None:
        """Lose these faults, or all of them where none is named; one that it does not have is no matter.

        Raises OSError if it was down and its port cannot be had again.
        """
        async with self._changing:
            if "down" in self.faults and (not names or "down" in names):
                await self.open()
            self._have({name: p for name, p in self.faults.items() if names and name not in names})

    async def open(self) -> None:
        """Answer.

        Raises OSError where a port cannot be had.
        """
        for listener in self._listeners:
            await listener.open()

    async def end(self) -> None:
        """Stop answering and give the ports away; requests that still wait are cut off."""
        async with self._changing:
            self._have({})
            for listener in self._listeners:
                await listener.end()

    def change_over(self, branch: Ledger[BlockT]) -> None:
        """Be on this branch from now on."""
        self.branch = branch

    @abstractmethod
    def began(self, now: float) -> None:
        """Start anew at this time: counters, what was heard of others."""

    @abstractmethod
    def answer(self, request: web.BaseRequest, body: bytes) -> Answer:
        """Return the answer to a request, as a node without faults gives it."""

    @abstractmethod
    def answer_page(self, request: web.BaseRequest) -> Answer:
        """Return the answer to a request that came to the metrics page's own listener."""

    def http_headers(self) -> tuple[tuple[str, str], ...]:
        """Return the headers that all its answers have."""
        return ()

    @abstractmethod
    def own_words(self) -> Mapping[str, Answer]:
        """Return how this kind of node words the faults that replace an answer."""

    @property
    def _listeners(self) -> list[Listener]:
        return [self._main, self._page] if self._page else [self._main]

    def _settled(self, name: str, parameters: Parameters) -> Parameters:
        """Complete parameters by what holds at this moment."""
        if name == "stall":
            self._frozen = (self.ledger, self.head)
        if name == "some":
            self._strikes = Strikes(parameters)
        if name == "fork":
            return MappingProxyType({**parameters, "height": self._parting(parameters)})
        return parameters

    def _parting(self, parameters: Parameters) -> int:
        """Return the height from which on the fork differs: that of the nodes that are on it already, if any are."""
        for node in self.network.members:
            if node is not self and node.fork and node.fork.name == parameters["branch"]:
                return node.fork.height
        behind = max(int(parameters["depth"]) - 1, 0)
        return int(parameters["height"]) or max(self.head.number - behind, 1)

    def _turns(self, name: str) -> Turns | None:
        fault = self.faults.get(name)
        return Turns(self._since[name], int(fault["rounds"]), int(fault.get("blocks", 0))) if fault else None

    def _have(self, faults: Mapping[str, Parameters]) -> None:
        self.marred(faults)
        self.network.changed()

    def marred(self, faults: Mapping[str, Parameters]) -> None:
        """Have these faults; who calls this tells the network."""
        self.faults = MappingProxyType(dict(faults))
        self._changed.set()
        self._changed = asyncio.Event()

    async def serve(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer a request that came to its address, or to a load balancer's."""
        return await self._serve(request, self.answer)

    async def _answer_page(self, request: web.BaseRequest) -> web.StreamResponse:
        return await self._serve(request, lambda request, _: self.answer_page(request))

    async def _serve(self, request: web.BaseRequest, answer: Answering) -> web.StreamResponse:
        self.requests.note(request.method, request.raw_path)
        body = await request.read()
        while "hang" in self.faults:
            await self._changed.wait()
        struck = self._strikes.next() if self._strikes and "some" in self.faults else None
        if struck == "drop":
            self.served.dropped += 1
            return spoiling.broken_off(request, reset=False)
        if struck == "reset":
            self.served.reset += 1
            return spoiling.broken_off(request, reset=True)
        if struck == "delay":
            await self._delay(float(self.faults["some"]["seconds"]))
        self.ledger.advance()
        answered = self._spoilt(request, body, answer, busy=struck == "busy")
        answered = answered._replace(headers=(*self.http_headers(), *answered.headers))
        response = await spoiling.send(request, answered, lambda: self.faults)
        if request.transport is None or request.transport.is_closing():
            self.served.cut += 1
        else:
            self.served.answered[answered.status] += 1
            self.served.delayed += struck == "delay"
        return response

    def _spoilt(self, request: web.BaseRequest, body: bytes, answer: Answering, *, busy: bool) -> Answer:
        """Return the answer as the faults have it, and as that of a busy node if it is to be one."""
        faults = {**self.faults, "busy": {}} if busy else self.faults
        if not faults:
            return answer(request, body)
        return spoiling.whole(faults, self.own_words()) or spoiling.within(faults, answer(request, body))

    async def _delay(self, seconds: float) -> None:
        """Wait so long, or until the fault that demands it is gone."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while "some" in self.faults:
                    await self._changed.wait()
