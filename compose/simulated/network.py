"""Who is on a chain and sees whom: as a whole, or fallen apart into sides that go on by themselves."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Generic, Protocol

from compose.simulated.faults import IDLING, LONGEST, FaultError, Parameters, checked
from compose.simulated.ledger import PLAIN, BlockT, Fork, Habits, Ledger


class Member(Protocol[BlockT]):
    """What the network needs to know of a node. `branch` is the one that its side is on."""

    name: str
    kind: str
    version: str
    branch: Ledger[BlockT]
    faults: Mapping[str, Parameters]

    @property
    def side(self) -> str:
        """The side of the network that it is on, "" where that is whole."""

    @property
    def reachable(self) -> bool:
        """Whether other nodes see it as a peer."""

    @property
    def makes_blocks(self) -> bool:
        """Whether it is a sealer or producer."""

    @property
    def habits(self) -> Habits:
        """How it makes blocks."""

    @property
    def fork(self) -> Fork | None:
        """The fork that it is on, if any."""

    def change_over(self, ledger: Ledger[BlockT]) -> None:
        """Be on this branch from now on."""

    def marred(self, faults: Mapping[str, Parameters]) -> None:
        """Have these faults."""


class Network(Generic[BlockT]):
    """One chain and the nodes on it, who may have fallen apart into sides: each then has a branch of its own.

    A side's branch is the best that its nodes come with: where sides join, those of the worse branch change over.
    """

    def __init__(self, ledger: Ledger[BlockT]) -> None:
        self.name = ledger.name
        self.members: list[Member[BlockT]] = []
        self.changes = 0
        """Goes up whenever it may have changed which nodes see each other."""
        self._first = ledger

    @property
    def ledgers(self) -> list[Ledger[BlockT]]:
        """All branches that nodes are on, one as long as the network is whole."""
        return list({id(node.branch): node.branch for node in self.members}.values()) or [self._first]

    def admit(self, node: Member[BlockT]) -> Ledger[BlockT]:
        """Take in a further node, and return the branch it is on."""
        self.members.append(node)
        return self._first

    def advance(self) -> None:
        """Make the blocks that have fallen due, on every branch."""
        for ledger in self.ledgers:
            ledger.advance()

    def changed(self) -> None:
        """Take note that a node's faults have changed: who makes blocks, and who sees whom."""
        self.advance()
        self.changes += 1
        sides: dict[str, list[Member[BlockT]]] = {}
        for node in self.members:
            sides.setdefault(node.side, []).append(node)
        taken: set[int] = set()
        for side, nodes in sides.items():
            ledger = max((node.branch for node in nodes), key=lambda ledger: ledger.weight)
            if id(ledger) in taken:
                ledger = ledger.branch(f"{self.changes}/{side}")
            taken.add(id(ledger))
            for node in nodes:
                node.change_over(ledger)
            makers = [node for node in nodes if node.makes_blocks and not IDLING & node.faults.keys()]
            ledger.made_by((node.name for node in makers), {n.name: h for n in makers if (h := n.habits) != PLAIN})

    def split(self, *sides: Iterable[str]) -> None:
        """Let the network fall apart: the nodes named together see each other alone, and so do those not named.

        Raises FaultError for a name that is no node's of this chain, or that comes twice.
        """
        by_name = {node.name: node for node in self.members}
        side_of: dict[str, str] = {}
        for i, names in enumerate(sides, 1):
            for name in names:
                if name not in by_name or name in side_of:
                    raise FaultError(f"{name[:LONGEST]!r} is no node of {self.name}, or is named twice")
                side_of[name] = str(i)
        for name, node in by_name.items():
            whole = {fault: parameters for fault, parameters in node.faults.items() if fault != "split"}
            side = {"split": checked(node.kind, "split", {"side": side_of[name]})} if name in side_of else {}
            node.marred({**whole, **side})
        self.changed()

    def join(self) -> None:
        """Let all see each other again."""
        self.split()
