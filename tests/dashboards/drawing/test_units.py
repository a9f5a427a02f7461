"""Values are written as Grafana writes them."""

from __future__ import annotations

import math

import pytest

from dashboards.drawing.units import written


@pytest.mark.parametrize(
    ("value", "unit", "wanted"),
    [
        (None, "s", "-"),
        (math.inf, "s", "∞"),
        (0.0, "s", "0 s"),
        (0.0021, "s", "2.1 ms"),
        (1.5e-6, "s", "1.5 µs"),
        (59.0, "s", "59 s"),
        (90.0, "s", "1.5 mins"),
        (7200.0, "s", "2 hours"),
        (12.0, "ms", "12 ms"),
        (1500.0, "ms", "1.5 s"),
        (999.0, "short", "999"),
        (1_234_567.0, "short", "1.23 Mil"),
        (0.256, "percentunit", "25.6%"),
        (25.0, "percent", "25%"),
        (1536.0, "bytes", "1.5 KiB"),
        (1500.0, "decbytes", "1.5 kB"),
        (1500.0, "Bps", "1.5 kB/s"),
        (2.0, "ops", "2 ops/s"),
        (1_234_567.0, "locale", "1,234,567"),
        (3.14159, "none", "3.14"),
        (3.0, "suffix:blocks", "3 blocks"),
        (3.0, "gwei", "3 gwei"),
        (90.0, "dtdurations", "1 minute, 30 seconds"),
        (0.0, "dtdurations", "0 seconds"),
        (1_000_000.0, "dateTimeAsIso", "1970-01-01 00:16:40"),
    ],
)
def test_a_value_with_its_unit(value: float | None, unit: str, wanted: str) -> None:
    assert written(value, unit) == wanted


@pytest.mark.parametrize(
    ("ago", "wanted"),
    [(5.0, "a few seconds ago"), (60.0, "a minute ago"), (600.0, "10 minutes ago"), (-7200.0, "in 2 hours")],
)
def test_a_moment_from_now(ago: float, wanted: str) -> None:
    now = 1_800_000_000.0
    assert written((now - ago) * 1000, "dateTimeFromNow", now=now) == wanted


def test_decimals_that_are_asked_for_are_kept() -> None:
    assert written(2.0, "s", 2) == "2.00 s"
