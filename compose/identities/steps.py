"""What is made, step by step, and how the steps that all kinds of cluster share look."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial

from compose.identities.passphrases import new_secret
from compose.identities.storing import Store

Say = Callable[[str], None]


@dataclass(frozen=True)
class Step:
    """One thing to make, and how. What `make` returns is added to what is said of it."""

    what: str
    make: Callable[[], str]


def make_all(steps: Iterable[Step], say: Say) -> None:
    """Make one thing after the other, telling each. Raises Unusable; what has been made until then stays."""
    for step in steps:
        detail = step.make()
        say(f"made {step.what}{detail and f': {detail}'}")


def write(store: Store, path: str, text: str, *, told: str = "", end: str = "\n") -> str:
    """Write a file of the directory, and return what is said of it. Raises Unusable."""
    store.write(path, f"{text}{end}")
    return told


def secret_steps(store: Store, names: Iterable[str]) -> Iterator[Step]:
    """Yield the secrets that are missing."""
    for name in names:
        path = f"secrets/{name}"
        if store.line(path) is None:
            yield Step(path, partial(write, store, path, new_secret()))


def given_secret_steps(store: Store, given: Mapping[str, str]) -> Iterator[Step]:
    """Yield the secrets that the options give and that are not there as they are, by their paths."""
    for path, value in given.items():
        if store.line(path) != value:
            yield Step(path, partial(write, store, path, value))
