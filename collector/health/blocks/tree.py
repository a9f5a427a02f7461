"""The blocks that nodes told of, linked by their parents: the tree that all else is read from."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import fields, replace
from itertools import islice

from collector.observations import Block

KEPT = 2_048
"""Blocks of the chain that are kept, and how far below its tip a parting is looked for: 17 minutes at half a second,
8.5 hours at 15 s. Where branches parted is remembered for as long as they last."""

MOST_OF_ONE = KEPT + 512
"""Blocks off the chain that one node may have told first: a branch as long as what is kept of the chain, and some."""

MOST_BLOCKS = 16_384
"""Blocks off the chain in all, some 10 MB: six nodes that tell nothing but inventions."""

MOST_TOLD = 1_024
"""Blocks of one answer that are looked at: many times what is asked for at once."""


_MOST_TIME = 1e12
"""Seconds: 30,000 years. What lies beyond is no time, and an infinity may be no number either."""


class Entry:
    """One block of the tree; `block` is None while only its place is known, as the parent of another.

    A place is a number and a hash: whatever is told, a parent's number is one less, so that nothing forms a loop.
    """

    __slots__ = ("alive", "block", "down", "fruitless", "hash", "held", "main", "number", "sighted", "teller", "up")

    def __init__(self, number: int, hash_: str, teller: str) -> None:
        self.number = number
        self.hash = hash_
        self.teller = teller
        self.block: Block | None = None
        self.up: Entry | None = None
        """The parent; of a block whose parent was forgotten, the nearest ancestor that was not."""
        self.down: list[Entry] = []
        self.held = 0
        """How many need it: nodes whose head it is, reorganisations not yet understood."""
        self.main = False
        """Whether it is of the chain itself."""
        self.sighted = math.inf
        """When a node was first known to have it as its head."""
        self.fruitless = 0
        """How often what lies beneath was asked for in vain."""
        self.alive = True


def common(one: Entry, other: Entry) -> Entry | None:
    """Return the newest block that both have beneath them, or are; None as long as that isn't known."""
    left: Entry | None = one
    right: Entry | None = other
    while left is not right:
        if left is None or right is None:
            return None
        if left.main and right.main:
            return left if left.number <= right.number else right
        if left.number >= right.number:
            left = left.up
        else:
            right = right.up
    return left


def lowest(entry: Entry) -> Entry:
    """Return the lowest block that this one is known to descend from."""
    while entry.up is not None:
        entry = entry.up
    return entry


