"""Sees to it that what is to outlive a restart is on disk soon, without anybody waiting for a disk that hangs."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress

from collector.remarks import Remarks, excerpt
from exporters.aside import aside
from exporters.notify.statefile import State, StateFile, encoded

_PATIENCE = 2.0
"""Seconds that a message waits for the disk: whoever is to be told is told, come what may."""

_STUCK = 10.0
_PAUSE = 5.0
"""Seconds until a write that failed is tried again."""

_log = logging.getLogger("chainwatch.notify")


class Keeping:
    """Writes what `state` returns whenever that has changed."""

    def __init__(self, file: StateFile, state: Callable[[], State]) -> None:
        self._file = file
        self._state = state
        self._version = 0
        self._kept = 0
        self._failing = False
        self._dirty = asyncio.Event()
        self._done = asyncio.Condition()
        self._writing: asyncio.Future[None] | None = None
        self._remarks = Remarks(_log, f"output notify: {file}")

    async def read(self) -> State:
        """Return what an earlier process left; nothing if the disk doesn't answer in time."""
        try:
            async with asyncio.timeout(_STUCK):
                return await aside("chainwatch-notify", self._file.read)
        except TimeoutError:
            self._remarks.failed("stuck", "can't be read in time: what fired before is not known")
            return State()

    def changed(self) -> None:
        """Take note that there is something new to keep."""
        self._version += 1
        self._dirty.set()

    async def kept(self) -> None:
        """Wait until all that has changed up to now is on disk, but not for a disk that fails or hangs."""
        wanted = self._version
        if self._kept >= wanted or self._failing:
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(_PATIENCE), self._done:
                await self._done.wait_for(lambda: self._kept >= wanted or self._failing)

    async def run(self) -> None:
        """Write until cancelled."""
        while True:
            await self._dirty.wait()
            self._dirty.clear()
            await self.flush()
            if self._failing:
                await asyncio.sleep(_PAUSE)
                self._dirty.set()

    async def flush(self) -> None:
        """Write what has changed."""
        if self._kept >= self._version:
            return
        version = self._version
        try:
            content = encoded(self._state())
            if self._writing is not None:  # one at a time
                _, late = await asyncio.wait([self._writing], timeout=_STUCK)
                if late:
                    raise TimeoutError  # noqa: TRY301 - nothing is known of it
            self._writing = aside("chainwatch-notify", lambda: self._file.write(content))
            done, _ = await asyncio.wait([self._writing], timeout=_STUCK)
            if not done:
                raise TimeoutError  # noqa: TRY301 - as above
            self._writing.result()
        except TimeoutError:
            self._failed("stuck", "a write takes too long")
        except OSError as error:
            self._failed(str(error.errno), error.strerror or type(error).__name__)
        except Exception as error:  # noqa: BLE001 - a defect must not end the writing
            self._failed("defect", f"a defect: {excerpt(repr(error))}")
        else:
            self._failing = False
            self._kept = version
            self._remarks.recovered("written again")
        async with self._done:
            self._done.notify_all()

    def _failed(self, kind: str, reason: str) -> None:
        self._failing = True
        self._remarks.failed(
            kind, f"can't be written: {reason}; a restart would tell of alerts anew, or not of their end"
        )
