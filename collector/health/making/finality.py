"""How far behind the head the last irreversible block may be: the schedule says, so that no figure has to be set."""

from __future__ import annotations

from collections.abc import Sequence

from collector.health.assessment import Finality
from collector.health.making.turns import TURN

SAVANNA = (2, 3)
"""Blocks by which it trails where finalizers vote on every block (Spring 1.0 and later, once Savanna is on)."""


def finality(
    head: int, finalized: int | None, schedule: Sequence[str] | None, finalizers: int | None
) -> Finality | None:
    """Return how finality stands; None where no such block is told of, as under Clique.

    Under DPoS a block is irreversible once more than two thirds of the producers have built upon one that more than
    two thirds had built upon: twice so many turns of twelve blocks, less what of the first turn came before it.
    """
    if finalized is None:
        return None
    lag = max(0, head - finalized)
    if finalizers is not None:
        return Finality(finalized, lag, "savanna", *SAVANNA)
    if not schedule:
        return Finality(finalized, lag, "dpos")
    if len(schedule) == 1:
        return Finality(finalized, lag, "dpos", 1, 1)
    most = 2 * TURN * (2 * len(schedule) // 3)
    return Finality(finalized, lag, "dpos", most - TURN + 1, most)


def tolerated(finality: Finality, producers: int) -> int | None:
    """Return the lag up to which all is well; None where none is to be expected.

    Under DPoS a rotation more than the formula has it: each producer confirms once in a rotation, so one whose
    confirmation comes late, or whose turn is cut short at a handover, costs up to as much. Four real producers in
    health were seen at 37 to 70, where the formula says 37 to 48. Savanna's votes are on every block: a turn suffices.
    """
    if finality.expected_most is None:
        return None
    return finality.expected_most + TURN * (producers if finality.kind == "dpos" else 1)
