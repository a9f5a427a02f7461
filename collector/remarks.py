"""What is said in the log: one clear line for a thing, not one for each time it happens."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field

REPEAT_AFTER = 300.0
"""Seconds after which a failure that goes on is said again."""

MOST_IN_THAT = 3
"""How often one kind of failure is said within these seconds, should it come and go."""

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
    """Lines about one subject, rate-limited: a failure at once when it begins, again every five minutes it goes on.

    `subject` begins every line. What went unsaid is counted and told with the next line.
    """

    def __init__(self, log: logging.Logger, subject: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._log = log
        self._subject = subject
        self._clock = clock
        self._once: set[str] = set()
        self._kinds: dict[str, _Kind] = {}
        self._since: float | None = None  # since when something is wrong that was said

    def said(self, key: str) -> bool:
        """Tell whether `once` would not say this any more."""
        return key in self._once or len(self._once) >= MOST_ONCE

    def once(self, key: str, message: str, level: int = logging.WARNING) -> None:
        """Say a thing the first time only."""
        if not self.said(key):
            self._once.add(key)
            self._log.log(level, "%s: %s", self._subject, message)

    def forget(self) -> None:
        """Let everything said once be said again: the node is another than before."""
        self._once.clear()

    def failed(self, kind: str, message: str) -> None:
        """Say a failure if it is one that has just begun, or that was last said five minutes ago."""
        now = self._clock()
        if kind not in self._kinds and len(self._kinds) >= MOST_ONCE:
            self._kinds.clear()
        known = self._kinds.setdefault(kind, _Kind())
        known.said = [moment for moment in known.said if now - moment < REPEAT_AFTER]
        if known.said and (known.going_on or len(known.said) >= MOST_IN_THAT):
            known.unsaid += 1
            return
        known.said.append(now)
        known.going_on = True
        self._since = now if self._since is None else self._since
        more = f" ({known.unsaid} more like this)" if known.unsaid else ""
        known.unsaid = 0
        self._log.warning("%s: %s%s", self._subject, message, more)

    def recovered(self, message: str) -> None:
        """Say that it works again, if it was said that it did not."""
        if self._since is not None:
            self._log.info("%s: %s after %.0f s", self._subject, message, self._clock() - self._since)
            self._since = None
        for known in self._kinds.values():
            known.going_on = False


@dataclass
class _Kind:
    """What is remembered of one kind of failure: when it was said lately, and how often left out since."""

    said: list[float] = field(default_factory=list)
    unsaid: int = 0
    going_on: bool = False
