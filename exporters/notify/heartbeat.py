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

_TIMEOUT = 10.0

_log = logging.getLogger("chainwatch.notify")


class Heartbeat:
    """Calls a URL every `interval` seconds unless `trouble` says what is wrong."""

    def __init__(self, url: str, interval: float, trouble: Callable[[], str], about: About) -> None:
        self._url = URL(url)
        self._interval = interval
        self._trouble = trouble
        self._connection = Connection(min(_TIMEOUT, interval))
        self._last = about.gauge("heartbeat_timestamp_seconds")
        self._stops = Remarks(_log, "heartbeat")
        # Where such URLs are to be had, their path is all that keeps others from calling them.
        self._calls = Remarks(_log, f"heartbeat ({without_secrets(url).split('/', 3)[2]})")

    async def run(self) -> None:
        """Call it until cancelled."""
        while True:
            await self.beat()
            await asyncio.sleep(self._interval)

    async def beat(self) -> bool:
        """Call it once, if all is well. Returns whether it was, and the call succeeded."""
        if trouble := self._trouble():
            self._stops.failed(trouble, f"is not called: {trouble}")
            return False
        self._stops.recovered("is called again")
        try:
            answer = await self._connection.request("GET", self._url, headers={})
        except NoAnswer as failure:
            self._calls.failed(failure.kind, str(failure))
            return False
        if not 200 <= answer.status < 300:  # noqa: PLR2004 - the range that HTTP calls success
            self._calls.failed(str(answer.status), f"HTTP {answer.status}: {excerpt(answer.body, 80)}")
            return False
        self._calls.recovered("answers again")
        self._last.set(time.time())
        return True

    async def close(self) -> None:
        """Close the connection."""
        await self._connection.close()
