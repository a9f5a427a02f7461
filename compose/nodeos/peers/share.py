"""How outside peers are spread over the workers."""

from __future__ import annotations

from collections.abc import Collection, Iterable


def share(peers: Iterable[str], slots: Collection[int], own: int) -> tuple[str, ...]:
    """Return the peers of the worker in slot `own`, where these slots are live.

    Every peer is some worker's, every worker has one, and no worker has more than one above any other; where workers
    outnumber peers, no peer has more than one worker above any other. Every worker reckons the same without asking.
    """
    different = tuple(dict.fromkeys(peers))
    if not different:
        return ()
    live = sorted({*slots, own})
    place = live.index(own)
    if len(different) <= len(live):
        return (different[place % len(different)],)
    return different[place :: len(live)]
