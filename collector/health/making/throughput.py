"""What the blocks hold and how fast they come: transactions, gas, CPU, bandwidth, the time in between."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from itertools import pairwise
from statistics import fmean, median

from collector.health.assessment import Traffic
from collector.health.making.plausible import amount, moment
from collector.health.making.recent import follows, unbroken
from collector.health.quantiles import quantile
from collector.health.standing import Standing
from collector.observations import Block

MOST_BLOCKS = 256
"""Blocks that figures are of, at most: two minutes of nodeos."""

MOST_SECONDS = 600.0
"""Seconds that they lie before the newest, at most: forty blocks of a Clique chain of 15 s."""

SPAN = 1.0
"""Seconds, the least that a peak is taken over: blocks of half a second would make more of it than anybody sees."""

WITHIN = 1_024
"""Blocks within this span that are remembered; beyond it a peak is told too low."""


class Throughput:
    """The traffic of one chain."""

    def __init__(self) -> None:
        self._standing = Standing()
        self._peak: float | None = None
        self._last: Block | None = None
        self._within: deque[tuple[float, float]] = deque(maxlen=WITHIN)  # time and transactions of the last blocks

    def settled(self, blocks: Sequence[Block]) -> None:
        """Take note of the peak in blocks that lie deep, ascending, each once."""
        for block in blocks:
            earlier, self._last = self._last, block
            at, transactions = moment(block.timestamp), amount(block.transactions)
            within = self._within
            if earlier is None or not follows(block, earlier) or (within and at is not None and at < within[-1][0]):
                within.clear()
            if at is None or transactions is None:
                within.clear()
                continue
            within.append((at, transactions))
            while len(within) > 2 and at - within[1][0] >= SPAN:  # noqa: PLR2004 - the first one's own don't count
                within.popleft()
            span = at - within[0][0]
            if span >= SPAN:
                rate = (sum(count for _, count in within) - within[0][1]) / span
                self._peak = max(self._peak or 0.0, rate)

    def assess(self, recent: Sequence[Block], seen: float | None = None) -> Traffic | None:
        """Return the traffic of the last blocks, the newest of which comes first; None with fewer than two.

        `seen` is as in `Makers.assess`: while no block comes, the rate of transactions falls.
        """
        stood = self._standing.seconds(recent[0], seen) if recent else 0.0
        window = _window(recent)
        if len(window) < 2:  # noqa: PLR2004 - nothing lies between fewer
            return None
        gaps = sorted(later.timestamp - earlier.timestamp for later, earlier in pairwise(window))
        told = [count for block in window if (count := amount(block.transactions)) is not None]
        return Traffic(
            blocks=len(window),
            seconds=window[0].timestamp - window[-1].timestamp + stood,
            interval=median(gaps),
            interval_p95=quantile(gaps, 0.95),
            transactions_per_second=_rate(window, stood),
            peak_transactions_per_second=self._peak,
            empty_share=sum(not count for count in told) / len(told) if told else None,
            gas_share=_gas_share(window),
            cpu_per_block=_mean(window, lambda block: block.cpu_seconds),
            net_bytes_per_block=_mean(window, lambda block: block.net_bytes),
        )


def _window(recent: Sequence[Block]) -> list[Block]:
    """Return the last blocks, as far as their times can be reckoned with."""
    window: list[Block] = []
    for block in unbroken(recent, MOST_BLOCKS):
        at = moment(block.timestamp)
        if at is None or (window and at > window[-1].timestamp):
            break
        if window and window[0].timestamp - at > MOST_SECONDS:
            break
        window.append(block)
    return window


def _rate(window: Sequence[Block], stood: float) -> float | None:
    """Return the transactions per second of those blocks that tell, without a gap; the newest may not tell yet."""
    told: list[tuple[float, float]] = []
    for block in window:
        count = amount(block.transactions)
        if count is not None:
            told.append((block.timestamp, count))
        elif told:
            break
    span = told[0][0] - told[-1][0] + stood if told else 0.0
    return sum(count for _, count in told[:-1]) / span if span > 0 else None


def _gas_share(window: Sequence[Block]) -> float | None:
    used = limits = 0.0
    for block in window:
        gas, limit = amount(block.gas_used), amount(block.gas_limit)
        if gas is not None and limit is not None and gas <= limit:
            used, limits = used + gas, limits + limit
    return used / limits if limits else None


def _mean(window: Sequence[Block], of: Callable[[Block], float | None]) -> float | None:
    told = [figure for block in window if (figure := amount(of(block))) is not None]
    return fmean(told) if told else None
