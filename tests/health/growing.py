"""Chains that fork, drawn by the name of each branch, and nodes that walk on them: what `Blocks` is told in tests."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from collector.health.blocks import Blocks
from collector.observations import Block

BEGAN = 1_800_000_000.0


class Grown:
    """A tree of blocks: branches by name, each a part of another and what it has of its own.

    A block of number n is made at `began` + n periods, on whatever branch; `clock` is by how much the makers' clocks,
    and thus the timestamps, are ahead of the collector's.
    """

    def __init__(self, period: float = 0.5, clock: float = 0.0, began: float = BEGAN) -> None:
        self.period, self.clock, self.began = period, clock, began
        self._parted: dict[str, tuple[str, int]] = {}

    def part(self, branch: str, number: int, of: str = "") -> None:
        """Let a branch part: `number` is the last block in common."""
        self._parted[branch] = (of, number)

    def block(self, number: int, branch: str = "") -> Block:
        """Return a block of a branch."""
        return Block(
            number,
            self._hash(number, branch),
            self.made(number) + self.clock,
            parent=self._hash(number - 1, branch),
            maker="maker",
            transactions=0,
        )

    def made(self, number: int) -> float:
        """Return when a block is made, by the collector's clock."""
        return self.began + number * self.period

    def height(self, at: float) -> int:
        """Return the number of the newest block at a moment."""
        return int((at - self.began) // self.period)

    def parting(self, one: str, other: str) -> int | None:
        """Return the last block that two branches have in common; None of the same branch."""
        if one == other:
            return None
        mine, others = self._way(one), self._way(other)
        return int(max(min(mine[branch], others[branch]) for branch in mine if branch in others))

    def _way(self, branch: str) -> Mapping[str, float]:
        """Return up to which number a branch has the blocks of others, and its own."""
        way, until = {branch: float("inf")}, float("inf")
        while branch in self._parted:
            branch, number = self._parted[branch]
            until = min(until, number)
            way[branch] = until
        return way

    def _hash(self, number: int, branch: str) -> str:
        while branch in self._parted and number <= self._parted[branch][1]:
            branch = self._parted[branch][0]
        return f"{branch}{number}"


@dataclass
class Asked:
    """Nodes that are asked as the collector does: a head, then at once what is wanted.

    `bare`: heads are told without their parents, as nodeos does.
    """

    chain: Grown
    bare: bool = True
    took: float = 0.0
    blocks: Blocks = field(default_factory=Blocks)
    questions: dict[str, list[int]] = field(default_factory=dict)

    def gather(self, node: str, at: float, number: int, branch: str = "") -> list[int]:
        """Ask a node whose head is this block. Returns the numbers that were wanted."""
        wanted = self.ask(node, at, number, branch)
        if wanted:
            self.answer(node, wanted, number, branch)
        return wanted

    def ask(self, node: str, at: float, number: int, branch: str = "") -> list[int]:
        """Ask a node for its head alone; what is wanted is not answered."""
        head = self.chain.block(number, branch)
        if self.bare:
            head = Block(head.number, head.hash, head.timestamp)
        self.blocks.saw(node, head, at, self.took)
        wanted = self.blocks.wanted(node, at)
        self.questions.setdefault(node, []).extend(wanted)
        return wanted

    def answer(self, node: str, wanted: Iterable[int], number: int, branch: str = "") -> None:
        """Answer what was wanted."""
        self.blocks.told(node, [self.chain.block(n, branch) for n in wanted if 0 <= n <= number])

    def all(self, at: float, heads: Mapping[str, tuple[int, str]], makers: Sequence[str] = ()) -> None:
        """Gather of nodes with these heads, 10 ms one after another, and judge."""
        for place, (node, (number, branch)) in enumerate(heads.items()):
            self.gather(node, at + place * 0.01, number, branch)
        self.blocks.judge({node: node in makers for node in heads})


def bare(block: Block) -> Block:
    """Return a block as one tells of it who knows no more than its place."""
    return replace(block, parent="", maker="", transactions=None)
