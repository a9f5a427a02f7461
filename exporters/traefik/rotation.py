"""Who is behind: the rule, and nothing else.

A node is judged by its own latest head against a mark: the head that the best two nodes of its chain have both
reached. One node's claim is no mark, however high it is: a node of another network, or a defect, puts nobody out. Of
two nodes the higher is believed, since nobody is there to ask, and a node alone is never behind.

The same goes for the times of the heads: whatever a chain's blocks take, one that is stuck shows by the age of its
head. That age is measured by the others' heads and by no clock, so that a chain that stands still as a whole puts
nobody out; and one block alone makes nobody old, since the first after a gap is as much newer as the gap was long.

Only nodes that were heard of lately count. A head from before that is no mark, and its node no longer behind: whether
it is dead is for others to find out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

HEARD_WITHIN = 3
"""Intervals of a node without a head, after which it is as if never heard of."""

_IN_STEP = 1
"""Blocks that heads may always differ by: a block takes its time to get around."""

Node = tuple[str, str]
"""A chain and the name of a node of it."""


class Head(NamedTuple):
    """A head: its number, and its time in seconds if the node told it."""

    number: float
    time: float | None = None


class Lag(NamedTuple):
    """How far behind a node is: its head, the mark, and how many seconds older its head is than the mark of times."""

    head: float
    mark: float
    older: float

    def __str__(self) -> str:
        blocks = self.mark - self.head
        said = [f"{blocks:,.0f} block{'s' * (blocks != 1)} behind {self.mark:,.0f}"] if blocks > 0 else []
        said += [f"its head is {self.older:,.1f} s older than the others'"] if self.older > 0 else []
        return ", ".join(said)


class _Heard(NamedTuple):
    head: Head
    until: float


class Rotation:
    """Knows the heads of all nodes, and which of these nodes are `behind`.

    A node is behind once it lacks `behind` blocks, or its head is `older` seconds older (0: whatever its age), and
    until it lacks half of that at most: in between all stays as it was, so that a node at the limit does not come and
    go. Not until it lacks nothing: nodes are asked one after the other, and one that is always asked first, of a chain
    that is fast, never seems to be quite in step.
    """

    def __init__(self, behind: int, older: float = 0.0) -> None:
        self._behind_limit = behind
        self._older_limit = older or float("inf")
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

    def hear(self, node: Node, head: Head, now: float, interval: float) -> None:
        """Take note of a head; another is expected of the node after so many seconds."""
        chain, name = node
        self._heard.setdefault(chain, {})[name] = _Heard(head, now + HEARD_WITHIN * interval)
        self._unjudged.add(node)

    def forget(self, node: Node) -> None:
        """Let go of what was heard of a node: another has taken its name."""
        chain, name = node
        self._heard.get(chain, {}).pop(name, None)
        self._unjudged.discard(node)
        self._behind.pop(node, None)

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
            reached = mark([heard.head.number for heard in lately.values()])
            newest = mark([heard.head.time for heard in lately.values() if heard.head.time is not None])
            for name, (head, _) in lately.items():
                if (chain, name) in self._unjudged:
                    older = newest - head.time if head.time is not None else 0.0
                    self._judge((chain, name), Lag(head.number, reached, older))
        self._unjudged.clear()
        known = set(self.heard)
        self._behind = {node: lag for node, lag in self._behind.items() if node in known}

    def _judge(self, node: Node, lag: Lag) -> None:
        missing = lag.mark - lag.head
        older = lag.older if abs(missing) > _IN_STEP else 0.0
        leaves = missing >= self._behind_limit or older >= self._older_limit
        returns = missing <= max(_IN_STEP, self._behind_limit // 2) and older <= self._older_limit / 2
        if leaves or (node in self._behind and not returns):
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
