"""What is wrong with sealers and producers: what is so now, and what has happened of late."""

from __future__ import annotations

from collections.abc import Iterator

from collector.health.assessment import Assessment, MakerHealth
from collector.health.judging.found import Found
from collector.health.thresholds import Thresholds
from collector.health.words import amount, short

MOST_GONE = 64
"""Of those that dropped out, how many are told of: a node may make up a schedule whenever it is asked."""

FEW_ROUNDS = 8
"""Rounds below which it is not said that blocks are missing in most: a few may be lost at handovers in a row."""

LOSSY_SHARE = 2 / 3
"""Of these rounds, in which blocks are missing: a slow network loses one at every third handover or so."""


class MakersJudge:
    """Remembers the makers' counters, and when each went up last."""

    def __init__(self) -> None:
        self._counters: dict[tuple[str, str], int] = {}
        self._events: dict[tuple[str, str], tuple[float, float]] = {}  # when it happened last, how often by then
        self._gone: dict[str, float] = {}  # who dropped out, and when
        self._scheduled: frozenset[str] | None = None

    def of_makers(self, now: Assessment, limits: Thresholds) -> Iterator[Found]:
        """Yield what is wrong with makers."""
        making = now.making
        if making is None or not making.scheduled:
            return  # nobody tells who is to make blocks
        scheduled = frozenset(maker.name for maker in making.makers if maker.scheduled)
        gone = (self._scheduled or frozenset()) - scheduled
        self._scheduled = scheduled
        known = {maker.name for maker in making.makers} | gone
        for memory in (self._counters, self._events):
            for key in [key for key in memory if key[1] not in known]:
                del memory[key]
        for maker in making.makers:
            yield from self._of_maker(maker, now, limits)
        left = {name: at for name, at in (self._gone | dict.fromkeys(gone, now.at)).items() if name not in scheduled}
        lasting = {name: at for name, at in left.items() if now.at - at < limits.event_seconds}
        self._gone = dict(list(lasting.items())[-MOST_GONE:])
        what = "is no signer any more" if making.kind == "clique" else "has dropped out of the schedule"
        for name in self._gone:
            yield Found("unscheduled", name, f"{short(name)} {what}.")

    def _of_maker(self, maker: MakerHealth, now: Assessment, limits: Thresholds) -> Iterator[Found]:
        name = short(maker.name)
        dpos = now.making is not None and now.making.kind == "dpos"
        if maker.scheduled and maker.active is False and not now.halted:
            last = f"; its last was {maker.last_block:,}" if maker.last_block is not None else ""
            yield Found("maker_absent", maker.name, f"{name} makes none of the blocks that it is to make{last}.")
        if not dpos:
            return
        few = self._happened("blocks_missed", maker.name, maker.short_rounds, now.at, limits)
        lossy = sum(0 < turn.made < turn.due for turn in maker.rounds)
        if few:
            text = f"{name} left out several of the blocks that it was to make in {amount(few, 'round')}."
            yield Found("blocks_missed", maker.name, text, few)
        elif len(maker.rounds) >= FEW_ROUNDS and lossy >= LOSSY_SHARE * len(maker.rounds):
            text = f"Blocks of {name} are missing in {lossy} of its last {len(maker.rounds)} rounds."
            yield Found("blocks_missed", maker.name, text, lossy)
        rounds = self._happened("rounds_missed", maker.name, maker.missed_rounds, now.at, limits)
        rounds = max(rounds, 0 if now.halted else maker.missed_rounds_in_a_row)
        if rounds:
            yield Found("rounds_missed", maker.name, f"{name} let {amount(rounds, 'whole round')} go by.", rounds)
        if doubles := self._happened("double_production", maker.name, maker.doubles, now.at, limits):
            text = f"{name} made more blocks in a row than its turn has: two nodes may produce under one name."
            yield Found("double_production", maker.name, text, doubles)

    def _happened(self, signal: str, maker: str, count: int, at: float, limits: Thresholds) -> int:
        """Return how often something has happened of late, by a counter that goes up whenever it does."""
        key = (signal, maker)
        before = self._counters.get(key)
        self._counters[key] = count
        last, times = self._events.get(key, (at, 0))
        if before is not None and count > before:
            last, times = at, times + count - before
            self._events[key] = (last, times)
        elif times and at - last >= limits.event_seconds:
            del self._events[key]
            times = 0
        return int(times)
