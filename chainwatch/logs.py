"""The log: one line each on standard error, in the form of whoever reads it."""

from __future__ import annotations

import logging
import time

_TELEGRAF = {"DEBUG": "D!", "INFO": "I!", "WARNING": "W!", "ERROR": "E!", "CRITICAL": "E!"}


class _Plain(logging.Formatter):
    """Time in UTC, level, message."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(message)s", "%Y-%m-%dT%H:%M:%SZ")

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:  # noqa: N802 - logging's name
        return time.strftime(datefmt or "", time.gmtime(record.created))


class _Telegraf(logging.Formatter):
    """Telegraf takes the level from the beginning of a line and adds the time itself."""

    def __init__(self) -> None:
        super().__init__("%(message)s")

    def format(self, record: logging.LogRecord) -> str:
        return f"{_TELEGRAF.get(record.levelname, 'I!')} {super().format(record)}"


def log_to_stderr(*, verbose: bool, telegraf: bool = False) -> None:
    """Begin to log: from INFO on, or everything with defects' tracebacks if `verbose`."""
    handler = logging.StreamHandler()
    handler.setFormatter(_Telegraf() if telegraf else _Plain())
    logging.basicConfig(level=logging.DEBUG if verbose else logging.INFO, handlers=[handler], force=True)
    logging.getLogger("asyncio").setLevel(logging.WARNING)
