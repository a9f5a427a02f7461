"""When to ask a node again what it offers: it may have been started anew with other flags, or be another version."""

from __future__ import annotations

import time

from collector.client import Client

LOOK_AGAIN = 300.0
"""Seconds after which a node is looked at again even if nothing tells of a restart: behind a proxy nothing does."""


class Restarts:
    """Tells, at each gather, whether the node may be another process than at the gather before."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._connections = 0
        self._renewed = -1  # gathers in a row that each needed a new connection, but for the very first
        self._version = ""
        self._looked = time.monotonic()

    def noticed(self, version: str) -> bool:
        """Tell whether to look again, from the version that the node says ("" if none) and from its connection.

        To be called once a gather, after the first answer.
        """
        # Where each gather needs a new connection, one more says nothing.
        self._renewed = self._renewed + 1 if self._client.connections > self._connections else 0
        reconnected = self._renewed == 1 and self._client.keeps_alive
        another = bool(self._version) and version not in ("", self._version)
        self._connections = self._client.connections
        self._version = version or self._version
        noticed = reconnected or another or time.monotonic() - self._looked > LOOK_AGAIN
        if noticed:
            self._looked = time.monotonic()
        return noticed
