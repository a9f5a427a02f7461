"""Which of several collectors asks which servers: each falls to exactly one, and few move when one comes or goes.

By rendezvous hashing: for each server every collector draws a lot, always the same, and the highest wins. A collector
that comes takes from each of the others what it wins of theirs; one that goes leaves the rest as they are. The lots
are a hash that is the same in every process, so collectors that know of the same slots agree without a word.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from hashlib import blake2b

from collector.targets import Target


def share(targets: Iterable[Target], slot: int, slots: Collection[int]) -> list[Target]:
    """Return the targets that fall to the collector of one slot among those of `slots`: none if it isn't one of them.

    What decides is the chain and the name of a server: one that keeps its name stays where it is, at any address.
    """
    return [target for target in targets if falls_to(slot, str(target), slots)]


def falls_to(slot: int, server: str, slots: Collection[int]) -> bool:
    """Tell whether a server falls to the collector of one slot among those of `slots`: to nobody if there are none."""
    return bool(slots) and holder(server, slots) == slot


def holder(server: str, slots: Collection[int]) -> int:
    """Return the slot, one of those given, that a server falls to."""
    return max(slots, key=lambda slot: (blake2b(f"{slot}/{server}".encode(), digest_size=8).digest(), slot))
