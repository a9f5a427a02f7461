"""The decisions, without any deed: how long to pause, what to start nodeos from, what an end says."""

from __future__ import annotations

from typing import NamedTuple

from compose.nodeos.process import DIRTY, KILLED, Exit
from compose.nodeos.settings import Pace

AS_IT_IS = "as it is"
SNAPSHOT = "snapshot"
REPLAY = "replay"
GENESIS = "genesis"
NOTHING = "nothing"

LAST_DEATH = 2
"""How often nodeos may die of an attempt without saying why before that is not tried again."""


class Found(NamedTuple):
    """What there is to start from."""

    state: bool
    """Whether there is a database that no restore has left half."""
    blocks: bool
    snapshot: bool
    replay_failed: bool
    genesis: bool
    begun: bool
    """Whether there are snapshots of this chain, our own or those of others: then it is not for us to begin it."""


class Start(NamedTuple):
    """What to start nodeos from, or, with NOTHING, why it cannot be."""

    how: str
    why: str = ""


def pause(crashes: int, pace: Pace) -> float:
    """Return for how many seconds to wait before the start that follows so many crashes in a row."""
    if crashes < 1:
        return 0.0
    return float(min(pace.first_pause * 2 ** min(crashes - 1, 60), pace.longest_pause))


def start(role: str, found: Found) -> Start:
    """Return what to start from.

    A producer's blocks may be nobody else's yet: it replays them, and without them neither goes back to a snapshot nor
    begins a chain that exists already. Either would split the chain, since it produces on whatever head it has.
    """
    if found.state:
        return Start(AS_IT_IS)
    if role == "producer":
        return _producer(found)
    if found.snapshot:
        return Start(SNAPSHOT)
    if found.blocks and not found.replay_failed:
        return Start(REPLAY)
    if found.genesis:
        return Start(GENESIS)
    return Start(NOTHING, "there is neither a database, nor blocks, a snapshot or a genesis to begin with")


def _producer(found: Found) -> Start:
    if found.blocks and not found.replay_failed:
        return Start(REPLAY)
    if found.blocks and found.snapshot:
        return Start(SNAPSHOT)
    if found.blocks:
        return Start(NOTHING, "the producer's blocks can't be replayed, and no snapshot is there: a person must look")
    if found.begun:
        return Start(
            NOTHING,
            "the producer's data are gone, but its chain exists: to begin anew would split it; put the blocks of"
            " another node into its volume",
        )
    if found.genesis:
        return Start(GENESIS)
    return Start(NOTHING, "there is no genesis to begin with")


def blamed(end: Exit, deaths: int) -> bool:
    """Tell whether nodeos ended for what it was to be restored from, having ended so often before it was up.

    Not if it was killed, was ended by a full disk or a port in use (exit code 0), or complains of an option.
    """
    complaint = end.complaint.lower()
    if end.code in {0, KILLED}:
        return False
    if end.code != DIRTY and ("snapshot" in complaint or "block log" in complaint or "block_log" in complaint):
        return True
    return "option" not in complaint and deaths >= LAST_DEATH
