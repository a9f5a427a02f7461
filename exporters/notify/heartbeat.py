"""A URL that is called while all is well with chainwatch itself, and only then: who waits for it learns of its end."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable

from yarl import URL

from collector.about import About
from collector.remarks import Remarks, excerpt
from collector.targets import without_secrets
from exporters.connection import Connection, NoAnswer
from exporters.notify.ways.sending import secrets_in, without

_TIMEOUT = 10.0

_SOON = 15.0
"""Seconds after which it is tried again where it could not be called; who is called allows but a few in a minute."""

_GRACE = 60.0
"""Seconds within which nothing is said of what keeps it from being called the first time: gathers have to begin."""

_log = logging.getLogger("chainwatch.notify")


class Heartbeat:
    """Calls a URL every `interval` seconds unless `trouble` says what is wrong."""

    def __init__(self, url: str, interval: float, trouble: Callable[[], str], about: About) -> None:
        self._url = URL(url)
        self._interval = interval
        self._trouble = trouble
        self._connection = Connection(min(_TIMEOUT, interval))
        self._quiet = False
        # Where such URLs are to be had, their path is all that keeps others from calling them.
        self._secrets = [secret.encode() for secret in secrets_in(url)]
        self._last = about.gauge("heartbeat_timestamp_seconds")
        self._stops = Remarks(_log, "heartbeat")
        self._calls = Remarks(_log, f"heartbeat ({without_secrets(url).split('/', 3)[2]})")

    async def run(self) -> None:
        """Call it until cancelled; where it could not be called it is tried again soon."""
        loop = asyncio.get_running_loop()
        begun, ever = loop.time(), False
        while True:
            self._quiet = not ever and loop.time() - begun < _GRACE
            well = await self.beat()
            ever |= well
            await asyncio.sleep(self._interval if well else min(self._interval, _SOON))

    async def beat(self) -> bool:
        """Call it once, if all is well. Returns whether it was, and the call succeeded."""
        if trouble := self._trouble():
            if not self._quiet:
                self._stops.failed(trouble, f"is not called: {trouble}")
            return False
        self._stops.recovered("is called again")
        try:
            answer = await self._connection.request("GET", self._url, headers={})
        except NoAnswer as failure:
            self._calls.failed(failure.kind, str(failure))
            return False
        if not 200 <= answer.status < 300:  # noqa: PLR2004 - the range that HTTP calls success
            said = excerpt(without(self._secrets, answer.body), 80)
            self._calls.failed(str(answer.status), f"HTTP {answer.status}: {said}")
            return False
        self._calls.recovered("answers again")
        self._last.set(time.time())
        return True

    async def close(self) -> None:
        """Close the connection."""
        await self._connection.close()
