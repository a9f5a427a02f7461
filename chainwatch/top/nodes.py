"""The nodes of a chain, as rows of a table."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import Enum
from typing import Any

from chainwatch.top import words
from chainwatch.top.marks import Marks
from chainwatch.top.table import Column, Table
from collector.health.assessment import Assessment, NodeHealth, Severity, State

_RANK = {Severity.CRITICAL: 0, Severity.WARNING: 1, Severity.INFO: 3, None: 4}
_DOWN, _UNKNOWN = 0, 2  # their ranks among these: a node that is down is worse than one that lags
_COLOURS = ("red", "yellow", "dim", "cyan", "green")
_SPARKS = 20


class Order(Enum):
    """What the nodes are sorted by; each press of a key takes the next."""

    WORST = "what is wrong"
    LAG = "lag"
    NAME = "name"


class Nodes:
    """The nodes as they are at the moment `now`, in seconds since the epoch."""

    def __init__(self, chain: Assessment, marks: Marks, now: float) -> None:
        self._nodes = chain.nodes
        self._marks = marks
        self._now = now
        self._worst: dict[str, tuple[Severity, str]] = {}
        for finding in chain.findings:  # the worst come first
            self._worst.setdefault(finding.subject, (finding.severity, finding.signal))

    def sorted(self, order: Order) -> list[NodeHealth]:
        """Return them in an order."""
        keys: dict[Order, Callable[[NodeHealth], tuple[Any, ...]]] = {
            Order.WORST: lambda node: (self._rank(node), _least_known(node.lag_blocks), node.node),
            Order.LAG: lambda node: (_least_known(node.lag_blocks), node.node),
            Order.NAME: lambda node: (node.node,),
        }
        return sorted(self._nodes, key=keys[order])

    def table(self, rows: Sequence[NodeHealth], width: int) -> Table[NodeHealth]:
        """Return the table for a line of so many cells. What tells most of a node's health stays the longest."""
        marks = self._marks
        columns: list[Column[NodeHealth]] = [
            Column("node", self._name, 4, 28),
            Column("state", self._state, 6, 18),
            Column("role", lambda node: (words.name(node.role), ""), 4, 10, 4),
            Column("head", lambda node: (words.whole(node.head_number), ""), 6, 15, right=True),
            Column("lag", lambda node: (words.whole(node.lag_blocks), ""), 3, 11, right=True),
            Column("peers", lambda node: (words.whole(node.peers), ""), 5, 7, 2, right=True),
            Column("latency", lambda node: (words.milliseconds(node.latency), ""), 7, 9, 3, right=True),
            Column("clock", lambda node: (words.skew(node.clock_skew), ""), 5, 9, 6, right=True),
            Column("answered", self._answered, 8, 10, 5, right=True),
            Column("lags", lambda node: (marks.sparkline(node.lags, _SPARKS), ""), _SPARKS, _SPARKS, 1),
            Column("version", lambda node: (words.name(node.version), ""), 7, 32, 7),
        ]
        return Table(columns, rows, width)

    def _rank(self, node: NodeHealth) -> int:
        if node.state is State.DOWN:
            return _DOWN
        if node.state is State.UNKNOWN:
            return _UNKNOWN
        severity, _ = self._worst.get(node.node, (None, ""))
        return _RANK[severity]

    def _name(self, node: NodeHealth) -> tuple[str, str]:
        return words.name(node.node), "bold" if self._rank(node) < _RANK[None] else ""

    def _state(self, node: NodeHealth) -> tuple[str, str]:
        style = _COLOURS[self._rank(node)]
        if node.state is State.DOWN:
            return f"{self._marks.severity(Severity.CRITICAL)} down", style
        if node.state is State.UNKNOWN:
            return f"{self._marks.unknown} unknown", style
        severity, signal = self._worst.get(node.node, (None, ""))
        word = words.name(signal).replace("_", " ") if severity else "syncing" if node.syncing else "up"
        return f"{self._marks.severity(severity)} {word}", style

    def _answered(self, node: NodeHealth) -> tuple[str, str]:
        if node.last_answer is None:
            return ("never" if node.state is State.DOWN else "?"), ""
        return f"{words.duration(self._now - node.last_answer)} ago", ""


def _least_known(lag: int | None) -> int:
    """Return what sorts the largest lag first and an unknown one last."""
    return 1 if lag is None else -lag
