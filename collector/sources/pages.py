"""A page of metrics that a node shows beside its API, often on a listener of its own."""

from __future__ import annotations

import asyncio

from collector.client import Client
from collector.failures import TooLate
from collector.targets import without_secrets

PAGE_SHARE = 0.8
"""Share of the gather's time after which it goes on without the page: one that hangs must not make the node look
down."""


async def fetch_page(client: Client, url: str, deadline: float) -> bytes:
    """Return the page, by a deadline on the loop's clock. Raises Failure."""
    try:
        async with asyncio.timeout_at(deadline):
            return await client.get(url)
    except TimeoutError as error:
        raise TooLate(f"{without_secrets(url)}: no whole answer in time") from error
