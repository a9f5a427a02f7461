"""Which replica of a service is at which address: the slot, by the name that DNS gives to the address.

Docker Swarm calls a task STACK_SERVICE.SLOT.ID.NETWORK, and gives a task that takes the place of a dead one the same
slot, another id and another address. Docker Compose calls a container PROJECT-SERVICE-SLOT, with underscores before
version 2.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from collector.discovery.addresses import Addresses, Names

PATIENCE = 5
"""Looks for which two addresses may have one slot without a word: they do while a task takes over from another."""

_SOON = 0.3
"""Seconds to wait for the name of an address that had a slot before.

Docker's DNS answers in milliseconds; but for a moment it still has the address of a task that has just died, no longer
its name, and asks the world's DNS for that, which may never answer. A look must not wait for the dead.
"""

_OF_A_TASK = re.compile(r"[^.]+\.([0-9]{1,9})\.[a-z0-9]{25}(?:\..*)?", re.DOTALL)
_OF_A_CONTAINER = re.compile(r"[^.]*[_-]([0-9]{1,9})(?:\..*)?", re.DOTALL)


class Replica(NamedTuple):
    """One of the addresses behind a name, and its slot: None where DNS tells none, or where nobody asked."""

    address: str
    slot: int | None = None


Replicas = tuple[Replica, ...]


class _Held(NamedTuple):
    """A slot, and the look at which its address was first seen with it."""

    slot: int
    since: int


class Slots:
    """Finds the slots of the addresses behind DNS names.

    An address keeps its slot until DNS gives it another one, or it is behind no name any more. `failed` is told each
    time that DNS doesn't answer, of a slot that was known before from the second time on, and once of an address that
    can have no slot of its own; of many at once in one line.
    """

    def __init__(self, names: Names, failed: Callable[[str], None]) -> None:
        self._names = names
        self._failed = failed
        self._held: dict[str, _Held] = {}
        self._looks = 0
        self._unanswered: set[str] = set()
        self._told: set[tuple[str, str]] = set()

    async def replicas(self, behind: Mapping[str, Addresses], within: float) -> dict[str, Replicas]:
        """Return what is behind each of these names, after `within` seconds at the latest.

        Every address is asked for each time: one that a dead task has left may be another's by now. Of two addresses
        with one slot, the one that came later has it, and of two that came together the first; the other is left out.
        """
        self._looks += 1
        addresses = list(dict.fromkeys(address for found in behind.values() for address in found))
        known = [address for address in addresses if address in self._held]
        new = [address for address in addresses if address not in self._held]
        of_known, of_new = await asyncio.gather(
            self._names.pointers(known, min(_SOON, within)), self._names.pointers(new, within)
        )
        answers = of_known | of_new
        before, self._held = self._held, {}
        for address, names in answers.items():
            slots = [] if isinstance(names, str) else [slot for slot in map(slot_in, names) if slot is not None]
            if address in before and (not slots or before[address].slot in slots):
                self._held[address] = before[address]
            elif slots:
                self._held[address] = _Held(min(slots), self._looks)
        told, self._told = self._told, set()
        for name, found in behind.items():
            self._tell(name, found, answers, told)
        self._unanswered = {address for address, names in answers.items() if isinstance(names, str)}
        return {name: self._replicas(found) for name, found in behind.items()}

    def _replicas(self, addresses: Addresses) -> Replicas:
        latest = self._latest(addresses)
        return tuple(
            Replica(address, held.slot if held else None)
            for address, held in ((address, self._held.get(address)) for address in addresses)
            if held is None or latest[held.slot] == address
        )

    def _latest(self, addresses: Addresses) -> dict[int, str]:
        """Return the address that has each slot."""
        latest: dict[int, str] = {}
        for address in addresses:
            if held := self._held.get(address):
                other = latest.setdefault(held.slot, address)
                if held.since > self._held[other].since:
                    latest[held.slot] = address
        return latest

    def _tell(
        self,
        name: str,
        addresses: Addresses,
        answers: Mapping[str, tuple[str, ...] | str],
        told: set[tuple[str, str]],
    ) -> None:
        unanswered = {address: why for address in addresses if isinstance(why := answers[address], str)}
        told_of = [address for address in unanswered if address not in self._held or address in self._unanswered]
        if told_of:
            why = unanswered[told_of[0]]
            self._failed(f"{name}: no answer from DNS for {_shown(told_of)} ({why}); slots known before are kept")
        latest = self._latest(addresses)
        without = [address for address in addresses if address not in self._held and address not in unanswered]
        left_out = [address for address in addresses if self._is_left_out(address, latest)]
        self._told.update((name, address) for address in (*without, *left_out))
        if new := [address for address in without if (name, address) not in told]:
            self._failed(f"{name}: DNS tells no slot of {_shown(new)}; in a node's name the address stands in for it")
        if new := [address for address in left_out if (name, address) not in told]:
            slot = self._held[new[0]].slot
            more = f", with {len(new) - 1} more" if len(new) > 1 else ""
            self._failed(f"{name}: {new[0]} has the slot of {latest[slot]}, {slot}, and is left out{more}")

    def _is_left_out(self, address: str, latest: Mapping[int, str]) -> bool:
        """Tell whether another address has the slot of this one, and has had it for long."""
        if address not in self._held:
            return False
        other = latest[self._held[address].slot]
        # A replica with an address of either family is no mistake.
        same = other == address or (":" in other) != (":" in address)
        return not same and self._looks - self._held[other].since >= PATIENCE


def _shown(addresses: Sequence[str]) -> str:
    """Return the first of some addresses, and how many more there are: one line for all, however many DNS told."""
    return addresses[0] + (f" and {len(addresses) - 1} more" if len(addresses) > 1 else "")


def slot_in(name: str) -> int | None:
    """Return the slot that the name of a task or container tells, None where it tells none."""
    found = _OF_A_TASK.fullmatch(name) or _OF_A_CONTAINER.fullmatch(name)
    return int(found[1]) if found else None
