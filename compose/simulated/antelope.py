"""An Antelope chain whose blocks come by a clock: rounds of 12 blocks per producer, and finality as nodeos reckons it.

Time is cut into slots, each of which belongs to one producer: a producer that is away leaves its slots empty.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple, Self

from compose.simulated.ledger import KEPT, NO_HABITS, PLAIN, Fork, Habits, Ledger, Turns, digits
from compose.simulated.load import Steady

EPOCH = 946_684_800
"""Slots are counted from 2000-01-01, in seconds since 1970."""

ROUND = 12
"""Blocks that a producer makes in a row."""

HISTORY = 1000
"""Slots gone by when a chain is made: with 21 producers the last irreversible block trails by up to 336."""

TRACKED = 1024
"""Blocks whose confirmations are counted at most, as in nodeos."""

FULL = 500
"""Transactions that a block holds at most: the CPU time of a block is enough for so many."""


class Block(NamedTuple):
    """One block. `producer` is an index into the schedule; `irreversible` the last irreversible block seen from it."""

    number: int
    slot: int
    producer: int
    irreversible: int
    irreversible_slot: int
    transactions: int = 0


class Finality:
    """The last irreversible block under DPoS: nodeos's `block_header_state::next`, for a schedule that stands.

    A block is proposed as irreversible once more than two thirds of the producers have built upon it; it is
    irreversible once more than two thirds of them have seen such a proposal. A producer that is mute confirms nothing.
    """

    def __init__(self, producers: int) -> None:
        self._required = producers * 2 // 3 + 1
        self._implied = [0] * producers
        self._watermarks = [0] * producers
        self._missing: list[int] = []
        self._proposed = 0
        self.irreversible = 0

    def built(self, number: int, producer: int, *, mute: bool) -> int:
        """Take note of a block, and return the last irreversible one."""
        missing = self._missing
        missing.append(self._required)
        if len(missing) > TRACKED:
            del missing[0]
        if mute:
            return self.irreversible
        watermark = self._watermarks[producer]
        earlier = min(number - 1 - watermark, number - 1 - self.irreversible) if watermark else 0
        proposed = self._proposed
        for i in range(len(missing) - 1, max(len(missing) - 2 - earlier, -1), -1):
            missing[i] -= 1
            if not missing[i]:
                proposed = number - (len(missing) - 1 - i)
                del missing[: i + 1]
                break
        self._implied[producer] = self._proposed
        self._watermarks[producer] = number
        self.irreversible = max(self.irreversible, sorted(self._implied)[(len(self._implied) - 1) // 3])
        self._proposed = proposed
        return self.irreversible


class SavannaFinality:
    """The last irreversible block under Savanna: two blocks behind, as long as enough finalizers vote."""

    def __init__(self, finalizers: int) -> None:
        self._required = finalizers * 2 // 3 + 1
        self.voting = finalizers
        """How many finalizers there are that vote."""
        self.irreversible = 0

    def built(self, number: int, producer: int, *, mute: bool) -> int:  # noqa: ARG002 - the same call as under DPoS
        """Take note of a block, and return the last irreversible one."""
        if self.voting >= self._required:
            self.irreversible = max(number - 2, self.irreversible)
        return self.irreversible


class Antelope(Ledger[Block]):
    """A chain of `producers` (nodes' names), all of which produce until `made_by` says otherwise.

    A chain of one is a fresh one, produced by `eosio`; one of several has the system contract, hence votes and stakes.
    `load` is how many transactions come a second.
    """

    def __init__(
        self,
        name: str,
        producers: Iterable[str],
        period: float,
        clock: Callable[[], float],
        *,
        savanna: bool = False,
        load: float = 0.0,
    ) -> None:
        self._next_slot = math.floor((clock() - EPOCH) / period) - HISTORY + 1
        first = Block(1, self._next_slot - 1, 0, 0, self._next_slot - 1)
        self.producers = tuple(producers)
        """The nodes that produce, in the order of their turns."""
        self._first_slot = first.slot
        since = EPOCH + first.slot * period
        super().__init__(name, period, clock, first, load=Steady(load, period), since=since, makers=self.producers)
        self.savanna = savanna
        self.id = digits("chain", name)
        count = len(self.producers)
        self.made = [0] * count
        """How many blocks each of them has made, ever."""
        self.schedule = ("eosio",) if count <= 1 else tuple(account_name(i) for i in range(count))
        """The producers' account names, in the order of their turns."""
        self._odd: dict[int, Habits] = {}
        self._finality = SavannaFinality(count) if savanna else Finality(count)
        if count:
            self._finality.built(1, 0, mute=False)
        self._irreversible_slot = first.slot
        self._due = self._available(self._next_slot)
        self.advance()

    @property
    def system_contract(self) -> bool:
        """Whether accounts have stakes and producers votes."""
        return len(self.schedule) > 1

    @property
    def started(self) -> float:
        """When block 1 was made."""
        return self.time(self._first_slot)

    @property
    def weight(self) -> tuple[int, ...]:
        """The last irreversible block, then the height: what is irreversible is never given up."""
        return (self.head.irreversible, self.head.number)

    @property
    def voting(self) -> frozenset[str]:
        """The nodes that produce whose blocks confirm others, or that vote where there are votes."""
        return frozenset(name for name in self.active if not self._habit(name).mute)

    def advance(self) -> None:
        """Fill the slots that have gone by."""
        now = self.now
        if now < self._due:
            return
        self._next_slot = max(self._next_slot, self._slot_at(now) - KEPT)
        while self._available(self._next_slot) <= now:
            self._fill(self._next_slot)
            self._next_slot += 1
        self._due = self._available(self._next_slot)

    def made_by(self, names: Iterable[str], habits: Mapping[str, Habits] = NO_HABITS) -> None:
        """Let these nodes produce, and vote where there are votes, and no others, from now on."""
        super().made_by(names, habits)
        self._odd = {i: habit for i, name in enumerate(self.producers) if (habit := self._habit(name)) is not PLAIN}
        if isinstance(self._finality, SavannaFinality):
            self._finality.voting = len(self.voting)

    def branch(self, tag: str = "") -> Self:
        """Return a chain of its own that shares the blocks so far, see `Ledger.branch`."""
        other = super().branch(tag)
        other.made = self.made.copy()
        other._finality = copy.deepcopy(self._finality)  # noqa: SLF001 - its own kind, not yet anybody's
        return other

    def id_of(self, number: int, fork: Fork | None = None) -> str:
        """Return a block's id as it is seen on the fork, or on the chain itself: its number, then a hash."""
        return f"{number:08x}" + self._hash(number, fork)[8:]

    def time(self, slot: int) -> float:
        """Return the time of a slot, the one that its block carries, in seconds since 1970."""
        return EPOCH + slot * self.period

    def producer_of(self, slot: int) -> int:
        """Return whose slot it is: an index into the schedule."""
        return slot % (len(self.schedule) * ROUND) // ROUND

    def _available(self, slot: int) -> float:
        """Return when a block is there: ahead of its time, and the last of a round further ahead than the others."""
        lead = 0.4 if slot % ROUND == ROUND - 1 else 0.2
        return EPOCH + (slot - lead) * self.period

    def _slot_at(self, moment: float) -> int:
        return math.floor((moment - EPOCH) / self.period)

    def _set_clock(self, ahead: float) -> None:
        if ahead > self.ahead:
            self._next_slot = max(self._next_slot, self._slot_at(self.clock() + ahead) + 1)
            self._due = self._available(self._next_slot)
        super()._set_clock(ahead)

    def _maker_of(self, slot: int) -> int | None:
        """Return who fills a slot, an index into the schedule; None where it stays empty."""
        producer = self.producer_of(slot)
        if self._odd and len(self.producers) > 1:
            before = (producer - 1) % len(self.producers)
            doubles = self._odd[before].doubles if before in self._odd else None
            if doubles and self._is_in(doubles, before, slot - ROUND) and self.producers[before] in self.active:
                return before
        if self.producers[producer] not in self.active:
            return None
        skips = self._odd[producer].skips if producer in self._odd else None
        if skips and slot % ROUND >= ROUND - skips.blocks and self._is_in(skips, producer, slot):
            return None
        return producer

    def _is_in(self, turns: Turns, producer: int, slot: int) -> bool:
        """Tell whether a slot, of that producer's round, belongs to these turns."""
        cycle = len(self.schedule)
        begun = self._slot_at(turns.since + self.ahead) + 1
        first = -(-begun // ROUND)  # the first round, anybody's, that had not begun
        first += (producer - first) % cycle
        return first <= slot // ROUND < first + turns.rounds * cycle

    def _fill(self, slot: int) -> None:
        if not self.producers:
            return
        producer = self._maker_of(slot)
        if producer is None:
            return
        self.made[producer] += 1
        head = self.head
        number = head.number + 1
        mute = self._habit(self.producers[producer]).mute
        irreversible = self._finality.built(number, producer, mute=mute)
        if irreversible != head.irreversible:
            block = self.block(irreversible)
            self._irreversible_slot = block.slot if block else self.oldest.slot
        transactions = self._take(self.time(slot), FULL)
        self._blocks.append(Block(number, slot, producer, irreversible, self._irreversible_slot, transactions))


def account_name(index: int) -> str:
    """Return the account of the producer at a place of the schedule: `prodaa`, `prodab`, ..."""
    letters = "abcdefghijklmnopqrstuvwxyz"
    return f"prod{letters[index // 26 % 26]}{letters[index % 26]}"
