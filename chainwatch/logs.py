"""The log: one line each on standard error, in the form of whoever reads it."""

from __future__ import annotations

import contextlib
import logging
import queue
import sys
import threading
import time
from io import FileIO

from exporters.stream import write_all

MOST_WAITING = 1000
"""Lines that wait at most for a reader that does not read; newer ones are dropped beyond it."""

_FLUSHING = 1.0
"""Seconds that a reader has for the last lines."""

_TELEGRAF = {"DEBUG": "D!", "INFO": "I!", "WARNING": "W!", "ERROR": "E!", "CRITICAL": "E!"}


class _Plain(logging.Formatter):
    """Time in UTC, level, message."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(message)s", "%Y-%m-%dT%H:%M:%SZ")

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:  # noqa: N802 - logging's name
        return time.strftime(datefmt or "", time.gmtime(record.created))


class _Telegraf(logging.Formatter):
    """Telegraf takes the level from the beginning of a line, of each line of a traceback too, and adds the time."""

    def __init__(self) -> None:
        super().__init__("%(message)s")

    def format(self, record: logging.LogRecord) -> str:
        level = _TELEGRAF.get(record.levelname, "I!")
        return "\n".join(f"{level} {line}" for line in super().format(record).splitlines())


class _Aside(logging.Handler):
    """Writes in a thread of its own: whoever reads standard error, and stops, stops nobody."""

    def __init__(self, stream: FileIO) -> None:
        super().__init__()
        self._stream = stream
        self._lines: queue.Queue[str] = queue.Queue(MOST_WAITING)
        self._writer = threading.Thread(target=self._write, name="chainwatch-log", daemon=True)
        self._writer.start()

    def emit(self, record: logging.LogRecord) -> None:
        with contextlib.suppress(queue.Full):
            self._lines.put_nowait(self.format(record) + "\n")

    def close(self) -> None:
        with contextlib.suppress(queue.Full):
            self._lines.put_nowait("")
        self._writer.join(_FLUSHING)
        super().close()

    def _write(self) -> None:
        while line := self._lines.get():
            with contextlib.suppress(OSError):  # nobody reads it, and there is nowhere else to say so
                write_all(self._stream, line.encode("utf-8", "backslashreplace"))


def log_to_stderr(*, verbose: bool, telegraf: bool = False) -> None:
    """Begin to log: from INFO on, or everything with defects' tracebacks if `verbose`."""
    handler: logging.Handler = logging.NullHandler()
    if sys.stderr:  # it was not closed before the start
        handler = _Aside(FileIO(sys.stderr.fileno(), "w", closefd=False))
        handler.setFormatter(_Telegraf() if telegraf else _Plain())
    logging.basicConfig(level=logging.DEBUG if verbose else logging.INFO, handlers=[handler], force=True)
    logging.getLogger("asyncio").setLevel(logging.WARNING)
