"""Which requests the fault `some` strikes, and how: no chance is in it, so that what came of it can be compared."""

from __future__ import annotations

from typing import Literal

from compose.simulated.faults import Parameters

Strike = Literal["drop", "reset", "delay", "busy"]
STRIKES: tuple[Strike, ...] = ("drop", "reset", "delay", "busy")


class Strikes:
    """Strikes one request in `every`, the last of them, until each kind has struck as often as the parameters say.

    The kinds take turns by how many are left of each, so that all are spread over the whole.
    """

    def __init__(self, parameters: Parameters) -> None:
        self._every = int(parameters["every"])
        self._wanted = {kind: int(parameters[kind]) for kind in STRIKES if parameters[kind]}
        self._left = dict(self._wanted)
        self._passed = 0

    def next(self) -> Strike | None:
        """Return what is to strike the request that has come, if anything."""
        self._passed += 1
        if self._passed < self._every or not self._left:
            return None
        self._passed = 0
        kind = max(self._left, key=lambda kind: self._left[kind] / self._wanted[kind])
        self._left[kind] -= 1
        if not self._left[kind]:
            del self._left[kind]
        return kind
