"""What the nodes on the chain said last: the newest word, or that of the node that is furthest."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from operator import attrgetter
from typing import TypeVar

from collector.health.assessment import Finality
from collector.health.making import finality
from collector.observations import Block, Observation

T = TypeVar("T")


class Told:
    """The last observations of nodes; `on_chain` are those of the nodes whose heads are known to be of the chain.

    `signers`, `schedule` and `finalizers` are what the furthest node tells: one that lags may tell of former makers.
    """

    def __init__(self, observations: Iterable[Observation], on_chain: Sequence[Observation]) -> None:
        self.newest = sorted(observations, key=attrgetter("at"), reverse=True)
        furthest = sorted(on_chain, key=lambda each: (_height(each), each.at), reverse=True) or self.newest
        self.signers = _first(furthest, attrgetter("signers"))
        self.schedule = _first(furthest, attrgetter("schedule"))
        self.finalizers: int | None = _first(furthest, attrgetter("finalizers"))
        self.period: float | None = _first(self.newest, attrgetter("period"))

    def __bool__(self) -> bool:
        return bool(self.newest)

    @property
    def pool(self) -> int | None:
        """Most transactions that wait in one node's pool."""
        return max((each.pool for each in self.newest if each.pool is not None), default=None)

    @property
    def finality(self) -> Finality | None:
        """How finality stands at the node that is furthest of those that tell."""
        told = [each for each in self.newest if each.finalized is not None and each.head is not None]
        if not told:
            return None
        best = max(told, key=_height)
        return finality(max(_height(best), best.best_known or 0), best.finalized, self.schedule, self.finalizers)

    def seen(self, tip: Block, *, live: bool = False) -> float | None:
        """Return when a node last told the chain's last block as its head: what silent nodes have by now isn't known.

        With `live`, nodes whose head is to trail don't count.
        """
        told = (
            each.at
            for each in self.newest
            if each.head is not None and each.head.hash == tip.hash and not (live and trails(each))
        )
        return max(told, default=None)


def trails(said: Observation) -> bool:
    """Tell whether a node is in irreversible mode: its head is the last irreversible block, a turn after another."""
    head = said.head
    return head is not None and said.finalized == head.number and (said.best_known or 0) > head.number


def _height(said: Observation) -> int:
    return said.head.number if said.head else 0


def _first(told: Iterable[Observation], what: Callable[[Observation], T | None]) -> T | None:
    return next((value for each in told if (value := what(each)) is not None), None)
