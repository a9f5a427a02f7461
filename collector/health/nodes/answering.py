"""How the gathers of each node went: how long answers took, how many failed, and since when."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from math import isfinite
from operator import attrgetter

from collector.health.quantiles import quantile

GATHERS = 60
"""Gathers of a node that are looked at: ten minutes at the usual interval."""


@dataclass(frozen=True, slots=True)
class Answers:
    """The last gathers of a node, None where none of them tells. Times are seconds, moments those of its gathers."""

    latency: float | None = None
    """The median time that an answer took."""
    latency_p95: float | None = None
    failed_share: float | None = None
    failures: Mapping[str, int] | None = None
    """Gathers that failed, by kind."""
    failed_in_a_row: int = 0
    """Up to the last one."""
    failing_since: float | None = None
    """The first of these."""
    last_answer: float | None = None
    gathers: int = 0
    """How many are looked at."""
    spells: int = 0
    """How often one of them failed after one that had not."""

    @property
    def failed(self) -> int:
        """How many of them failed."""
        return sum((self.failures or {}).values())


NOTHING = Answers()
"""What is known of a node that was never asked."""


@dataclass(frozen=True, slots=True)
class _Gather:
    """One gather; `kind` is why it failed, "" if it did not."""

    at: float
    took: float = 0.0
    kind: str = ""


@dataclass(slots=True)
class _Row:
    """The gathers of one node in the order of their moments, and the failures right before the first of them."""

    gathers: list[_Gather] = field(default_factory=list)
    failed_before: int = 0
    failed_since: float | None = None
    last_answer: float | None = None
    answers: Answers | None = None
    """What was worked out of them, if nothing has come since."""

    def take(self, gather: _Gather) -> None:
        """Put a gather where it belongs; one that is known, or older than all that are looked at, is left out."""
        gathers = self.gathers
        place = len(gathers)
        if gathers and gather.at <= gathers[-1].at:
            place = bisect_left(gathers, gather.at, key=attrgetter("at"))
            if gathers[place].at == gather.at or (place == 0 and len(gathers) >= GATHERS):
                return
        gathers.insert(place, gather)
        self.answers = None
        if len(gathers) > GATHERS:
            self._drop(gathers.pop(0))

    def _drop(self, oldest: _Gather) -> None:
        if oldest.kind:
            self.failed_before += 1
            self.failed_since = oldest.at if self.failed_since is None else self.failed_since
        else:
            self.failed_before, self.failed_since, self.last_answer = 0, None, oldest.at + oldest.took


class Answering:
    """The gathers of each node. No order in which they are told matters, and none counts twice."""

    def __init__(self) -> None:
        self._rows: dict[str, _Row] = {}

    def took(self, node: str, seconds: float, at: float) -> None:
        """Take note of a gather, begun at a moment, whose first answer took so many seconds."""
        if isfinite(seconds) and isfinite(at):
            self._rows.setdefault(node, _Row()).take(_Gather(at, seconds))

    def failed(self, node: str, kind: str, at: float) -> None:
        """Take note that a gather failed. See `collector.failures` for the kinds."""
        if isfinite(at):
            self._rows.setdefault(node, _Row()).take(_Gather(at, kind=kind or "internal"))

    def forget(self, node: str) -> None:
        """Forget a node."""
        self._rows.pop(node, None)

    def of(self, node: str) -> Answers:
        """Return how the last gathers of a node went."""
        row = self._rows.get(node)
        if row is None:
            return NOTHING
        if row.answers is None:
            row.answers = _worked_out(row)
        return row.answers


def _worked_out(row: _Row) -> Answers:
    gathers = row.gathers
    answered = sorted(gather.took for gather in gathers if not gather.kind)
    failures = Counter(gather.kind for gather in gathers if gather.kind)
    last = next((gather for gather in reversed(gathers) if not gather.kind), None)
    if last is None:  # all that are looked at failed, and perhaps others before them
        in_a_row = row.failed_before + len(gathers)
        since = gathers[0].at if row.failed_since is None else row.failed_since
        last_answer = row.last_answer
    else:
        in_a_row = len(gathers) - 1 - gathers.index(last)
        since = gathers[-in_a_row].at
        last_answer = last.at + last.took
    return Answers(
        latency=quantile(answered, 0.5) if answered else None,
        latency_p95=quantile(answered, 0.95) if answered else None,
        failed_share=failures.total() / len(gathers),
        failures=failures,
        failed_in_a_row=in_a_row,
        failing_since=since if in_a_row else None,
        last_answer=last_answer,
        gathers=len(gathers),
        spells=sum(bool(after.kind) and not before.kind for before, after in pairwise(gathers)),
    )
