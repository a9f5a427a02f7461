"""The page on a real listener, with health played by hand."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import aiohttp

from collector.health.assessment import Assessment
from collector.page import Page, Runbook
from exporters.listening import Listener
from tests.page.assessments import clique

RUNBOOKS = [Runbook("NodeBehind", "behind", "warning", "A node is behind.", "<h2>What to do</h2><p>Wait.</p>")]


class Played:
    """Health: says what it is told to say, and counts how often it is asked."""

    def __init__(self, *said: Assessment) -> None:
        self.said: Sequence[Assessment] = said or [clique()]
        self.broken = False
        self.asked = 0
        self.forgotten: list[tuple[str, str]] = []

    def assess(self) -> Sequence[Assessment]:
        """Say it, or fail as no health should."""
        self.asked += 1
        if self.broken:
            raise ZeroDivisionError("of a node")
        return self.said

    def forget(self, chain: str, node: str) -> bool:
        """Note it; there is one node that can be forgotten."""
        self.forgotten.append((chain, node))
        return (chain, node) == ("lab", "gone")


class Site:
    """A listener with the page, and a session to ask it with."""

    def __init__(self, played: Played, listener: Listener, session: aiohttp.ClientSession) -> None:
        self.played = played
        self.listener = listener
        self.session = session
        self.url = f"http://127.0.0.1:{listener.port}"

    async def get(self, path: str, **headers: str) -> tuple[int, Any, str]:
        """Return the status, the headers and the text of an answer."""
        async with self.session.get(self.url + path, headers=headers) as response:
            return response.status, response.headers, await response.text()

    async def state(self) -> dict[str, Any]:
        """Return the document."""
        status, _, text = await self.get("/api/state")
        assert status == 200
        return dict(json.loads(text))

    @asynccontextmanager
    async def follow(self) -> AsyncIterator[aiohttp.StreamReader]:
        """Open the stream of events."""
        async with self.session.get(f"{self.url}/api/events") as response:
            assert response.status == 200
            assert response.content_type == "text/event-stream"
            yield response.content


@asynccontextmanager
async def site(played: Played | None = None, *, public: bool = False) -> AsyncIterator[Site]:
    """Serve the page."""
    played = played or Played()
    page = Page(played.assess, played.forget, RUNBOOKS)
    listener = Listener("outputs.page.listen", "127.0.0.1", 0, page.routes(public=public))
    await listener.open()
    try:
        async with aiohttp.ClientSession(read_bufsize=2**22) as session:
            yield Site(played, listener, session)
    finally:
        await listener.close()


async def event(stream: aiohttp.StreamReader) -> tuple[str, int, dict[str, Any]]:
    """Return the kind, the number and the document of the next event."""
    said: dict[str, str] = {}
    while line := (await stream.readline()).decode().rstrip("\n"):
        key, _, value = line.partition(": ")
        said[key] = value
    return said["event"], int(said["id"]), json.loads(said["data"])
