"""What every asynchronous test is run with."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")

GRACE = 1.0
"""Seconds that tasks have to end on their own once the test itself is over."""


def run(coro: Coroutine[Any, Any, T], timeout: float = 30.0) -> T:
    """Run a coroutine on an event loop of its own and return what it returns.

    Fails if it takes longer than `timeout` seconds, if a task outlives it, or if anything on the loop fails where
    nobody awaits it: none of these would show otherwise.
    """
    return asyncio.run(_supervised(coro, timeout))


async def _supervised(coro: Coroutine[Any, Any, T], seconds: float) -> T:
    unhandled: list[str] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: unhandled.append(_told(context)))
    deadline = asyncio.timeout(seconds)
    try:
        async with deadline:
            result = await coro
    except TimeoutError:
        if deadline.expired():
            raise AssertionError(f"not over within {seconds:g} s") from None
        raise
    left = asyncio.all_tasks() - {asyncio.current_task()}
    if left:
        _, left = await asyncio.wait(left, timeout=GRACE)
    assert not left, f"tasks outlived the test: {sorted(map(repr, left))}"
    assert not unhandled, "\n".join(["failed with nobody to see it:", *unhandled])
    return result


def _told(context: dict[str, Any]) -> str:
    return f"{context.get('message')}: {context.get('exception')!r} in {context.get('task') or context.get('future')!r}"
