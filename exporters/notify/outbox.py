"""What a channel is still to be told: held by what it was told last, not by a queue of messages.

So a receiver that is away for an hour is told afterwards how each alert stands, once, and nothing piles up meanwhile.
Of one alert a channel is told by turns that it fires and that it is over, whatever happens between, and not anew
within `every` seconds.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

from collector.health.assessment import Severity
from exporters.notify.notice import Facts, Identity, Message, Notice, Status

MOST = 2_000
"""Alerts of which a channel remembers something."""

PUT_OFF = 3_600.0
"""Seconds until an alert is tried again that the receiver refuses to take, while it takes others."""

_RANKS = {severity: rank for rank, severity in enumerate(Severity)}  # the worst first


@dataclass
class Record:
    """How one alert stands with one channel. Moments are seconds since the epoch."""

    facts: Facts
    since: float
    """When it fired: of what is untold, or of what was told."""
    began: float
    """When it fired last."""
    until: float | None = None
    """When it was over; None while it fires."""
    told: float | None = None
    """When the channel was last told that it fires, and not yet that it is over."""
    times: int = 1
    """How often it fired since the channel was told of it."""
    last: float = 0.0
    """When the channel was last told anew that it fires."""
    put_off: float = 0.0
    """Until when it is not tried."""

    @property
    def rests(self) -> bool:
        """Whether there is nothing to tell: the record is kept so that the channel is not told anew too often."""
        return self.until is not None and self.told is None and not self.times

    def no_later_than(self, now: float) -> Record:
        """Return the same with nothing in it that is yet to come: the clock was another when it was kept."""
        return replace(
            self,
            since=min(self.since, now),
            began=min(self.began, now),
            until=None if self.until is None else min(self.until, now),
            told=None if self.told is None else min(self.told, now),
            times=max(0, self.times),
            last=min(self.last, now),
            put_off=min(self.put_off, now + PUT_OFF),
        )

    def fires_again(self, facts: Facts, now: float) -> None:
        """Take note that it fires once more."""
        if self.rests:
            self.since = now
        self.facts, self.began, self.until = facts, now, None
        self.times += 1

    def due(self, every: float, repeat: float) -> tuple[float, Status] | None:
        """Return what is to be told next, and from when on; None while there is nothing."""
        if self.rests:
            return None
        if self.told is None:
            at, status = self.last + every, Status.FIRING if self.until is None else Status.PASSED
        elif self.until is not None:
            at, status = self.told, Status.RESOLVED
        elif repeat:
            at, status = self.told + repeat, Status.STILL
        else:
            return None
        return max(at, self.put_off), status

    def was_told(self, notice: Notice, now: float) -> None:
        """Take note that the channel has this notice; what happened since it was made is still to be told."""
        self.times -= notice.times
        if notice.status in (Status.FIRING, Status.PASSED):
            self.last = now
        if notice.status in (Status.FIRING, Status.STILL):
            self.told = now
            self.times = 0
        else:
            self.told = None
            self.since = self.began


class Outbox:
    """All that one channel is still to be told. `severities` are those that it wants, `chains` too if any are named."""

    def __init__(
        self,
        name: str,
        least: Severity,
        chains: frozenset[str] = frozenset(),
        *,
        every: float = 900.0,
        repeat: float = 0.0,
    ) -> None:
        self.name = name
        self._least = least
        self._chains = chains
        self._every = every
        self._repeat = repeat
        self._records: dict[Identity, Record] = {}
        self._lacking: set[Identity] = set()
        self._full = False
        self.left_out = 0
        """Alerts that the channel could not be told of for want of room, since it was last told that."""
        self.dropped = 0
        """All of those of this process."""

    @property
    def records(self) -> Mapping[Identity, Record]:
        """What is remembered, by alert."""
        return self._records

    @property
    def waiting(self) -> int:
        """Alerts of which the channel is still to be told something."""
        return sum(
            record.told is None or record.until is not None for record in self._records.values() if not record.rests
        )

    def restore(self, identity: Identity, record: Record) -> None:
        """Take what an earlier process remembered."""
        if len(self._records) < MOST:
            self._records[identity] = record

    def wants(self, identity: Identity, severity: Severity) -> bool:
        """Tell whether the channel is for such alerts."""
        return _RANKS[severity] <= _RANKS[self._least] and (not self._chains or identity.chain in self._chains)

    def follow(self, firing: Mapping[Identity, Facts], over: Mapping[Identity, float], now: float) -> bool:
        """Go on with what fires now, and with what is over and since when. Returns whether anything has changed."""
        changed = self._full = False
        self._lacking &= firing.keys()
        for identity, facts in firing.items():
            if not self.wants(identity, facts.severity):
                continue
            record = self._records.get(identity)
            if record is None:
                changed |= self._begin(identity, facts, now)
            elif record.until is not None:
                record.fires_again(facts, now)
                changed = True
        for identity, record in list(self._records.items()):
            now_said = firing.get(identity)
            if record.until is None and (now_said is None or not self.wants(identity, now_said.severity)):
                record.until = max(over.get(identity, now), record.began)
                changed = True
            elif record.rests and now >= record.last + self._every:
                del self._records[identity]
                changed = True
        return changed

    def due(self, now: float) -> float:
        """Return when there is something to tell next; infinity if there is nothing."""
        found = (record.due(self._every, self._repeat) for record in self._records.values())
        return min((max(at, now) for at, _ in filter(None, found)), default=math.inf)

    def message(self, now: float, most: int) -> Message | None:
        """Return what the channel is to be told now: alerts of one chain, the worst first; None if there is nothing."""
        ready = []
        for identity, record in self._records.items():
            due = record.due(self._every, self._repeat)
            if due is not None and due[0] <= now:
                ready.append((due[1], identity, record))
        if not ready:
            return None
        ready.sort(key=lambda each: (_RANKS[each[2].facts.severity], each[0] is Status.STILL, each[2].since, each[1]))
        chain = ready[0][1].chain
        notices = tuple(
            Notice(identity, record.facts, status, record.since, record.until, record.times)
            for status, identity, record in ready
            if identity.chain == chain
        )
        return Message(self.name, chain, notices[:most], self.left_out)

    def sent(self, message: Message, now: float) -> None:
        """Take note that the channel has this message."""
        self.left_out -= message.left_out
        for notice in message.notices:
            if record := self._records.get(notice.identity):
                record.was_told(notice, now)

    def put_off(self, notice: Notice, now: float) -> None:
        """Try this one later: others may get through meanwhile."""
        if record := self._records.get(notice.identity):
            record.put_off = now + PUT_OFF

    def _begin(self, identity: Identity, facts: Facts, now: float) -> bool:
        if len(self._records) >= MOST and (self._full or not self._make_room()):
            self._full = True  # to look for room is work: not again for each of thousands
            if identity not in self._lacking:
                self._lacking.add(identity)
                self.left_out += 1
                self.dropped += 1
            return False
        self._lacking.discard(identity)
        self._records[identity] = Record(facts, now, now)
        return True

    def _make_room(self) -> bool:
        """Let go of what matters least: what rests, else the oldest that fired and was over, and nobody was told."""
        resting = next((identity for identity, record in self._records.items() if record.rests), None)
        if resting is not None:
            del self._records[resting]
            return True
        passed = [identity for identity, each in self._records.items() if each.told is None and each.until is not None]
        if not passed:
            return False
        del self._records[min(passed, key=lambda identity: self._records[identity].since)]
        self.left_out += 1
        self.dropped += 1
        return True
