"""The facade of the package: takes what nodes tell of blocks, and is asked what follows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from collector.health.assessment import Branch
from collector.health.blocks.asking import ENOUGH, Asking
from collector.health.blocks.dividing import Heads, Line, divide
from collector.health.blocks.lagging import Lag, Yardstick
from collector.health.blocks.main import Main
from collector.health.blocks.reorganising import Changes, Partings, Reorganisations
from collector.health.blocks.settling import Settling
from collector.health.blocks.tree import Entry, Tree, has_place
from collector.observations import Block

MOST_WANTED = 64
"""Blocks that one node is asked for at once: of half a second, those of 32 s; one batch of headers for geth."""

REACH = 512
"""How far below the tip the chain is asked for to see whether a head there is of it."""

SET_BACK = 3
"""Observations in a row, older than the last but each newer than the one before, by which the clock was set back."""


class _Node:
    """What one node told last."""

    __slots__ = ("at", "changes", "entry", "former", "head", "late", "late_at")

    def __init__(self, tree: Tree) -> None:
        self.head: Block | None = None
        self.at = float("-inf")
        self.entry: Entry | None = None
        """Of the head, if it can be compared."""
        self.former: Entry | None = None
        """Of the head before."""
        self.changes = Changes(tree)
        self.late = 0
        self.late_at = 0.0

    def is_news(self, at: float) -> bool:
        """Tell whether an observation is newer than the last one, unless the clock was set back."""
        if at < self.at:
            self.late = self.late + 1 if self.late and at > self.late_at else 1
            self.late_at = at
            if self.late < SET_BACK:
                return False
        self.late = 0
        return True

    def is_aside(self) -> bool:
        """Tell whether what it had before is known not to be of the chain, or was not understood."""
        return self.former is not None and not self.former.main


class Blocks:
    """The blocks of one chain as its nodes tell of them: branches, lag, reorganisations, and what to ask for.

    Feed it (`saw`, `wanted`, `told` or `unanswered`), then `judge`: all that can be read is of that moment.
    Whatever nodes tell, in whatever order, nothing is raised, and what is kept is bounded (see `tree`). The only
    order that counts is that of a node's own heads, by the moments at which it was asked.
    """

    def __init__(self) -> None:
        self._tree = Tree()
        self.main = Main(self._tree)
        """The chain."""
        self.branches: Sequence[Branch] = ()
        """The chain first, then those with most nodes. Empty as long as no node that takes part told a head."""
        self._nodes: dict[str, _Node] = {}
        self._asking = Asking()
        self._settling = Settling()
        self._ground = 0  # the lowest number of the chain that is wanted
        self._now = float("-inf")  # when a node was last asked
        self._changed = True
        self._members: Mapping[str, bool] = {}
        self._lines: Sequence[Line] = ()
        self._branch_of: dict[str, int] = {}
        self._yardsticks: dict[int, Yardstick] = {}

    # What nodes tell

    def saw(self, node: str, head: Block, at: float, took: float = 0.0) -> None:
        """Take a head that a node told when it was asked at a moment, or pushed; the answer took so many seconds.

        Without a hash only its height and time are known: they take part in lag. An observation that is older than
        the node's last one tells nothing of its head.
        """
        if not has_place(head):
            return
        known = self._nodes.get(node)
        if known is None:
            known = self._nodes[node] = _Node(self._tree)
        if not known.is_news(at):
            return
        self._changed = True
        before, known.head, known.at = known.entry, head, at
        self._now = at
        known.entry = None
        if head.hash:
            known.entry = self._tree.hold(head, node)
            known.entry.sighted = min(known.entry.sighted, at + max(0.0, took))
        if before is not None and before is not known.entry:
            if known.entry is not None:
                known.changes.changed(before, known.entry, at)
            known.former = before
        if before is not None:
            self._tree.release(before)

    def told(self, node: str, blocks: Iterable[Block]) -> None:
        """Take blocks of a node's own chain, those that it was asked for or that it pushed, as far as they link."""
        roots = self._asking.end(node)
        self._changed = True
        self._tree.link(blocks, node)
        for root in roots:
            if root.alive and root.up is None:
                root.fruitless += 1

    def unanswered(self, node: str) -> None:
        """Take note that a node did not tell what it was asked for."""
        self._changed = True
        for root in self._asking.end(node):
            root.fruitless += 1

    def forget(self, node: str) -> None:
        """Forget a node; its blocks stay as long as others need them."""
        self._asking.end(node)
        known = self._nodes.pop(node, None)
        if known is None:
            return
        self._changed = True
        known.changes.forget()
        if known.entry is not None:
            self._tree.release(known.entry)

    def wanted(self, node: str, at: float) -> list[int]:
        """Return the numbers to ask a node for now, the newest first, at most `MOST_WANTED`; mostly none.

        They are what its head is not yet known to stand on, down to blocks that are known, and on beneath them where
        something is missing; what another node is just being asked for is left to it. So of the chain each block is
        asked for once, and of a branch as far down as it takes to find where it parted.
        """
        self._now = at
        self._asking.end(node)
        known = self._nodes.get(node)
        if known is None or known.entry is None:
            return []
        roots: list[Entry] = []
        numbers: list[int] = []
        alike: list[int] = []  # of these, what others on the chain would tell in the same words
        entry: Entry | None = known.entry
        aside = known.is_aside()
        while entry is not None and len(numbers) < MOST_WANTED:
            root = self.main.root_of(entry)
            floor = self._floor(root, known.entry)
            if root.number < floor or root.fruitless >= ENOUGH or self._asking.beneath(root, at):
                break
            contradicted = len(self._tree.at(root.number)) > 1
            if not aside and not contradicted and self._asking.number(root.number, at):
                break  # the other may well be telling the same: this node's turn comes if it is not
            roots.append(root)
            number, entry = root.number, None
            while number >= floor and len(numbers) < MOST_WANTED:
                if number < root.number:
                    entry = self._presumed(number, known.former, own=aside or contradicted)
                    if entry is not None:
                        break
                numbers.append(number)
                if not aside and not contradicted:
                    alike.append(number)
                number -= 1
        if numbers:
            self._asking.ask(node, at, roots, alike)
        return numbers

    # What follows

    def judge(self, members: Mapping[str, bool]) -> None:
        """Work out anew how the nodes that are up and of this network agree; the value: whether one makes blocks."""
        if not self._changed and members == self._members:
            return
        self._changed = False
        self._members = dict(members)
        self.main.deepen()
        heads: dict[Entry, Heads] = {}
        for name, makes_blocks in members.items():
            known = self._nodes.get(name)
            if known is not None and known.entry is not None:
                at = heads.setdefault(known.entry, Heads())
                at.nodes.append(name)
                at.makers += makes_blocks
        settled = not self._asking.anything(self._now)
        lines = divide(heads, self.main, settled=settled) if heads else []
        if lines:
            before = self.main.top
            linked = self.main.move(lines[0].tip)
            self._set_ground(before, linked=linked)
        self._tell(lines)
        partings: Partings = {}
        for known in self._nodes.values():
            known.changes.resolve(partings)

    def branch_of(self, node: str) -> int | None:
        """Return the place of a node's branch in `branches`; None as long as it isn't known how its head links."""
        return self._branch_of.get(node)

    def lag(self, node: str) -> Lag | None:
        """Return how far a node was behind its own branch when it was asked; the chain, if its branch isn't known.

        None of a node that takes no part, or told no head. See `lagging` for what it is held against.
        """
        known = self._nodes.get(node)
        if node not in self._members or known is None or known.head is None or not self._lines:
            return None
        branch = self._branch_of.get(node, 0)
        if node not in self._branch_of and not self._lines[0].nodes:
            return None  # the chain may be one that nobody is on any more
        yardstick = self._yardsticks.get(branch)
        if yardstick is None:
            oldest = min(
                self._nodes[name].at
                for name in self._members
                if name in self._nodes and self._branch_of.get(name, 0) == branch
            )
            yardstick = Yardstick(self._lines[branch].tip, self.main.lateness(), oldest, self._tree.mark)
            self._yardsticks[branch] = yardstick
        return yardstick.lag(known.head, known.at)

    def lag_of(self, head: Block, at: float) -> Lag | None:
        """Return how far a head was behind the chain at a moment, if that is known: of an address that is no node."""
        if not self._lines:
            return None
        return Yardstick(self._lines[0].tip, self.main.lateness(), at, self._tree.mark).lag(head, at)

    def reorganisations(self, node: str) -> Reorganisations:
        """Return which reorganisations a node is known to have been through."""
        known = self._nodes.get(node)
        return known.changes.known if known is not None else Reorganisations()

    def settled(self) -> list[Block]:
        """Return the blocks of the chain that have come to lie `SETTLED` deep since the last call, ascending.

        Where some were never told there is a gap. Each number is handed on at most once, ever: not again after a
        deeper reorganisation, and not for a chain that has begun anew until it is longer than it was.
        """
        return self._settling.settled(self.main, self._ground)

    def _presumed(self, number: int, former: Entry | None, *, own: bool) -> Entry | None:
        """Return what a node most likely has at a height: its former head; unless only its `own` counts, the chain."""
        if former is not None and former.alive and former.number == number:
            return former
        candidates = () if own else [entry for entry in self._tree.at(number) if self._may_lead_to(entry)]
        return max(candidates, key=lambda entry: (entry.main, entry.held), default=None)

    def _may_lead_to(self, entry: Entry) -> bool:
        """Tell whether an entry may be of the chain: one that only nodes of a branch have is of that."""
        if entry.main or not self.main.may_lead_to(entry):
            return entry.main
        theirs = [known for known in self._nodes.values() if known.entry is entry]
        return not theirs or not all(known.is_aside() for known in theirs)

    def _floor(self, root: Entry, head: Entry) -> int:
        """Return down to which number it is worth asking for what lies beneath the lowest block known of a head."""
        top = self.main.top
        if top is None:
            return max(1, head.number - MOST_WANTED + 1)
        if self._is_chain(root):
            return max(1, self._tree.mark, self._ground)
        if root.number < self.main.low:
            return root.number + 1  # the chain is asked for first, by those who have it: see `_set_ground`
        return max(1, self._tree.mark)

    def _is_chain(self, root: Entry) -> bool:
        """Tell whether the chain is known to stand on an entry that has nothing known beneath it."""
        return self.main.root is not None and root is self.main.root_of(self.main.root)

    def _set_ground(self, before: Entry | None, *, linked: bool) -> None:
        """Decide down to where the chain is wanted: at first a little, then what it takes to compare others' heads."""
        top, low = self.main.top, self.main.low
        assert top is not None
        if before is None or (not linked and not 0 <= low - before.number <= REACH):
            self._ground = top.number - MOST_WANTED + 1
        for name in self._members:
            known = self._nodes.get(name)
            if known is None or known.entry is None:
                continue
            root = self.main.root_of(known.entry)
            contradicts = known.entry.number >= low  # then it is worth finding where it parted, however far down
            if not self._is_chain(root) and (contradicts or root.number > top.number - REACH):
                self._ground = min(self._ground, root.number)

    def _tell(self, lines: Sequence[Line]) -> None:
        """Say which lines are branches: of those that aren't known to link, such as contradict the chain."""
        top, low = self.main.top, self.main.low
        told: list[tuple[Line, Branch]] = []
        for line in lines:
            tip = line.tip.block
            assert top is not None
            assert tip is not None
            if not told or line.left is not None:
                parted = line.left.number if line.left is not None else None
                depth = tip.number - line.left.number if line.left is not None else 0
            elif line.root.number <= top.number and tip.number >= low:
                parted, depth = None, tip.number - max(line.root.number, low) + 1
            else:
                continue
            told.append((line, Branch(tuple(line.nodes), tip.number, tip.hash, tip.timestamp, parted, depth)))
        told[1:] = sorted(told[1:], key=lambda each: (-len(each[1].nodes), -each[1].tip_number, each[1].tip_hash))
        self._lines = [line for line, _ in told]
        self.branches = tuple(branch for _, branch in told)
        self._branch_of = {node: place for place, branch in enumerate(self.branches) for node in branch.nodes}
        self._yardsticks = {}
