"""What tests tell channels of."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from collector.health.assessment import Severity
from exporters.notify.notice import Facts, Identity, Message, Notice, Status

BEGAN = 1_700_000_000.0  # 2023-11-14 22:13:20 UTC

FACTS = Facts(
    Severity.WARNING,
    "A node is behind.",
    "sealer-1 of lab is 7 blocks behind <the> others & more.",
    "https://monitor.example/runbooks/NodeBehind",
)


def notice(
    status: Status = Status.FIRING,
    subject: str = "sealer-1",
    *,
    alert: str = "NodeBehind",
    chain: str = "lab",
    facts: Facts = FACTS,
    lasted: float = 3_725.0,
    times: int = 1,
) -> Notice:
    """Return an alert that fired at `BEGAN`."""
    until = BEGAN + lasted if status in (Status.RESOLVED, Status.PASSED) else None
    return Notice(Identity(alert, chain, subject), facts, status, BEGAN, until, times)


def message(*notices: Notice, left_out: int = 0) -> Message:
    """Return a message of these to a channel."""
    told = notices or (notice(),)
    return Message("team", told[0].identity.chain, told, left_out)


async def until(what: Callable[[], object]) -> None:
    """Wait until something holds, for five seconds at most."""
    deadline = time.monotonic() + 5.0
    while not what():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.02)
