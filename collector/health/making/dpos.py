"""Who produces, by the slots of the last turns of a DPoS chain: a slot without a block is one that its producer missed.

So a turn skipped whole is seen as well, though no block of its producer tells of it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from collector.health.assessment import Making, Round
from collector.health.making.describing import described, others
from collector.health.making.orders import Orders
from collector.health.making.recent import Share, shares, unbroken
from collector.health.making.tallies import Tallies, Tally
from collector.health.making.turns import SHOWN, STANDSTILL, TURN, Empty, Turns
from collector.health.making.verdicts import DPOS, verdict
from collector.health.words import listed, short
from collector.observations import Block

MARGIN = 2.0
"""Seconds by which a block may come late before its slot counts as missed, as long as no later block has come."""

FITTING = 0.75
"""Share of the blocks that must fit the schedule, or nothing is concluded from it: nodes accept no others."""


@dataclass(slots=True)
class Seen:
    """The last turns, as far as their slots are known: by turn, how many hold a block and how many none."""

    made: Counter[int] = field(default_factory=Counter)
    empty: Counter[int] = field(default_factory=Counter)
    fitting: int = 0
    judged: int = 0

    @property
    def holds(self) -> bool:
        """Whether blocks fit the schedule, so that it tells whose turn it is."""
        return self.judged > 0 and self.fitting >= FITTING * self.judged


@dataclass(slots=True)
class _Turn:
    """One turn of a producer. `over`: of all its slots it is known whether they hold a block."""

    made: int
    over: bool


def needed(producers: int) -> int:
    """Return how many producers it takes for finality: more than two thirds."""
    return 2 * producers // 3 + 1


def assess(
    recent: Sequence[Block],
    at: float,
    stood: float,
    *,
    orders: Orders,
    period: float | None,
    finalizers: int | None,
    tallies: Tallies,
) -> Making:
    """Say who produces. `recent` is the newest first, `stood` for how many seconds no block has come."""
    turns = Turns(orders.present, period)
    order = turns.schedule
    window = unbroken(recent, SHOWN * TURN * len(order))
    found = shares(window)
    seen = look(window, turns, orders.first, stood)
    own = _by_producer(seen, turns)
    active = {name: _produces(own[name], found.get(name), len(order)) for name in order}
    in_a_row = {name: _missed_in_a_row(own[name], tallies.get(name)) for name in order}
    begin = _next_turns(window, turns, at) if seen.holds else {}
    count = sum(each is True for each in active.values())
    known = None not in active.values()
    decide = finalizers is None or finalizers == len(order)  # under Savanna others may vote than those who produce
    return Making(
        kind="dpos",
        makers=[
            described(
                name,
                found.get(name),
                tallies.get(name),
                scheduled=name in active,
                active=active.get(name),
                current=bool(window) and window[0].maker == name,
                rounds=[Round(turn.made, TURN) for turn in own.get(name, ()) if turn.over][-SHOWN:],
                next_turn=begin.get(name),
                missed_in_a_row=in_a_row.get(name, 0),
            )
            for name in [*order, *others(found, orders, window)]
        ],
        window=len(window),
        scheduled=len(order),
        active=count if known else None,
        needed=needed(len(order)),
        margin=count - needed(len(order)) if known and decide else None,
        verdict=verdict(
            DPOS, list(active.values()), needed(len(order)) if decide else None, _missing(active, in_a_row)
        ),
    )


def look(window: Sequence[Block], turns: Turns, first: int | None, stood: float) -> Seen:
    """Return what these blocks, the newest first, tell of the turns that they lie in.

    `first` is the first block since which the schedule is known to hold. Of the time since the newest block as much
    counts as it has stood, less a margin.
    """
    seen = Seen()
    later: int | None = None
    for place, block in enumerate(window):
        if first is not None and block.number < first:
            break
        if not block.maker:
            later = None
            continue
        slot = turns.kept(block)
        seen.judged += 1
        if slot is not None:
            seen.fitting += 1
            seen.made[slot // TURN] += 1
            if later is not None:
                _leave_out(seen, turns.missed(slot, later))
            elif place == 0 and stood > MARGIN:
                _leave_out(seen, turns.empty(slot + 1, turns.passed(block.timestamp + stood - MARGIN)))
        later = slot
    if not seen.holds:
        seen.made.clear()
        seen.empty.clear()
    return seen


def _leave_out(seen: Seen, missed: Iterable[Empty]) -> None:
    for turn, slots in missed:
        seen.empty[turn] += slots


def _by_producer(seen: Seen, turns: Turns) -> dict[str, list[_Turn]]:
    """Return what is known of the last turns of each producer, the oldest first."""
    own: dict[str, list[_Turn]] = {name: [] for name in turns.schedule}
    for turn in sorted({*seen.made, *seen.empty}):
        made = seen.made[turn]
        own[turns.producer(turn)].append(_Turn(made, over=made + seen.empty[turn] == TURN))
    return own


def _produces(own: Sequence[_Turn], share: Share | None, producers: int) -> bool | None:
    """Tell whether a producer made a block in one of its last two turns; None where these are not known."""
    skipped = 0
    for turn in reversed(own):
        if turn.made:
            return True
        skipped += turn.over
        if skipped == STANDSTILL:
            return False
    return True if share is not None and share.newest < STANDSTILL * TURN * producers else None


def _missed_in_a_row(own: Sequence[_Turn], tally: Tally) -> int:
    """Return how many whole turns a producer has let go by since its last block."""
    skipped = 0
    for turn in reversed(own):
        if turn.made:
            return skipped
        skipped += turn.over
    return max(skipped, tally.missed_in_a_row)  # its last block lies further back than these turns


def _next_turns(window: Sequence[Block], turns: Turns, at: float) -> Mapping[str, float]:
    """Return when each producer's next turn begins."""
    if not window or turns.slot(window[0].timestamp) is None:
        return {}
    present = turns.passed(max(at, window[0].timestamp)) // TURN
    return {turns.producer(turn): turns.begins(turn) for turn in range(present + 1, present + 1 + len(turns.schedule))}


def _missing(active: Mapping[str, bool | None], in_a_row: Mapping[str, int]) -> str:
    names = [name for name, produces in active.items() if produces is False]
    if len(names) == 1:
        return f"{short(names[0])} has let its last {in_a_row[names[0]]:,} turns go by"
    return f"{listed(map(short, names))} have let their last turns go by" if names else ""
