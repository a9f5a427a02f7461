"""The line on a terminal while a load runs."""

from __future__ import annotations

import shutil
import time
from typing import TextIO

from compose.load.process import Account

_BAR = 20


class Progress:
    """Writes over one line of a terminal; on anything else it writes nothing."""

    def __init__(self, requests: int, stream: TextIO) -> None:
        self._requests = requests
        self._stream = stream
        self._shown = stream.isatty()
        self._before = (time.monotonic(), 0)
        self._length = 0

    def show(self, accounts: list[Account]) -> None:
        """Write where the load is."""
        if not self._shown:
            return
        counted = [account.counted for account in accounts if account.counted]
        failed = sum(sum(one.failed.values()) for one in counted)
        made = sum(one.ok for one in counted) + failed
        now = time.monotonic()
        rate = (made - self._before[1]) / max(now - self._before[0], 1e-3)
        self._before = (now, made)
        self._write(line(made, failed, self._requests, rate))

    def clear(self) -> None:
        """Remove the line."""
        if self._shown and self._length:
            self._stream.write("\r" + " " * self._length + "\r")
            self._stream.flush()

    def _write(self, text: str) -> None:
        text = text[: shutil.get_terminal_size().columns - 1]
        self._stream.write("\r" + text.ljust(self._length))
        self._stream.flush()
        self._length = len(text)


def line(made: int, failed: int, requests: int, rate: float) -> str:
    """Return what the line says."""
    share = made / requests
    bar = ("#" * int(share * _BAR)).ljust(_BAR)
    left = f", {_clock((requests - made) / rate)} left" if rate > 0 else ""
    return f"{share:4.0%} [{bar}] {made:,} of {requests:,}, {failed:,} failed, {rate:,.0f}/s{left}"


def _clock(seconds: float) -> str:
    minutes, seconds = divmod(int(seconds), 60)
    return f"{minutes}:{seconds:02}"
