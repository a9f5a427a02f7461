"""What the last blocks tell of those who made them, whatever the kind of chain."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from collector.health.making.plausible import amount
from collector.observations import Block


@dataclass(slots=True)
class Share:
    """One maker's part of the last blocks. `newest` is how many blocks came after its last one."""

    newest: int
    last_block: int
    blocks: int = 0
    told: int = 0
    """Those whose transactions were told."""
    empty: int = 0
    turns_told: int = 0
    """Those of which it is known whether they were made in turn."""
    in_turn: int = 0

    @property
    def empty_share(self) -> float | None:
        """Share of its blocks without a transaction."""
        return self.empty / self.told if self.told else None

    @property
    def in_turn_share(self) -> float | None:
        """Share of its blocks that were made in turn."""
        return self.in_turn / self.turns_told if self.turns_told else None


def unbroken(recent: Sequence[Block], most: int) -> list[Block]:
    """Return at most so many of these blocks, the newest first, down to where two do not follow upon each other."""
    kept: list[Block] = []
    for block in recent[:most]:
        if kept and not follows(kept[-1], block):
            break
        kept.append(block)
    return kept


def follows(later: Block, earlier: Block) -> bool:
    """Tell whether one block comes right after the other, as far as they say."""
    linked = not later.parent or not earlier.hash or later.parent == earlier.hash
    return linked and later.number == earlier.number + 1


def shares(blocks: Iterable[Block]) -> dict[str, Share]:
    """Return what each maker has of these blocks, the newest of which comes first."""
    found: dict[str, Share] = {}
    for place, block in enumerate(blocks):
        if not block.maker:
            continue
        share = found.get(block.maker)
        if share is None:
            share = found[block.maker] = Share(place, block.number)
        share.blocks += 1
        transactions = amount(block.transactions)
        if transactions is not None:
            share.told += 1
            share.empty += transactions == 0
        if block.in_turn is not None:
            share.turns_told += 1
            share.in_turn += block.in_turn
    return found
