"""Blocks for comparison are asked for again while there is time: nodeos makes 120 a minute, nodes tell 64 at once."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from collector.about import About
from collector.client import Client
from collector.failures import Failure
from collector.health.chain import Settings
from collector.health.health import Health
from collector.observations import Block, Observation
from collector.readings import Reading
from collector.remarks import Remarks
from collector.sources import Problems
from collector.targets import Target
from collector.watch import BURSTS, Watch
from tests.health.growing import BEGAN, Grown, bare
from tests.helpers import run

WITHIN_ONE = 64
"""Blocks that are asked for at once."""


class Teller:
    """A source of a chain that grows. It answers with `most` blocks, and fails if that is None."""

    advice: dict[str, str] = {}  # noqa: RUF012 - never changed

    def __init__(self, most: int | None) -> None:
        self.observation: Observation | None = None
        self.asked: list[Sequence[int]] = []
        self.height = 0
        self._chain = Grown()
        self._most = most

    def __call__(self, target: Target, client: Client, remarks: Remarks, problems: Problems) -> Teller:  # noqa: ARG002
        """Be the factory, and the source that it makes."""
        return self

    async def gather(self) -> list[Reading]:
        """Tell of the head alone."""
        head = self._chain.block(self.height)
        self.observation = Observation(at=BEGAN + self.height, head=bare(head))
        return []

    async def blocks(self, numbers: Sequence[int]) -> list[Block]:
        """Tell of these blocks, or of some."""
        self.asked.append(numbers)
        if self._most is None:
            raise Failure("timeout", "too late")
        return [self._chain.block(number) for number in numbers][: self._most]

    async def close(self) -> None:
        """Do nothing."""


def _asked(most: int | None, heights: Sequence[int]) -> list[int]:
    """Return how many blocks were asked for at once, each time after the first gather of a node with these heads."""
    teller = Teller(most)

    async def gathers() -> None:
        health = Health(wall=lambda: BEGAN + teller.height)
        health.apply([Settings("lab", "nodeos")])
        target = Target("lab", "nodeos", "a", "http://127.0.0.1:1")
        health.follow([target])
        watch = Watch(target, teller, lambda *_: None, About(), health)
        for teller.height in heights:
            teller.asked.clear()
            await watch.gather()
            health.assess()
        await watch.close()

    run(gathers())
    return [len(numbers) for numbers in teller.asked]


@pytest.mark.parametrize(
    ("most", "made", "asked"),
    [
        (WITHIN_ONE, 0, []),
        (WITHIN_ONE, 20, [20]),
        (WITHIN_ONE, 120, [64, 56]),
        (WITHIN_ONE, 2_000, [WITHIN_ONE] * BURSTS),
        (10, 120, [64]),
        (0, 120, [64]),
        (None, 120, [64]),
    ],
)
def test_more_is_asked_for_only_after_all_has_come_and_not_for_ever(
    most: int | None, made: int, asked: list[int]
) -> None:
    assert _asked(most, [1000, 1000 + made]) == asked
