"""A page that Traefik's HTTP provider polls, where Traefik is on another machine than chainwatch, or on several.

It answers 503 until there is something to say: Traefik then goes on with what it has, as it does while nobody answers.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from aiohttp import web

from exporters.listening import Listener

_YAML = {"Content-Type": "application/yaml", "Cache-Control": "no-store"}


class Address(NamedTuple):
    """Where the page is."""

    host: str
    port: int
    path: str = "/traefik"


class Page:
    """The page, and the listener that it has to itself."""

    def __init__(self, address: Address) -> None:
        self._address = address
        self._content: bytes | None = None
        pages = [web.get(address.path, self._answer)]
        self._listener = Listener("outputs.traefik.listen", address.host, address.port, pages)

    def __str__(self) -> str:
        return f"{self._address.host}:{self.port}{self._address.path}"

    @property
    def port(self) -> int:
        """The port listened on; another than the address's where that is 0."""
        return self._listener.port

    async def open(self) -> None:
        """Open the listener. Raises OSError, with the address in its text, where that is not possible."""
        await self._listener.open()

    async def close(self) -> None:
        """Close the listener; Traefik goes on with what it has."""
        await self._listener.close()

    def left(self, alike: Callable[[bytes], bool]) -> bool:  # noqa: ARG002 - nobody knows what Traefik has
        """Tell whether Traefik may have something from an earlier run: always."""
        return True

    def content(self) -> bytes | None:
        """Return what the page says, None where that is nothing as yet."""
        return self._content

    def replace(self, content: bytes) -> None:
        """Let the page say something else from the next request on."""
        self._content = content

    async def _answer(self, request: web.Request) -> web.Response:  # noqa: ARG002 - the same for every request
        if self._content is None:
            return web.Response(status=503, text="not known yet\n", headers={"Cache-Control": "no-store"})
        return web.Response(body=self._content, headers=_YAML)
