"""Work that waits, in a thread of its own that holds up nobody's exit.

A file system or a server that is gone may keep such a thread for good.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

T = TypeVar("T")


def aside(name: str, job: Callable[[], T]) -> asyncio.Future[T]:
    """Do something in a thread of this name. Whoever cancels the future waits no more; the thread may go on."""
    future: Future[T] = Future()
    future.set_running_or_notify_cancel()

    def work() -> None:
        try:
            future.set_result(job())
        except Exception as error:  # noqa: BLE001 - it is the future's to tell
            future.set_exception(error)

    threading.Thread(target=work, name=name, daemon=True).start()
    return asyncio.wrap_future(future)
