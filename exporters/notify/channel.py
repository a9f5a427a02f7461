"""One channel at work: what waits in its outbox is sent, and tried again for as long as it takes."""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Awaitable, Callable

from collector.about import About
from collector.remarks import Remarks, excerpt
from exporters.notify.notice import Message
from exporters.notify.outbox import Outbox
from exporters.notify.ways import NotSent, Way
from exporters.pauses import Backoff

_LONGEST_SEND = 60.0
"""Seconds after which a message is given up, whatever a way makes of it."""

_LONGEST_PAUSE = 300.0
_APART = 1.0
"""Seconds between two messages: chats allow about so many."""

_REFUSALS = 3
"""How often a single alert may be refused before others get their turn."""

_log = logging.getLogger("chainwatch.notify")


class Channel:
    """Sends what `outbox` holds by `way`.

    `kept` waits until what is remembered is on disk: before a message goes, so that who is told that something fires
    is told of its end as well, whatever happens to this process. `changed` says that there is something new to keep.
    """

    def __init__(
        self,
        outbox: Outbox,
        way: Way,
        about: About,
        *,
        clock: Callable[[], float],
        kept: Callable[[], Awaitable[None]],
        changed: Callable[[], None],
    ) -> None:
        self.outbox = outbox
        self.failing = False
        """Whether the last message did not get through."""
        self._way = way
        self._clock = clock
        self._kept = kept
        self._changed = changed
        self._backoff = Backoff(longest=_LONGEST_PAUSE)
        self._not_before = 0.0
        self._most = way.most
        self._refusals = 0
        self._remarks = Remarks(_log, f"channel {outbox.name}")
        self._woken = asyncio.Event()
        self._under_way: asyncio.Task[None] | None = None
        self._results = {
            result: about.counter("notifications_total", outbox.name, result)
            for result in ("sent", "failed", "dropped")
        }
        self._waiting = about.gauge("notifications_waiting", outbox.name)
        self._dropped = 0

    def wake(self) -> None:
        """Look at the outbox: something in it has changed."""
        self._waiting.set(self.outbox.waiting)
        if new := self.outbox.dropped - self._dropped:
            self._dropped += new
            self._results["dropped"].inc(new)
            self._remarks.failed("full", f"no room for more alerts: {self._dropped:,} were not told of so far")
        self._woken.set()

    async def run(self) -> None:
        """Send until cancelled."""
        while True:
            self._woken.clear()
            wait = await self.step()
            try:
                async with asyncio.timeout(None if wait == math.inf else wait):
                    await self._woken.wait()
                    await asyncio.sleep(max(0.0, self._not_before - self._clock()))
            except TimeoutError:
                pass

    async def step(self) -> float:
        """Send what is due now, one message; return the seconds until there is more to do."""
        now = self._clock()
        if now < self._not_before:
            return self._not_before - now
        message = self.outbox.message(now, self._most)
        if message is None:
            return self.outbox.due(now) - now
        await self._kept()
        # Whoever ends this task lets `close` see it through: what is cut off may have been taken, and is told again.
        self._under_way = asyncio.create_task(self._tell(message), name="notify")
        await asyncio.shield(self._under_way)
        return max(0.0, self._not_before - self._clock())

    async def close(self, within: float) -> None:
        """Send what is due at once, for so many seconds at most; what is left is kept for the next start."""
        try:
            async with asyncio.timeout(within):
                if self._under_way is not None:
                    await asyncio.wait([self._under_way])
                while self._clock() >= self._not_before and self.outbox.message(self._clock(), 1):
                    await self.step()
        except TimeoutError:
            pass
        finally:
            if self._under_way is not None:
                self._under_way.cancel()
                await asyncio.wait([self._under_way])
            await self._way.close()
            self._waiting.set(0)  # it may be no channel any more

    async def _tell(self, message: Message) -> None:
        try:
            async with asyncio.timeout(_LONGEST_SEND):
                await self._way.send(message)
        except NotSent as failure:
            self._failed(message, failure)
        except TimeoutError:
            self._failed(message, NotSent("timeout", "not taken in time"))
        except Exception as error:  # noqa: BLE001 - a defect of one way must not end this task
            _log.debug("channel %s: a defect", self.outbox.name, exc_info=error)
            self._failed(message, NotSent("defect", f"a defect: {excerpt(type(error).__name__)}"))
        else:
            self._sent(message)
        self.wake()
        self._changed()

    def _sent(self, message: Message) -> None:
        now = self._clock()
        self.outbox.sent(message, now)
        self._results["sent"].inc(len(message.notices))
        self._backoff.reset()
        self._not_before = now + _APART
        self._most = self._way.most
        self._refusals = 0
        self.failing = False
        self._remarks.recovered("is told again")

    def _failed(self, message: Message, failure: NotSent) -> None:
        now = self._clock()
        self.failing = True
        self._results["failed"].inc(len(message.notices))
        self._not_before = now + max(failure.wait, self._backoff.pause())
        more = "alerts wait for the next try"
        if failure.refused:
            self._most = max(1, len(message.notices) // 2)
            self._refusals += len(message.notices) == 1
            if self._refusals >= _REFUSALS:
                notice = message.notices[0]
                self.outbox.put_off(notice, now)
                self._refusals = 0
                more = f"{excerpt(notice.identity.alert)} is put off for an hour, others go on"
        self._remarks.failed(failure.kind, f"{failure}; {more}")
