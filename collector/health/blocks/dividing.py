"""Which nodes agree: their heads are put into lines, the chain itself and what goes on beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from collector.health.blocks.main import Main
from collector.health.blocks.tree import Entry


@dataclass(slots=True)
class Heads:
    """The nodes that have one block as their head; `makers` of them make blocks."""

    nodes: list[str] = field(default_factory=list)
    makers: int = 0


@dataclass(frozen=True, slots=True)
class Line:
    """Nodes whose heads follow upon each other, up to `tip`.

    `left` is the last block in common with the chain; without it `root` is the lowest block that is known of the line.
    """

    tip: Entry
    nodes: Sequence[str]
    left: Entry | None
    root: Entry


class _Fork:
    """An entry on the way from a head down, and who stands on it or above."""

    __slots__ = ("children", "entry", "makers", "nodes", "parent", "top")

    def __init__(self, entry: Entry) -> None:
        self.entry = entry
        self.parent: _Fork | None = None
        self.children: list[_Fork] = []
        self.nodes = 0
        self.makers = 0
        self.top = (entry.number, entry.hash)

    def rank(self) -> tuple[int, int, bool, int, str]:
        """Order those among which the chain is chosen, the best first."""
        return (-self.nodes, -self.makers, not self.entry.main, -self.top[0], self.top[1])


def divide(heads: Mapping[Entry, Heads], main: Main, *, settled: bool) -> list[Line]:
    """Put heads into lines, that of the chain first; the chain is what it was until `Main.move` is told.

    Where lines part, the chain goes on with that on which more nodes are, on whatever branches of it; then more
    makers; then with what it was before; then the higher, then the smaller hash. Lines of which it isn't known how
    they hang together are weighed alike, unless not `settled`: then that is being asked for, and the chain stays, if
    it isn't contradicted by so many that no answer will change that.
    A node whose head lies beneath several lines counts for each, and is put on that which is the best.
    """
    roots = _forks(heads)
    roots.sort(key=_Fork.rank)
    top = main.top
    settled = settled or (bool(roots) and _is_outvoted(main, roots[0], heads))
    if not settled and top is not None:
        roots.sort(key=lambda fork: not fork.entry.main)
        if not roots or not roots[0].entry.main:
            roots.insert(0, _Fork(top))
    lines: list[Line] = []
    for place, fork in enumerate(roots):
        root = main.root_of(fork.entry)
        waiting: list[tuple[_Fork, Entry | None]] = [(fork, None)]
        while waiting:
            start, left = waiting.pop()
            path, aside = _climb(start)
            nodes = [node for each in path if each.entry in heads for node in heads[each.entry].nodes]
            tip = path[-1].entry
            if not lines and not settled and top is not None and tip.main:
                tip = top  # the nodes that were there are being asked what they have come to
            chain = place == 0 and left is None
            lines.append(Line(tip, nodes, left, root))
            waiting.extend((each, parted.entry if chain else left) for parted, each in aside)
    return lines


def _is_outvoted(main: Main, best: _Fork, heads: Mapping[Entry, Heads]) -> bool:
    """Tell whether more than half of all nodes are on a line that has other blocks than the chain."""
    root = main.root_of(best.entry)
    if root.main or main.top is None:
        return False
    contradicts = root.number <= main.top.number and best.top[0] >= main.low
    return contradicts and 2 * best.nodes > sum(len(at.nodes) for at in heads.values())


def _forks(heads: Mapping[Entry, Heads]) -> list[_Fork]:
    """Return the lowest of what is known of each line, with all above. Of the chain, only where heads join it."""
    forks: dict[Entry, _Fork] = {}
    joined: list[_Fork] = []
    for head, at in heads.items():
        entry: Entry | None = head
        above: _Fork | None = None
        while entry is not None:
            fork = forks.get(entry)
            known = fork is not None
            if fork is None:
                fork = forks[entry] = _Fork(entry)
                if entry.main:
                    joined.append(fork)
            if above is not None:
                above.parent = fork
            if known or entry.main:
                break
            above, entry = fork, entry.up
        forks[head].nodes += len(at.nodes)
        forks[head].makers += at.makers
    joined.sort(key=lambda fork: fork.entry.number)
    for below, above in pairwise(joined):
        above.parent = below
    roots = []
    for fork in sorted(forks.values(), key=lambda fork: fork.entry.number, reverse=True):
        parent = fork.parent
        if parent is None:
            roots.append(fork)
            continue
        parent.children.append(fork)
        parent.nodes += fork.nodes
        parent.makers += fork.makers
        parent.top = min(parent.top, fork.top, key=lambda top: (-top[0], top[1]))
    return roots


def _climb(start: _Fork) -> tuple[list[_Fork], list[tuple[_Fork, _Fork]]]:
    """Return the way up with the most nodes, and the other ways, each with where it parts from this one."""
    path, aside = [start], []
    while path[-1].children:
        best = min(path[-1].children, key=_Fork.rank)
        aside += [(path[-1], each) for each in path[-1].children if each is not best]
        path.append(best)
    return path, aside
