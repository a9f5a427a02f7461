"""The signs of the picture. Each has a shape of its own, so that colour only repeats what the shape says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from collector.health.assessment import Round, Severity


@dataclass(frozen=True, slots=True)
class Marks:
    """The signs that a terminal can show."""

    well: str
    severities: dict[Severity, str]
    unknown: str
    current: str
    made: str
    partly: str
    missed: str
    none: str
    bars: str
    """From no lag to the most."""

    def severity(self, severity: Severity | None) -> str:
        """Return the sign of a severity, None being health."""
        return self.well if severity is None else self.severities[severity]

    def square(self, turn: Round) -> str:
        """Return the square of one turn."""
        if turn.due <= 0:
            return self.none
        if turn.made <= 0:
            return self.missed
        return self.made if turn.made >= turn.due else self.partly

    def sparkline(self, lags: Sequence[int | None], width: int) -> str:
        """Draw the last lags, each against the largest of them; a gather without an answer leaves a gap."""
        last = lags[-width:] if width > 0 else ()
        most = max((lag for lag in last if lag is not None), default=0)
        steps = len(self.bars) - 1
        return "".join(" " if lag is None else self.bars[_step(lag, most, steps)] for lag in last).rjust(width)


def _step(lag: int, most: int, steps: int) -> int:
    # No lag is told from a little at any scale, and a lag of 1 does not reach the top where nothing is worse.
    return 0 if lag <= 0 else max(1, lag * steps // max(most, steps))


_WORST_FIRST = (Severity.CRITICAL, Severity.WARNING, Severity.INFO)

UNICODE = Marks("✓", dict(zip(_WORST_FIRST, "✗!i", strict=True)), "?", "▸", "■", "▣", "☒", "·", "▁▂▃▄▅▆▇█")
ASCII = Marks("ok", dict(zip(_WORST_FIRST, "X!i", strict=True)), "?", ">", "#", "=", "x", ".", "_.-=*#%@")


def marks_for(encoding: str | None) -> Marks:
    """Return the signs that an encoding has."""
    signs = f"{UNICODE.well}{''.join(UNICODE.severities.values())}▸■▣☒·…{UNICODE.bars}"
    try:
        signs.encode(encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return ASCII
    return UNICODE
