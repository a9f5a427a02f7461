"""What health remembers of one node between two gathers."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from collector.health.nodes.answering import NOTHING, Answers
from collector.observations import Observation

MAKING_ROLES = frozenset({"sealer", "producer", "signer", "validator", "miner"})
"""Roles of nodes that make blocks."""

BALANCER_ROLES = frozenset({"balancer", "loadbalancer", "lb"})
"""Roles of addresses with other nodes behind them."""

LAGS = 60
"""Gathers of which the lag is remembered: ten minutes at the usual interval."""

IN_A_ROW = 2
"""Gathers that must agree before a node is said to be behind, forked, alone: one may fall amidst a change."""

PATIENCE = 3.0
"""Intervals without news after which nothing is known of a node any more."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a node is, and how often it is asked; `host` is that of its URL, `address` may be shown."""

    name: str
    role: str = ""
    address: str = ""
    host: str = ""
    interval: float = 10.0
    timeout: float = 5.0

    @property
    def makes_blocks(self) -> bool:
        """Whether it is to make blocks, as its role has it."""
        return self.role.lower() in MAKING_ROLES

    @property
    def balances(self) -> bool:
        """Whether it is no node, but an address in front of some."""
        return self.role.lower() in BALANCER_ROLES


@dataclass(eq=False)
class Node:
    """One node: what it said last, and for how many gathers in a row something has been so."""

    place: Place
    observation: Observation | None = None
    """Of the last gather; None if that failed, or there was none yet."""
    asked: bool = False
    polled: bool = True
    """Whether it is asked; one that is not pushes, or did."""
    pushes: bool = False
    forgettable: bool = False
    told: float = 0.0
    """When it was asked last, or told something of its own accord: what is older than that changes nothing."""
    answers: Answers = NOTHING
    """How its last gathers went."""
    lags: deque[int | None] = field(default_factory=lambda: deque(maxlen=LAGS))
    judged: Observation | None = None
    """The observation that was judged last: each counts once, however often somebody looks."""
    differs: str = ""
    """In words, what of its network differs from the others'."""
    parted: float | None = None
    """When it was first seen on a branch of its own, if it is on one."""
    parted_by: int | None = None
    """Its head at the last gather at which it was."""
    reorganised_at: float | None = None
    reorganised_depth: int = 0
    """The last reorganisation of it that is worth a finding."""
    streaks: dict[str, int] = field(default_factory=dict)
    """By signal, for how many gathers in a row it has held."""

    def is_up(self, now: float) -> bool:
        """Tell whether the last gather succeeded, and was not too long ago."""
        if self.observation is None:
            return False
        return now - self.observation.at <= PATIENCE * self.place.interval + self.place.timeout

    def held(self, signal: str, *, holds: bool | None) -> int:
        """Take note whether something holds at this gather; return for how many in a row it has. None is no news."""
        if holds is not None:
            self.streaks[signal] = self.streaks.get(signal, 0) + 1 if holds else 0
        return self.streaks.get(signal, 0)

    def stands(self, signal: str) -> bool:
        """Tell whether something has held for as many gathers as it takes to be told."""
        return self.streaks.get(signal, 0) >= IN_A_ROW

    @property
    def silent_since(self) -> float | None:
        """Since when all gathers have failed; of a node that pushes, when it was heard last."""
        return self.answers.failing_since if self.polled else self.told or None
