"""What was said last of the few metrics that alerts look at: all else passes by."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import NamedTuple

from collector.readings import Reading, Shape, Tags

FRESH = 5
"""Intervals for which a figure holds; then whoever said it has fallen silent, and nothing is known any more."""

MOST_SERIES = 50_000
"""Series that are remembered; further ones are not looked at."""

_SAMPLES = 60
"""Points of a counter that are remembered over its window: a rise is known to a sixtieth of it."""

Place = tuple[str, str]
"""Measurement and field."""


class Finding(NamedTuple):
    """A signal that is moved, and what was compared."""

    signal: str
    subject: str
    value: float | None


class Assessed:
    """How often, and when, something was looked at as a whole: then what is not there is over."""

    def __init__(self, at: float) -> None:
        self.last = at
        self.count = 0
        self.interval = 0.0
        """Seconds until it should be looked at again."""

    def again(self, at: float, interval: float = 0.0) -> None:
        """Take note that it was."""
        self.last = at
        self.count += 1
        self.interval = interval


class Series:
    """One series: its value, and of a counter how much it has risen."""

    def __init__(self, labels: dict[str, str], window: float) -> None:
        self.labels = labels
        self.value = 0.0
        self.age = 0.0
        """Of a moment: how long ago it was when it was told, by the clock of who told it."""
        self.taken = 0.0
        self.until = 0.0
        """When the value holds no more."""
        self._window = window
        self._risen = 0.0
        self._points: deque[tuple[float, float]] = deque()

    def take(self, value: float, told: float, now: float, interval: float) -> None:
        """Take a value that was `told` then and came now, of those that come every `interval` seconds."""
        if self._window:
            if self._points:
                self._risen += value - self.value if value >= self.value else value  # it began anew
            if not self._points or now - self._points[-1][0] >= self._window / _SAMPLES:
                self._points.append((now, self._risen))
            while len(self._points) > 1 and self._points[1][0] <= now - self._window:
                self._points.popleft()
        self.value, self.age = value, told - value
        self.taken, self.until = now, now + FRESH * interval

    def rise(self, now: float, seconds: float) -> float:
        """Return how much the counter has risen within so many seconds, as far as is known."""
        before = next((risen for at, risen in reversed(self._points) if at <= now - seconds), None)
        return self._risen - (self._points[0][1] if before is None else before)


class Figures:
    """The last values of the metrics that are `wanted`, each with the longest window that its rise is asked for."""

    def __init__(self, wanted: dict[Place, float]) -> None:
        self._windows: dict[str, dict[str, float]] = {}
        for (measurement, field), window in wanted.items():
            self._windows.setdefault(measurement, {})[field] = window
        self._series: dict[tuple[str, str, str], dict[Tags, Series]] = {}  # by measurement, field and chain
        self._count = 0
        self._findings: dict[str, list[Finding]] = {}
        self.assessed: dict[str, Assessed] = {}
        """By chain; "" is chainwatch itself."""

    def take(self, readings: Sequence[Reading], interval: float, now: float) -> None:
        """Take readings that came together, every `interval` seconds."""
        found: dict[str, list[Finding]] = {}
        for reading in readings:
            shape = reading.shape
            windows = self._windows.get(shape.measurement)
            if windows is not None:
                places = shape.derive(_places)
                for field in windows.keys() & places.keys():
                    self._take(reading, field, places[field], now, interval)
            if shape.measurement == "chainwatch":
                found[""] = []
            elif (told := shape.derive(_told)) is not None:
                findings = found.setdefault(told.chain, [])
                if told.finding is not None and reading.values[told.finding] == 1:
                    value = None if told.value is None else reading.values[told.value]
                    figure = float(value) if isinstance(value, int | float) else None
                    findings.append(Finding(told.signal, told.subject, figure))
        for chain, findings in found.items():
            self._findings[chain] = findings
            self.assessed.setdefault(chain, Assessed(now)).again(now, interval)

    def findings(self, chain: str) -> Sequence[Finding]:
        """Return what health found when it last looked at a chain."""
        return self._findings.get(chain, ())

    def series(self, place: Place, chain: str, now: float) -> list[Series]:
        """Return the series of a metric whose values hold, of one chain, or "" for those without the label."""
        return [series for series in self._series.get((*place, chain), {}).values() if series.until >= now]

    def forget(self, now: float) -> None:
        """Let go of series of which nothing was heard for so long that their rise is none any more."""
        for (measurement, field, _), known in self._series.items():
            window = self._windows[measurement][field]
            for tags in [tags for tags, series in known.items() if series.until + window < now]:
                del known[tags]
                self._count -= 1
        self._series = {place: known for place, known in self._series.items() if known}

    def _take(self, reading: Reading, field: str, place: int, now: float, interval: float) -> None:
        shape, value = reading.shape, reading.values[place]
        labels = shape.derive(_labels)
        known = self._series.setdefault((shape.measurement, field, labels.get("chain", "")), {})
        series = known.get(shape.tags)
        if series is None:
            if self._count >= MOST_SERIES:
                return
            series = known[shape.tags] = Series(labels, self._windows[shape.measurement][field])
            self._count += 1
        if isinstance(value, int | float):
            series.take(float(value), reading.time_ns / 1e9, now, interval)


class _Told(NamedTuple):
    """What a shape of `chain_health` tells of: that a chain was assessed, or where in it a finding is."""

    chain: str
    signal: str = ""
    subject: str = ""
    finding: int | None = None
    value: int | None = None


def _places(shape: Shape) -> dict[str, int]:
    return {field.name: place for place, field in enumerate(shape.fields)}


def _labels(shape: Shape) -> dict[str, str]:
    return dict(shape.tags)


def _told(shape: Shape) -> _Told | None:
    if shape.measurement != "chain_health":
        return None
    places, labels = _places(shape), dict(shape.tags)
    chain = labels.get("chain", "")
    if "findings" in places:  # counted even where there are none
        return _Told(chain)
    if "finding" not in places:
        return None
    signal, subject = labels.get("signal", ""), labels.get("subject", "")
    return _Told(chain, signal, subject, places["finding"], places.get("finding_value"))