class Tree:
    """All blocks that are kept. What falls below `mark` goes, except heads and where branches part."""

    def __init__(self) -> None:
        self.mark = 0
        self._entries: dict[tuple[int, str], Entry] = {}
        self._levels: dict[int, list[Entry]] = {}
        self._own: dict[str, dict[Entry, None]] = {}
        self._aside = 0  # entries in all of `_own`
        self._retained: list[Entry] = []  # entries below the mark

    def __len__(self) -> int:
        return len(self._entries)

    def find(self, number: int, hash_: str) -> Entry | None:
        """Return the entry of a place, if there is one."""
        return self._entries.get((number, hash_))

    def at(self, number: int) -> Sequence[Entry]:
        """Return all entries of a number, mostly one or none."""
        return self._levels.get(number, ())

    def hold(self, block: Block, teller: str) -> Entry:
        """Take a block that is needed, wherever it is; to be released."""
        entry = self._add(block, teller, held=1)
        self._bound(teller)
        return entry

    def retain(self, entry: Entry) -> None:
        """Need an entry once more."""
        entry.held += 1

    def release(self, entry: Entry) -> None:
        """Need an entry no more."""
        entry.held -= 1
        self._tidy(entry)

    def link(self, blocks: Iterable[Block], teller: str) -> None:
        """Take those blocks that are the parents or the children of what is there."""
        told = [block for block in islice(blocks, MOST_TOLD) if plausible(block) and block.number >= self.mark]
        told.sort(key=lambda block: block.number, reverse=True)
        rest = []
        for block in told:  # a block that is wanted makes its parent wanted
            if (block.number, block.hash) in self._entries:
                self._add(block, teller)
            else:
                rest.append(block)
        for block in reversed(rest):
            if block.parent and (block.number - 1, block.parent) in self._entries:
                self._add(block, teller)
        self._bound(teller)

    def set_main(self, entry: Entry, *, main: bool) -> None:
        """Take an entry into the chain, or out of it: what is in it counts for no node's own."""
        if entry.main is main:
            return
        entry.main = main
        if main:
            self._disown(entry)
        else:
            self._own.setdefault(entry.teller, {})[entry] = None
            self._aside += 1

    def prune(self, mark: int) -> None:
        """Forget what lies below a number; set the mark lower, and what was forgotten may come again."""
        before, self.mark = self.mark, mark
        span = mark - before
        numbers = range(before, mark) if span < len(self._levels) else [n for n in self._levels if n < mark]
        low = [*self._retained, *(entry for number in numbers for entry in self._levels.get(number, ()))]
        for entry in low:
            self._tidy(entry)
        self._retained = [entry for entry in dict.fromkeys(low) if entry.alive and entry.number < mark]

    def _add(self, block: Block, teller: str, held: int = 0) -> Entry:
        entry = self._entries.get((block.number, block.hash)) or self._enter(block.number, block.hash, teller)
        entry.held += held
        entry.block = block if entry.block is None else _merged(entry.block, block)
        parent = entry.block.parent
        if entry.up is None and parent and block.number > 0:
            up = self._entries.get((block.number - 1, parent))
            if up is None and block.number > self.mark:
                up = self._enter(block.number - 1, parent, teller)
            if up is not None:
                entry.up = up
                up.down.append(entry)
        return entry

    def _enter(self, number: int, hash_: str, teller: str) -> Entry:
        entry = Entry(number, hash_, teller)
        self._entries[number, hash_] = entry
        self._levels.setdefault(number, []).append(entry)
        self._own.setdefault(teller, {})[entry] = None
        self._aside += 1
        if number < self.mark:
            self._retained.append(entry)
        return entry

    def _disown(self, entry: Entry) -> None:
        own = self._own.get(entry.teller)
        if own is not None and entry in own:
            del own[entry]
            self._aside -= 1
            if not own:
                del self._own[entry.teller]

    def _remove(self, entry: Entry) -> None:
        """Take an entry out. Its children, if any, have lost their way down."""
        del self._entries[entry.number, entry.hash]
        level = self._levels[entry.number]
        level.remove(entry)
        if not level:
            del self._levels[entry.number]
        self._disown(entry)
        entry.alive = False
        if entry.up is not None:
            entry.up.down.remove(entry)
        for child in entry.down:
            child.up = None

    def _tidy(self, entry: Entry | None) -> None:
        """Forget an entry that nobody needs, and what nobody needs once it is gone."""
        while entry is not None and entry.alive and not entry.held:
            up = entry.up
            if not entry.down:
                lone = up is None or (up.block is None and len(up.down) == 1)
                if entry.number >= self.mark and (entry.main or not lone):
                    return
                self._remove(entry)
                entry = up
            elif len(entry.down) == 1 and entry.number < self.mark:
                child = entry.down[0]
                self._remove(entry)
                if up is not None:
                    child.up = up
                    up.down.append(child)
                return
            else:
                return

    def _bound(self, teller: str) -> None:
        """Forget the lowest of what one node alone told, if that is too much."""
        own = self._own.get(teller, {})
        if len(own) <= MOST_OF_ONE and self._aside > MOST_BLOCKS:
            own = max(self._own.values(), key=len)
        elif len(own) <= MOST_OF_ONE:
            return
        by_height = sorted((entry for entry in own if not entry.held), key=lambda entry: entry.number)
        for entry in by_height[: len(own) // 4 + 1]:
            self._remove(entry)


def plausible(block: Block) -> bool:
    """Tell whether a block can be compared with others."""
    return bool(block.hash) and has_place(block)


def has_place(block: Block) -> bool:
    """Tell whether a block's height and time can be reckoned with."""
    return block.number >= 0 and abs(block.timestamp) < _MOST_TIME


_DETAILS = [field.name for field in fields(Block)][3:]


def _merged(one: Block, other: Block) -> Block:
    """Return all that two tellings of a block tell; where they differ, what the first told stands."""
    if one is other or (one.parent and one.maker and one.transactions is not None):
        return one
    news = {
        name: told
        for name in _DETAILS
        if getattr(one, name) in (None, "") and (told := getattr(other, name)) not in (None, "")
    }
    return replace(one, **news) if news else one
