"""What is said in the log: one clear line for a thing, not one for each time it happens."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

REPEAT_AFTER = 300.0
"""Seconds after which a failure that goes on is said again."""

MOST_ONCE = 1000
"""Different things that are remembered as said; a node that makes up ever new ones is told no more after that."""


def excerpt(text: str | bytes, most: int = 200) -> str:
    """Return what somebody else sent as it may stand in a line of the log: short, and with nothing invisible in it."""
    if isinstance(text, bytes):
        text = text[: 4 * most].decode("utf-8", "backslashreplace")
    text = text.strip()
    shown = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text[:most])
    return shown + "…" if len(text) > most else shown


class Remarks:
    """Lines about one subject, rate-limited: a first failure at once, the same kind again after five minutes.

    `subject` begins every line. What went unsaid is counted and told with the next line.
    """

    def __init__(self, log: logging.Logger, subject: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._log = log
        self._subject = subject
        self._clock = clock
        self._said: set[str] = set()
        self._failing: dict[str, tuple[float, int]] = {}  # kind: when last said, how often left out since
        self._since = 0.0

    def once(self, key: str, message: str, level: int = logging.WARNING) -> None:
        """Say a thing the first time only."""
        if not self.said(key):
            self._said.add(key)
            self._log.log(level, "%s: %s", self._subject, message)

    def said(self, key: str) -> bool:
        """Tell whether `once` would not say this any more."""
        return key in self._said or len(self._said) >= MOST_ONCE

    def forget(self) -> None:
        """Let everything said once be said again: the node is another than before."""
        self._said.clear()

    def failed(self, kind: str, message: str) -> None:
        """Say a failure, unless one of its kind was said less than five minutes ago."""
        now = self._clock()
        if not self._failing:
            self._since = now
        said, unsaid = self._failing.get(kind, (float("-inf"), 0))
        if now - said < REPEAT_AFTER:
            self._failing[kind] = (said, unsaid + 1)
            return
        if len(self._failing) >= MOST_ONCE:
            self._failing.clear()
        self._failing[kind] = (now, 0)
        self._log.warning("%s: %s%s", self._subject, message, f" ({unsaid} more like this)" if unsaid else "")

    def recovered(self, message: str) -> None:
        """Say that it works again, if it did not."""
        if self._failing:
            self._log.info("%s: %s after %.0f s", self._subject, message, self._clock() - self._since)
            self._failing.clear()
