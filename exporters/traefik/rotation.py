"""Who is behind: the rule, and nothing else.

A node is judged by its own latest head against a mark: the head that the best two nodes of its chain have both
reached. One node's claim is no mark, however high it is: a node of another network, or a defect, puts nobody out. Of
two nodes the higher is believed, since nobody is there to ask, and a node alone is never behind.

Only nodes that were heard of lately count. A head from before that is no mark, and its node no longer behind: whether
it is dead is for others to find out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

HEARD_WITHIN = 3
"""Intervals of a node without a head, after which it is as if never heard of."""

IN_STEP = 1
"""Blocks that a node may be behind the mark when it returns: a block takes its time to get around."""

Node = tuple[str, str]
"""A chain and the name of a node of it."""


class Lag(NamedTuple):
    """How far behind a node is: its head and the mark."""

    head: float
    mark: float


class _Heard(NamedTuple):
    head: float
    until: float


class Rotation:
    """Knows the heads of all nodes, and which of these nodes are `behind`.

    A node is behind once it lacks so many blocks, and until it lacks one at most: in between all stays as it was, so
    that a node at the limit does not come and go.
    """

    def __init__(self, behind: int) -> None:
        self._limit = behind
        self._heard: dict[str, dict[str, _Heard]] = {}
        self._unjudged: set[Node] = set()
        self._behind: dict[Node, Lag] = {}

    @property
    def behind(self) -> Mapping[Node, Lag]:
        """The nodes that are behind, each as it was when last judged."""
        return self._behind

    @property
    def heard(self) -> Iterable[Node]:
        """The nodes that were heard of lately."""
        return [(chain, name) for chain, nodes in self._heard.items() for name in nodes]

    def hear(self, node: Node, head: float, now: float, interval: float) -> None:
        """Take note of a head; another is expected of the node after so many seconds."""
        chain, name = node
        self._heard.setdefault(chain, {})[name] = _Heard(head, now + HEARD_WITHIN * interval)
        self._unjudged.add(node)

    def judge(self, now: float) -> None:
        """Judge the nodes that have been heard of since they were last judged.

        Not those that were not: the others' heads move on, and a node that is asked less often than they are, or that
        is the last one to be asked in a tick, would seem to be behind.
        """
        for chain, nodes in list(self._heard.items()):
            lately = {name: heard for name, heard in nodes.items() if heard.until >= now}
            if lately:
                self._heard[chain] = lately
            else:
                del self._heard[chain]
            reached = mark([heard.head for heard in lately.values()])
            for name, heard in lately.items():
                if (chain, name) in self._unjudged:
                    self._judge((chain, name), Lag(heard.head, reached))
        self._unjudged.clear()
        known = set(self.heard)
        self._behind = {node: lag for node, lag in self._behind.items() if node in known}

    def _judge(self, node: Node, lag: Lag) -> None:
        missing = lag.mark - lag.head
        if missing >= self._limit or (node in self._behind and missing > IN_STEP):
            self._behind[node] = lag
        else:
            self._behind.pop(node, None)


def mark(heads: Iterable[float]) -> float:
    """Return the head that a node is measured by: the second highest of three or more, the higher of two.

    Negative infinity where there are none: nobody is behind that.
    """
    highest = sorted(heads, reverse=True)
    if not highest:
        return float("-inf")
    return highest[1] if len(highest) > 2 else highest[0]  # noqa: PLR2004 - see the docstring
