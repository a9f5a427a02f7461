"""Where the siblings are, by Docker's DNS."""

from __future__ import annotations

import re
import socket
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple, TypeVar

from compose.nodeos.settings import P2P_PORT, split_port

MANY = "tasks."
"""How a name begins that stands for as many nodes as it has addresses: Docker Swarm's, of a service's tasks."""

T = TypeVar("T")

_LOOKUPS = 16
_TASK = re.compile(r"[^.]+\.(\d{1,6})\.[a-z0-9]{25}(?:\..*)?")
_COMPOSE = re.compile(r"[^.]*-(\d{1,6})[-_]\d{1,6}(?:\..*)?")
_REPLICA = re.compile(r"[^.]*[-_](\d{1,6})(?:\..*)?")


class Seen(NamedTuple):
    """One look."""

    peers: frozenset[str]
    """`host:port` of every sibling: the name where it is one node's, which nodeos looks up itself, else the address."""
    slots: frozenset[int]
    """The slots of the siblings that have an address; ours is not among them."""
    whole: bool
    """Whether all that there is was seen: a name server that fails tells nothing of who is gone."""


def look(names: Iterable[str], node: str) -> Seen:
    """Look all names up; our own, and our own addresses, are left out."""
    peers: set[str] = set()
    slots: set[int] = set()
    whole = True
    given = [split_port(text, P2P_PORT) for text in names]
    for (name, port), found in zip(given, _at_once(_addresses, [name for name, _ in given]), strict=True):
        if not name.startswith(MANY):
            if name == node:
                continue
            peers.add(f"{name}:{port}")
            slot = slot_of(name)
            if slot is not None and found:
                slots.add(slot)
            continue
        whole = whole and bool(found)
        others = [address for address in found if not is_own(address)]
        for address, host in zip(others, _at_once(_host, others), strict=True):
            peers.add(f"[{address}]:{port}" if ":" in address else f"{address}:{port}")
            slot = slot_of(host)
            if slot is None:
                whole = False
            else:
                slots.add(slot)
    return Seen(frozenset(peers), frozenset(slots), whole)


def slot_of(host: str) -> int | None:
    """Return the slot in a host's name, None if there is none in it.

    Docker answers for an address with `stack_worker.SLOT.TASK.network` in a swarm, `lab_worker-3_1.network` or
    `lab-worker-3-1.network` for a service of Compose, or `lab-worker-3.network` for a replica.
    """
    for form in (_TASK, _COMPOSE, _REPLICA):
        if found := form.fullmatch(host):
            return int(found[1])
    return None


def is_own(address: str) -> bool:
    """Tell whether an address is one of this container's: only those can be bound."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.bind((address, 0))
    except OSError:  # also where addresses of this family cannot be had at all
        return False
    return True


def _at_once(lookup: Callable[[str], T], texts: Sequence[str]) -> list[T]:
    """Look all of them up at the same time: a name server that is gone takes its time over each."""
    with ThreadPoolExecutor(_LOOKUPS) as threads:
        return list(threads.map(lookup, texts))


def _addresses(name: str) -> list[str]:
    try:
        found = socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return []
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def _host(address: str) -> str:
    try:
        return socket.gethostbyaddr(address)[0]
    except (OSError, UnicodeError):
        return ""
