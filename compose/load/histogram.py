"""Latencies in bounded memory: every one is counted, none is kept.

Buckets are as wide as their place demands, in the manner of HdrHistogram: whole microseconds up to 255, and from there
on 128 buckets to each power of two, so that no figure is more than 0.8 % off, whether it is a millisecond or an hour.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

_BITS = 7
_LONGEST = 1 << 37
"""Microseconds: a day and a half, above all that is counted here. What is longer counts as this."""

_BUCKETS = (_LONGEST.bit_length() - _BITS + 1) << _BITS


class Histogram:
    """Counts of durations, given and told in seconds."""

    __slots__ = ("_counts", "count", "longest", "sum")

    def __init__(self) -> None:
        self._counts = [0] * _BUCKETS
        self.count = 0
        self.sum = 0.0
        self.longest = 0.0

    def record(self, seconds: float) -> None:
        """Count one."""
        micros = int(seconds * 1e6)
        if micros < 256:  # noqa: PLR2004 - two to the power of _BITS + 1: the buckets that are one wide
            index = max(micros, 0)
        else:
            shift = min(micros, _LONGEST).bit_length() - _BITS - 1
            index = (shift << _BITS) + (min(micros, _LONGEST) >> shift)
        self._counts[index] += 1
        self.count += 1
        self.sum += seconds
        if seconds > self.longest:  # noqa: PLR1730 - half the time of a call of max
            self.longest = seconds

    def at(self, share: float) -> float | None:
        """Return the duration that this share of all (0.99: 99 %) did not exceed, None where there is none."""
        wanted = max(share * self.count - 1e-6, 0)  # 0.9 * 10 is no more than 9
        seen = 0
        for _, upto, count in self.buckets():
            seen += count
            if seen >= wanted:
                return min(upto, self.longest)
        return None

    @property
    def mean(self) -> float | None:
        """The mean, None where there is none."""
        return self.sum / self.count if self.count else None

    def buckets(self) -> Iterator[tuple[float, float, int]]:
        """Yield the buckets that hold any, ascending: from, up to, count."""
        for index, count in enumerate(self._counts):
            if count:
                yield _lower(index) / 1e6, _lower(index + 1) / 1e6, count

    def counts(self) -> dict[int, int]:
        """Return what `add` takes: the counts by the buckets' places."""
        return {index: count for index, count in enumerate(self._counts) if count}

    def add(self, counts: Mapping[int, int], total: float, longest: float) -> None:
        """Count what another histogram has counted: its counts, the sum of its durations and the longest."""
        for index, count in counts.items():
            self._counts[index] += count
            self.count += count
        self.sum += total
        self.longest = max(self.longest, longest)


def _lower(index: int) -> int:
    """Return where a bucket begins, in microseconds."""
    shift = max((index >> _BITS) - 1, 0)
    return (index - (shift << _BITS)) << shift
