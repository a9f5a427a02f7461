"""What was counted: each request once, as answered or as failed in one way."""

from __future__ import annotations

from collections import Counter

import msgspec

from compose.load.histogram import Histogram

MOST_KINDS = 256
"""Different ways to fail that are told apart: a server that invents codes does not fill the memory."""

OTHERS = "others"


class Counted(msgspec.Struct, frozen=True):
    """A tally as it is sent from process to process; see Tally for what the fields are."""

    ok: int
    late: int
    begun: int
    delayed: int
    failed: dict[str, int]
    latencies: dict[int, int]
    latency_sum: float
    latency_longest: float
    spent: float
    last_begun: float
    last_ended: float


class Tally:
    """What has been counted so far.

    `begun` includes those that have not ended. `late` are among `ok`. `delayed` are those that began later than they
    were due. `failed` is by kind. `latencies` are of the answered, from when each was due (or, without a rate, begun).
    `spent` is the sum of seconds that workers had a request under way, of those that ended. `last_begun` and
    `last_ended` are on the machine's monotonic clock.
    """

    def __init__(self) -> None:
        self.ok = 0
        self.late = 0
        self.begun = 0
        self.delayed = 0
        self.failed: Counter[str] = Counter()
        self.latencies = Histogram()
        self.spent = 0.0
        self.last_begun = 0.0
        self.last_ended = 0.0

    @property
    def made(self) -> int:
        """Requests that have ended, one way or the other."""
        return self.ok + self.failures

    @property
    def failures(self) -> int:
        """Requests that failed."""
        return self.failed.total()

    def fail(self, kind: str, count: int = 1) -> None:
        """Count requests that failed."""
        known = kind in self.failed or len(self.failed) < MOST_KINDS
        self.failed[kind if known else OTHERS] += count

    def counted(self) -> Counted:
        """Return it in the form that `add` takes."""
        return Counted(
            ok=self.ok,
            late=self.late,
            begun=self.begun,
            delayed=self.delayed,
            failed=dict(self.failed),
            latencies=self.latencies.counts(),
            latency_sum=self.latencies.sum,
            latency_longest=self.latencies.longest,
            spent=self.spent,
            last_begun=self.last_begun,
            last_ended=self.last_ended,
        )

    def add(self, counted: Counted) -> None:
        """Count what another has counted."""
        self.ok += counted.ok
        self.late += counted.late
        self.begun += counted.begun
        self.delayed += counted.delayed
        for kind, count in counted.failed.items():
            self.fail(kind, count)
        self.latencies.add(counted.latencies, counted.latency_sum, counted.latency_longest)
        self.spent += counted.spent
        self.last_begun = max(self.last_begun, counted.last_begun)
        self.last_ended = max(self.last_ended, counted.last_ended)
