"""For how long no block has come, by the collector's clock alone: block times may be by another."""

from __future__ import annotations

from collector.observations import Block


class Standing:
    """Remembers since when the newest block is the newest."""

    def __init__(self) -> None:
        self._tip: tuple[int, str] | None = None
        self._since = 0.0

    def seconds(self, tip: Block, seen: float | None) -> float:
        """Return for how many seconds this block is known to have been the newest.

        `seen` is the last moment at which a node told it as its head. Silence of the nodes says nothing of the chain,
        so with None nothing is concluded; and what was the newest block before it was first told of doesn't count.
        """
        if seen is None:
            return 0.0
        if self._tip != (tip.number, tip.hash):
            self._tip = (tip.number, tip.hash)
            self._since = seen
        return max(0.0, seen - self._since)
