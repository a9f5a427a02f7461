"""One maker, as it is told of: what the last blocks say of it, and what was counted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from collector.health.assessment import MakerHealth, Round
from collector.health.making.orders import Orders
from collector.health.making.recent import Share
from collector.health.making.tallies import MOST_MAKERS, Tally
from collector.observations import Block


def described(
    name: str,
    share: Share | None,
    tally: Tally,
    *,
    scheduled: bool,
    active: bool | None = None,
    current: bool = False,
    rounds: Sequence[Round] = (),
    next_turn: float | None = None,
    missed_in_a_row: int = 0,
) -> MakerHealth:
    """Return what is told of a maker; `share` is its part of the last blocks, None if it has none."""
    return MakerHealth(
        name=name,
        scheduled=scheduled,
        active=active,
        current=current,
        last_block=share.last_block if share else tally.last_block,
        recent_blocks=share.blocks if share else 0,
        empty_share=share.empty_share if share else None,
        in_turn_share=share.in_turn_share if share else None,
        rounds=tuple(rounds),
        next_turn=next_turn,
        blocks=tally.blocks,
        empty_blocks=tally.empty_blocks,
        in_turn_blocks=tally.in_turn_blocks,
        missed_blocks=tally.missed_blocks,
        short_rounds=tally.short_rounds,
        missed_rounds=tally.missed_rounds,
        missed_rounds_in_a_row=missed_in_a_row,
        doubles=tally.doubles,
    )


def others(found: Mapping[str, Share], orders: Orders, recent: Sequence[Block]) -> list[str]:
    """Return who is told of though it isn't of the present order: until none of these blocks is of its time any more.

    Those who made some of them, and those who have left since the oldest.
    """
    names = [name for name in found if name not in orders.present]
    if recent and orders.first is not None and orders.first > recent[-1].number:
        names += [name for name in orders.former if name not in orders.present and name not in found]
    return names[:MOST_MAKERS]
