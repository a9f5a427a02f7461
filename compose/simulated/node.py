"""What simulated nodes of both kinds have in common: listeners, faults, a place in a chain, a record of requests."""

from __future__ import annotations

import asyncio
import contextlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Generic

from aiohttp import web

from compose.simulated import spoiling
from compose.simulated.faults import FAULTS, IDLING, FaultError, Parameters, checked
from compose.simulated.ledger import BlockT, Fork, Ledger
from compose.simulated.serving import Answer, Listener, Requests, Served
from compose.simulated.striking import Strikes

Answering = Callable[[web.BaseRequest, bytes], Answer]


class Network(Generic[BlockT]):
    """One chain and the nodes on it."""

    def __init__(self, ledger: Ledger[BlockT]) -> None:
        self.ledger = ledger
        self.members: list[Node[BlockT]] = []
        self.changes = 0
        """Goes up whenever it may have changed which nodes see each other."""

    def changed(self) -> None:
        """Take note that a node's faults have changed: who makes blocks, and who sees whom."""
        self.changes += 1
        self.ledger.made_by(node.name for node in self.members if node.makes_blocks and not IDLING & node.faults.keys())


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
        self.place = len(network.members)
        self._frozen = network.ledger.head
        self._strikes: Strikes | None = None
        self._changed = asyncio.Event()
        self._changing = asyncio.Lock()
        self._main = Listener(self._answer_main)
        self._page = Listener(self._answer_page) if page else None
        network.members.append(self)

    @property
    def chain(self) -> str:
        """The name of its chain."""
        return self.network.ledger.name

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
        """Whether other nodes see it as a peer."""
        return not ("down" in self.faults or "no_peers" in self.faults)

    @property
    def head(self) -> BlockT:
        """The block that it takes for the head, as of the chain's last `advance`."""
        ledger, faults = self.network.ledger, self.faults
        head = self._frozen if "stall" in faults else ledger.head
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
        return {
            "name": self.name,
            "chain": self.chain,
            "kind": self.kind,
            "role": self.role,
            "version": self.version,
            "url": self.url,
            "metrics_url": self.metrics_url,
            "requests": self.requests.total,
            "served": self.served.describe(),
            "faults": {name: dict(parameters) for name, parameters in self.faults.items()},
        }

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
            self.network.ledger.advance()
            if FAULTS[name].action:
                self.version = version
                self.restarts += 1
                self.began(self.network.ledger.clock())
                for listener in self._listeners:
                    listener.cut()
                return
            if name == "down":
                for listener in self._listeners:
                    await listener.close()
            self._have({**self.faults, name: self._settled(name, wanted)})

    async def heal(self, *names: str) -> None:
        """Lose these faults, or all of them where none is named; one that it does not have is no matter.

        Raises OSError if it was down and its port cannot be had again.
        """
        async with self._changing:
            kept = {name: p for name, p in self.faults.items() if names and name not in names}
            if "down" in self.faults and "down" not in kept:
                await self.open()
            self._have(kept)

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

    @abstractmethod
    def began(self, now: float) -> None:
        """Start anew at this time: counters, what was heard of others."""

    @abstractmethod
    def answer(self, request: web.BaseRequest, body: bytes) -> Answer:
        """Return the answer to a request, as a node without faults gives it."""

    @abstractmethod
    def answer_page(self, request: web.BaseRequest) -> Answer:
        """Return the answer to a request that came to the metrics page's own listener."""

    @abstractmethod
    def own_words(self) -> Mapping[str, Answer]:
        """Return how this kind of node words the faults that replace an answer."""

    @property
    def _listeners(self) -> list[Listener]:
        return [self._main, self._page] if self._page else [self._main]

    def _settled(self, name: str, parameters: Parameters) -> Parameters:
        """Complete parameters by what holds at this moment."""
        if name == "stall":
            self._frozen = self.head
        if name == "some":
            self._strikes = Strikes(parameters)
        if name == "fork" and not parameters["height"]:
            return MappingProxyType({**parameters, "height": self.head.number})
        return parameters

    def _have(self, faults: Mapping[str, Parameters]) -> None:
        self.faults = MappingProxyType(dict(faults))
        self.network.changed()
        self._changed.set()
        self._changed = asyncio.Event()

    async def _answer_main(self, request: web.BaseRequest) -> web.StreamResponse:
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
        self.network.ledger.advance()
        answered = self._spoilt(request, body, answer, busy=struck == "busy")
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
