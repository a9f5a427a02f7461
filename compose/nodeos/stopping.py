"""The wish that we stop, and waits that end at once when it comes."""

from __future__ import annotations

import threading
import time

from compose.nodeos.process import reap

_TICK = 1.0


class Stopped(Exception):  # noqa: N818 - it is no error
    """We were asked to stop."""


class Stopping:
    """Whether we were asked to stop."""

    def __init__(self) -> None:
        self.asked = threading.Event()

    def pause_until(self, when: float) -> None:
        """Wait until a time, in seconds since 1970, while no nodeos runs. Raises Stopped."""
        until = time.monotonic() + when - time.time()  # the clock may be put right meanwhile
        while (left := until - time.monotonic()) > 0:
            if self.asked.wait(min(left, _TICK)):
                raise Stopped
            reap()
