"""Values as Grafana writes them, by the names of its units."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime

_SHORT = ("", " K", " Mil", " Bil", " Tri", " Quadr")
_SI = ("", " k", " M", " G", " T", " P")
_BINARY = (" B", " KiB", " MiB", " GiB", " TiB", " PiB")
_DECIMAL = (" B", " kB", " MB", " GB", " TB", " PB")
_BELOW_SECONDS = ((1e-9, " ns"), (1e-6, " µs"), (1e-3, " ms"))
_ABOVE_SECONDS = (
    (31_536_000.0, " years"),
    (604_800.0, " weeks"),
    (86_400.0, " days"),
    (3_600.0, " hours"),
    (60.0, " mins"),
)


def written(value: float | None, unit: str = "", decimals: int | None = None, now: float = 0.0) -> str:
    """Return a value with its unit. `now` is what moments are told from: seconds since the epoch."""
    if value is None:
        return "-"
    if math.isinf(value):
        return "∞" if value > 0 else "-∞"
    if unit in _MOMENTS:
        return _MOMENTS[unit](value, now)
    if unit.startswith("suffix:"):
        return f"{_number(value, decimals)} {unit.removeprefix('suffix:').strip()}"
    if unit in _UNITS:
        return _UNITS[unit](value, decimals)
    return f"{_number(value, decimals)} {unit}".strip()


def _number(value: float, decimals: int | None = None) -> str:
    """Return a value with as many decimals as tell something, as Grafana chooses them."""
    if decimals is None:
        size = abs(value)
        decimals = 0 if not size or value == int(value) else max(0, min(3, 2 - math.floor(math.log10(size))))
        text = f"{value:.{decimals}f}"
        return text.rstrip("0").rstrip(".") if "." in text else text
    return f"{value:.{decimals}f}"


def _scaled(names: Sequence[str], base: float) -> Callable[[float, int | None], str]:
    def write(value: float, decimals: int | None) -> str:
        step = 0
        while abs(value) >= base and step < len(names) - 1:
            value, step = value / base, step + 1
        return _number(value, decimals) + names[step]

    return write


def _rate(write: Callable[[float, int | None], str], suffix: str = "/s") -> Callable[[float, int | None], str]:
    return lambda value, decimals: write(value, decimals) + suffix


def _seconds(value: float, decimals: int | None) -> str:
    size = abs(value)
    if size and size < 1:
        least, name = next(
            ((least, name) for least, name in reversed(_BELOW_SECONDS) if size >= least), _BELOW_SECONDS[0]
        )
        return _number(value / least, decimals) + name
    least, name = next(((least, name) for least, name in _ABOVE_SECONDS if size >= least), (1.0, " s"))
    return _number(value / least, decimals) + name


def _duration(value: float) -> str:
    """Return a duration as Grafana's `dtdurations` has it: its two largest parts."""
    parts = []
    left = abs(value)
    for size, name in ((86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second")):
        count = int(left // size)
        left -= count * size
        if count:
            parts.append(f"{count} {name}{'s' if count > 1 else ''}")
    return ", ".join(parts[:2]) or "0 seconds"


_short = _scaled(_SHORT, 1000)
_UNITS: Mapping[str, Callable[[float, int | None], str]] = {
    "": _number,
    "none": _number,
    "short": _short,
    "locale": lambda value, _: f"{value:,.0f}" if value == int(value) else f"{value:,.2f}",
    "percent": lambda value, decimals: _number(value, decimals) + "%",
    "percentunit": lambda value, decimals: _number(value * 100, decimals) + "%",
    "bytes": _scaled(_BINARY, 1024),
    "decbytes": _scaled(_DECIMAL, 1000),
    "Bps": _rate(_scaled(_DECIMAL, 1000)),
    "binBps": _rate(_scaled(_BINARY, 1024)),
    "s": _seconds,
    "dtdurations": lambda value, _: _duration(value),
    "dtdurationms": lambda value, _: _duration(value / 1e3),
    "ms": lambda value, decimals: _seconds(value / 1e3, decimals),
    "µs": lambda value, decimals: _seconds(value / 1e6, decimals),
    "ns": lambda value, decimals: _seconds(value / 1e9, decimals),
    "hertz": _scaled([f"{name or ' '}Hz" for name in _SI], 1000),
    "cps": _rate(_short, " c/s"),
    "ops": _rate(_short, " ops/s"),
    "reqps": _rate(_short, " req/s"),
    "rps": _rate(_short, " rd/s"),
    "wps": _rate(_short, " wr/s"),
    "iops": _rate(_short, " io/s"),
    "eps": _rate(_short, " evt/s"),
    "mps": _rate(_short, " msg/s"),
    "opm": _rate(_short, " ops/m"),
    "bool": lambda value, _: "True" if value else "False",
    "bool_yes_no": lambda value, _: "Yes" if value else "No",
    "bool_on_off": lambda value, _: "On" if value else "Off",
}


def _from_now(value: float, now: float) -> str:
    seconds = now - value / 1000
    size = abs(seconds)
    if size < 45:  # noqa: PLR2004 - as the words go
        text = "a few seconds"
    elif size < 3600:  # noqa: PLR2004
        text = f"{max(round(size / 60), 1)} minutes" if size >= 90 else "a minute"  # noqa: PLR2004
    elif size < 86_400:  # noqa: PLR2004
        text = f"{round(size / 3600)} hours"
    else:
        text = f"{round(size / 86_400)} days"
    return f"{text} ago" if seconds >= 0 else f"in {text}"


def _moment(form: str) -> Callable[[float, float], str]:
    return lambda value, _: datetime.fromtimestamp(value / 1000, UTC).strftime(form)


_MOMENTS: Mapping[str, Callable[[float, float], str]] = {
    "dateTimeFromNow": _from_now,
    "dateTimeAsIso": _moment("%Y-%m-%d %H:%M:%S"),
    "dateTimeAsLocal": _moment("%Y-%m-%d %H:%M:%S"),
    "time:HH:mm:ss": _moment("%H:%M:%S"),
}
"""Those of milliseconds since the epoch."""
