"""The cases of the fault matrix as they are written: see cases/README.md for what each word of them means."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import msgspec
import yaml

from collector.health.signals import SIGNALS

FOLDER = Path(__file__).parent / "cases"

PERIODS = {"ethereum": 3.0, "nodeos": 0.5}
"""Seconds between blocks where a case doesn't say."""


class Node(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A node beside the makers and the others. `network` is one of its own, `behind` makes it a load balancer."""

    name: str
    maker: bool = False
    network: str = ""
    behind: tuple[str, ...] = ()
    watched: bool = True


class Deed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Something that is done to the cluster; each of the words is one."""

    fault: str = ""
    at: tuple[str, ...] = ()
    heal: tuple[str, ...] = ()
    split: tuple[tuple[str, ...], ...] = ()
    join: bool = False
    watch: tuple[str, ...] = ()
    unwatch: tuple[str, ...] = ()
    with_: Mapping[str, int | float | str] = msgspec.field(name="with", default_factory=dict)


Moves = Mapping[str, int | tuple[int, int]]
"""Within how many gathers what moves, by "signal" or "signal subject"; of two figures the second is when it ends."""


class Step(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is done, what it shows or clears, and how often the nodes are then gathered."""

    gathers: int
    do: tuple[Deed, ...] = ()
    shows: Moves = {}
    clears: Moves = {}


class Case(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One scenario, for each of its kinds of chain."""

    what: str
    kinds: tuple[str, ...]
    makers: int
    steps: tuple[Step, ...]
    others: int = 1
    nodes: tuple[Node, ...] = ()
    period: float | None = None
    interval: float = 10.0
    jitter: float = 0.0
    version: str = ""
    thresholds: Mapping[str, float | str] = {}
    untold: tuple[str, ...] | None = None


def read(path: Path) -> Case:
    """Return the case in a file.

    Raises ValueError, with what is wrong, for words that mean nothing and expectations that cannot be met.
    """
    try:
        case = msgspec.convert(yaml.safe_load(path.read_text()), Case)
    except msgspec.ValidationError as error:
        raise ValueError(f"{path.name}: {error}") from None
    standing: set[str] = set()
    for number, step in enumerate(case.steps, 1):
        where = f"{path.name}, step {number}"
        for move, within in (*step.shows.items(), *step.clears.items()):
            if move.partition(" ")[0] not in SIGNALS:
                raise ValueError(f"{where}: {move.partition(' ')[0]} is no signal; there are {', '.join(SIGNALS)}")
            if last(within) > step.gathers:
                raise ValueError(f"{where}: {move} takes {last(within)} gathers, and there are but {step.gathers}")
        if unknown := step.clears.keys() - standing:
            raise ValueError(f"{where}: {', '.join(sorted(unknown))} did not show before, hence cannot clear")
        standing |= {move for move, within in step.shows.items() if isinstance(within, int)}
        standing -= step.clears.keys()
    return case


def last(within: int | tuple[int, int]) -> int:
    """Return the gather of a step by which a move is over."""
    return within if isinstance(within, int) else within[1]


def all_cases() -> Mapping[str, Case]:
    """Return every case, by the name of its file."""
    return {path.stem: read(path) for path in sorted(FOLDER.glob("*.yaml"))}
