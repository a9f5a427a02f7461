"""What is played live: the cases of the fault matrix, each for each of its kinds of chain, all at once, in real time.

The cases tell time in gathers. Live a gather takes as long as the case says, ten seconds mostly, as in production, or
up to a tenth more: chains that are gathered at moments of their own do not all keep the machine busy at once. Where
nothing happens any more for the rest of a step, the next begins sooner; a healthy chain stands for as long as the
others take. What a case says is otherwise played to the letter.

The cases begin at a moment of their own choice. Live it is chance whose turn it is when makers come or go, and that
decides some of what is told, and when: see `Scene.turns`, and `expecting`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from compose.simulated.faults import IDLING
from compose.simulated.load import EVERY
from tests.health.matrix.cases import PERIODS, Case, Step, all_cases, last

SETTLING = 40.0
"""Seconds that a step goes on when all that it shows has shown: what nothing explains has time to fire."""

KNOWING: Mapping[str, int] = {
    "chain-clock-ethereum": 6,
    "chain-clock-nodeos": 6,
    "flaky": 2,
    "period-0-sealers-die": 12,
    "producer-alone-dies": 10,
    "producers-21": 3,
    "sealer-alone-dies": 10,
    "single-node": 12,
}
"""Gathers before the first fault, where a case's own take too long; and where it is their share that counts."""

TURN = 6.0
"""Seconds for which a producer makes blocks before it is the next one's turn."""

STRETCH = 0.1
"""Share by which the intervals of chains differ at most."""

UNFINISHED = ("producers-21",)
"""Cases that end with the fault: a round of twenty-one producers takes two minutes, and it is seen after two rounds."""


@dataclass(frozen=True)
class Scene:
    """A case for one kind of chain, as it is played live; `chain` is the label of that name."""

    chain: str
    name: str
    kind: str
    case: Case
    interval: float
    """Seconds between two gathers of a node."""

    @property
    def steps(self) -> tuple[Step, ...]:
        """The steps that are played."""
        return self.case.steps[:-1] if self.name in UNFINISHED else self.case.steps

    def seconds(self, number: int) -> float:
        """Return how long the step of this number, from 0, is played before the next begins."""
        step = self.steps[number]
        gathers = step.gathers
        moves = [last(within) for within in (*step.shows.values(), *step.clears.values())]
        if number == 0:
            gathers = KNOWING.get(self.name, gathers)
        elif moves:
            gathers = min(gathers, max(moves) + math.ceil(SETTLING / self.interval))
        return gathers * self.interval

    @property
    def is_healthy(self) -> bool:
        """Whether nothing is to fire."""
        return not any(step.shows for step in self.steps)

    def turns(self, step: Step) -> tuple[str, ...]:
        """Return the makers that come or go in a step, or that part from each other.

        It may take a round longer than the case says until these are missed, or are no more; and of the turn that is
        under way then producers may have missed blocks.
        """
        makers = [f"maker-{i}" for i in range(1, self.case.makers + 1)]
        if any(deed.split or deed.join for deed in step.do):
            return tuple(makers)
        named = {name for deed in step.do for name in (*deed.at, *deed.heal) if deed.fault in {"", *IDLING}}
        return tuple(name for name in makers if name in named)

    @property
    def round(self) -> float:
        """How long it takes until it is the same maker's turn again, in seconds."""
        if self.kind == "nodeos":
            return self.case.makers * TURN
        period = PERIODS[self.kind] if self.case.period is None else self.case.period
        return self.case.makers * period if period else float(EVERY)


def scenes() -> tuple[Scene, ...]:
    """Return every scene."""
    played = [(name, kind, case) for name, case in all_cases().items() for kind in case.kinds]
    return tuple(
        Scene(f"{name}-{kind}", name, kind, case, round(case.interval * (1 + STRETCH * place / len(played)), 2))
        for place, (name, kind, case) in enumerate(played)
    )
