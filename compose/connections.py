"""What a process with thousands of connections begins with: the fastest event loop, and files enough."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable

with contextlib.suppress(ImportError):
    import resource


def loop_factory() -> Callable[[], asyncio.AbstractEventLoop]:
    """Return what makes an event loop: uvloop's, which is not to be had everywhere, or Python's own."""
    try:
        import uvloop  # noqa: PLC0415 - see above
    except ImportError:
        return asyncio.new_event_loop
    return uvloop.new_event_loop


def raise_file_limit() -> None:
    """Allow this process as many open files as its user may have: each connection is one."""
    if "resource" in globals():
        _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
