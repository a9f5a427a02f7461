"""Who seals, by the last blocks of a Clique chain: signers take turns, but any may seal when a turn is missed.

Block n is the turn of the signer at place n % N, and whoever sealed one of the last N // 2 blocks must wait: see
go-ethereum, consensus/clique. So with N // 2 signers the chain halts.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Mapping, Sequence

from collector.health.assessment import Making, Round
from collector.health.making.describing import described, others
from collector.health.making.orders import Orders
from collector.health.making.plausible import moment
from collector.health.making.recent import Share, shares, unbroken
from collector.health.making.tallies import Tallies
from collector.health.making.turns import SHOWN
from collector.health.making.verdicts import CLIQUE, verdict
from collector.health.thresholds import Thresholds
from collector.health.words import listed, short
from collector.observations import Block

WINDOW = 64
"""Blocks that are looked at, at least: as many as `clique_status` does."""

ROTATIONS = 3
"""A signer that sealed none of the blocks of so many rotations is missing: a lossy network costs it a turn or two."""

FEWEST = 9
"""Blocks that this takes at least: three rotations of one or two signers are too few."""

WIGGLE = 0.5
"""Seconds per signer by which those out of turn wait in addition (go-ethereum: wiggleTime)."""


def needed(signers: int) -> int:
    """Return how many signers it takes to seal at all."""
    return signers // 2 + 1


def due(number: int, order: Sequence[str]) -> str:
    """Return whose turn a block is."""
    return order[number % len(order)]


def fits(block: Block, order: Sequence[str]) -> bool:
    """Tell whether a block of a known sealer can be of this order: one of it, and in turn if the difficulty says so."""
    if block.maker not in order:
        return False
    return block.in_turn is None or block.in_turn == (block.maker == due(block.number, order))


def assess(
    recent: Sequence[Block],
    at: float,
    stood: float,
    *,
    orders: Orders,
    period: float | None,
    tallies: Tallies,
    limits: Thresholds,
) -> Making:
    """Say who seals. `recent` is the newest first, `stood` for how many seconds no block has come."""
    order = orders.present
    least = max(ROTATIONS * len(order), FEWEST)
    last = unbroken(recent, max(WINDOW, SHOWN * len(order)))
    window = last[: max(WINDOW, least)]
    found = shares(window)
    judged = _judged(last[:least], least, orders)
    awaited = _awaited(last, order, stood, period, limits)
    active = {
        name: False if name in awaited else _seals(found.get(name), least, judged, orders.since(name)) for name in order
    }
    rounds = _rounds(last, order, orders.first)
    turns = _next_turns(last, order, at, period)
    count = sum(each is True for each in active.values())
    known = None not in active.values()
    told = [block.in_turn for block in window if block.in_turn is not None]
    return Making(
        kind="clique",
        makers=[
            described(
                name,
                found.get(name),
                tallies.get(name),
                scheduled=name in active,
                active=active.get(name),
                current=bool(last) and last[0].maker == name,
                rounds=rounds.get(name, ()),
                next_turn=turns.get(name),
            )
            for name in [*order, *others(found, orders, window)]
        ],
        window=len(window),
        scheduled=len(order),
        active=count if known else None,
        needed=needed(len(order)),
        margin=count - needed(len(order)) if known else None,
        in_turn_share=sum(told) / len(told) if told else None,
        verdict=verdict(CLIQUE, list(active.values()), needed(len(order)), _missing(active, awaited, found, window)),
    )


def _seals(share: Share | None, least: int, judged: int | None, since: int | None) -> bool | None:
    """Tell whether a signer seals: None unless it is known of enough blocks, since it is one, who sealed them."""
    if share is not None and share.newest < least:
        return True
    if judged is not None and (since is None or since <= judged):
        return False
    return True if share is not None else None


def _judged(last: Sequence[Block], least: int, orders: Orders) -> int | None:
    """Return the first of the last blocks by which it is judged who seals; None unless they are enough, and fit.

    Blocks that do not fit the signers that were told are of others: who is new is not known then.
    """
    first = orders.first
    fitting = all(
        block.maker and ((first is not None and block.number < first) or fits(block, orders.present)) for block in last
    )
    return last[-1].number if fitting and len(last) == least else None


def _awaited(
    last: Sequence[Block], order: Sequence[str], stood: float, period: float | None, limits: Thresholds
) -> Collection[str]:
    """Return who might seal the next block, but does not though it is long due: no one is told of in health.

    This is how sealers that died at once are found, for without them no blocks come that would show it. With a period
    of 0 a block is due only when there are transactions.
    """
    wait = len(order) // 2
    if not period or stood <= limits.standstill(period) + WIGGLE * len(order):
        return ()
    if len(last) < wait or not all(block.maker for block in last[:wait]):
        return ()
    waiting = {block.maker for block in last[:wait]}
    return [name for name in order if name not in waiting]


def _rounds(last: Sequence[Block], order: Sequence[str], first: int | None) -> dict[str, deque[Round]]:
    """Return the last turns of each signer, the oldest first, back to where the order is known to hold."""
    rounds: dict[str, deque[Round]] = {name: deque(maxlen=SHOWN) for name in order}
    for block in last:
        if (first is not None and block.number < first) or (block.maker and not fits(block, order)):
            break
        turns = rounds[due(block.number, order)]
        in_turn = block.maker == due(block.number, order) if block.maker else block.in_turn
        if in_turn is not None and len(turns) < SHOWN:
            turns.appendleft(Round(int(in_turn), 1))
    return rounds


def _next_turns(last: Sequence[Block], order: Sequence[str], at: float, period: float | None) -> Mapping[str, float]:
    """Return when each signer's next turn is, if blocks come at their time from now on."""
    if not last or not period or moment(last[0].timestamp) is None:
        return {}
    number = last[0].number + 1
    begins = max(last[0].timestamp + period, at)
    return {due(number + turn, order): begins + turn * period for turn in range(len(order))}


def _missing(
    active: Mapping[str, bool | None], awaited: Collection[str], found: Mapping[str, Share], window: Sequence[Block]
) -> str:
    names = [name for name, seals in active.items() if seals is False]
    if not names:
        return ""
    who, alone = listed(map(short, names)), len(names) == 1
    if awaited:
        return f"{who} may seal the next block, and {'does' if alone else 'do'} not"
    blocks = min(found[name].newest if name in found else len(window) for name in names)
    return f"{who} {'has' if alone else 'have'} sealed none of the last {blocks} blocks"
