"""Chains drawn as text, so that a test shows what it is about.

A slot or a block is one letter: whose it is. A `.` is a slot that holds no block, a `?` a block of an unknown maker
and a `-` one that is there, but that nobody told of. Spaces only make it readable.
"""

from __future__ import annotations

from collections.abc import Sequence

from collector.health.assessment import MakerHealth, Making
from collector.health.making import Makers
from collector.health.thresholds import Thresholds
from collector.observations import Block

EPOCH = 946_684_800
SLOT = 12 * 21 * 20 * 19 * 4_000
"""A slot at which the first producer of any schedule of up to four, or of 19 to 21, begins its turn: in 2029."""

GENESIS = 1_800_000_000.0
"""When block 0 of a drawn Clique chain was made."""

DEEP = 3
"""Blocks that lie so deep are settled."""


def slots(drawn: str, number: int = 1, slot: int = SLOT, period: float = 0.5) -> list[Block]:
    """Return the blocks of a DPoS chain, ascending, from its slots; the first block has this number."""
    blocks = []
    for place, maker in enumerate(drawn.replace(" ", "")):
        if maker == ".":
            continue
        if maker != "-":
            blocks.append(_block(number, EPOCH + (slot + place) * period, "" if maker == "?" else maker))
        number += 1
    return blocks


def seals(drawn: str, signers: Sequence[str], number: int = 1, period: float = 15.0) -> list[Block]:
    """Return the blocks of a Clique chain, ascending, from their sealers. The difficulty tells who sealed in turn."""
    blocks = []
    for maker in drawn.replace(" ", ""):
        if maker != "-":
            in_turn = None if maker == "?" else maker == signers[number % len(signers)]
            blocks.append(_block(number, GENESIS + number * period, "" if maker == "?" else maker, in_turn=in_turn))
        number += 1
    return blocks


def newest_first(blocks: Sequence[Block]) -> list[Block]:
    """Return the blocks as `Main.last` does: contiguous from the tip, down to a gap."""
    recent: list[Block] = []
    for block in reversed(blocks):
        if recent and recent[-1].number != block.number + 1:
            break
        recent.append(block)
    return recent


def seen_by(
    makers: Makers,
    blocks: Sequence[Block],
    *,
    signers: str = "",
    schedule: str = "",
    period: float | None = None,
    finalizers: int | None = None,
    at: float | None = None,
    settled: int = 0,
    limits: Thresholds | None = None,
) -> Making:
    """Let `makers` see a chain, of which so many blocks were settled before, and return what it says at a moment."""
    order = {"signers": list(signers) or None, "schedule": list(schedule) or None}
    makers.settled(blocks[settled : len(blocks) - DEEP], period=period, **order)
    moment = blocks[-1].timestamp if at is None else at
    making = makers.assess(
        newest_first(blocks), moment, period=period, finalizers=finalizers, seen=moment, limits=limits, **order
    )
    assert making is not None
    return making


def of(making: Making, name: str) -> MakerHealth:
    """Return what is said of one maker."""
    return next(maker for maker in making.makers if maker.name == name)


def rounds(making: Making, name: str) -> str:
    """Return a maker's last rounds as they are drawn in tests: `12 9 0`."""
    return " ".join(str(turn.made) for turn in of(making, name).rounds)


def _block(number: int, timestamp: float, maker: str, *, in_turn: bool | None = None) -> Block:
    difficulty = None if in_turn is None else 1 + in_turn
    parent = f"{number - 1:x}"
    return Block(number, f"{number:x}", timestamp, parent, maker, in_turn, difficulty, transactions=number % 4)
