"""A cluster as it is rendered: what of it depends on its kind, in the form that all kinds share."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Handed:
    """A file of keys/ that a service is handed as its own: which, its user's number, and where it finds it."""

    source: str
    uid: int
    target: str
    secret: bool = True


@dataclass(frozen=True)
class Spread:
    """How a swarm runs a service: how often, or once on each machine, and on which machines."""

    replicas: int = 1
    everywhere: bool = False
    constraints: Sequence[str] = ()
    update_delay: str = "10s"
    """For which one that was updated has run when the next is stopped."""


@dataclass(frozen=True)
class Swarm:
    """What a swarm has to know of a cluster beyond its services."""

    name: str
    """What the stack is called: names of networks, volumes and configs begin with it."""
    handed: Mapping[str, Sequence[Handed]]
    """By service, what it is handed."""
    spread: Mapping[str, Spread]
    """By service, how it is run, where that is otherwise than once, anywhere."""
    per_slot: Collection[str] = ()
    """Volumes of which there is one for each slot of the service."""
    handing: Collection[str] = ()
    """Volumes in which Compose hands over what the swarm hands over itself."""


@dataclass(frozen=True)
class Plan:
    """The services of a cluster and what they read.

    `services` are Docker Compose's, in the order in which they start; `networks` holds all that they may be in,
    `files` what they mount, by path in the directory, and `comments` what is said of a place of the file.
    """

    header: str
    services: Mapping[str, dict[str, Any]]
    networks: Mapping[str, Mapping[str, Any]]
    files: Mapping[str, str]
    comments: Mapping[str, str]
    read_at_start: Mapping[str, tuple[str, ...]]
    """By service the paths, or beginnings of paths, of what it reads once: where that changes it has to start anew."""
    swarm: Swarm | None = None
    """None where Docker Compose runs it."""


def network_name(stack: str, network: str) -> str:
    """Return what a network of a swarm is called: DNS names can end with it, `tasks.worker.eos_inner`."""
    return f"{stack}_{network}"


def files_below(files: Mapping[str, str], path: str) -> Iterator[tuple[str, str]]:
    """Yield the path and the text of a file, or of each file of a folder, in order."""
    yield from ((name, text) for name, text in sorted(files.items()) if name == path or name.startswith(f"{path}/"))
