"""Keeps nodeos's peers as they should be while siblings come and go."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterable

from compose.nodeos.asking import NoAnswer, Node
from compose.nodeos.peers.share import share
from compose.nodeos.peers.siblings import Seen, look
from compose.nodeos.saying import Log, Once
from compose.nodeos.settings import Settings
from compose.nodeos.status import Status


class Peers:
    """The peers that we gave nodeos. Those that it found by itself, or that called it, are left alone."""

    def __init__(
        self,
        settings: Settings,
        node: Node,
        status: Status,
        log: Log,
        look: Callable[..., Seen] = look,
    ) -> None:
        self._settings = settings
        self._node = node
        self._status = status
        self._log = log
        self._remarks = Once(log, "peers")
        self._look = look
        self._given: set[str] = set()
        self._outside = settings.outside_peers if settings.role == "worker" else ()

    def at_start(self) -> list[str]:
        """Return the peers for nodeos's configuration.

        Which workers are live is not known yet: as many are taken to be as were deployed.
        """
        settings = self._settings
        seen = self._look(settings.siblings, settings.node)
        self._given = self._wanted(seen.peers, set(range(1, settings.workers + 1)))
        self._tell()
        return sorted(self._given)

    def tend(self, over: threading.Event) -> None:
        """Look every so often, until nodeos is over, and change what has changed.

        A change counts once two looks have seen it: a task that is restarted is back in seconds, at another address.
        """
        before: set[str] = set()
        while not over.wait(self._settings.pace.look):
            try:
                seen = self._look(self._settings.siblings, self._settings.node)
                if not seen.whole:
                    self._remarks.failed("not all siblings' names can be looked up: all peers stay as they are")
                    continue
                wanted = self._wanted(seen.peers, seen.slots)
                if wanted == before:
                    self._change(wanted)
                before = wanted
                self._remarks.worked()
            except (NoAnswer, OSError) as error:
                if not over.is_set():
                    self._remarks.failed(f"{error}: tried again")

    def _wanted(self, siblings: Iterable[str], slots: Collection[int]) -> set[str]:
        return {*siblings, *share(self._outside, slots, self._settings.slot)}

    def _change(self, wanted: set[str]) -> None:
        """Connect to who is new, then leave who is gone. What nodeos wouldn't do is tried again: raises NoAnswer."""
        failures: list[NoAnswer] = []
        for peer in [*sorted(wanted - self._given), *sorted(self._given - wanted)]:
            new = peer in wanted
            try:
                self._node.ask("/v1/net/connect" if new else "/v1/net/disconnect", peer)
            except NoAnswer as failure:
                failures.append(failure)
                continue
            (self._given.add if new else self._given.discard)(peer)
            self._log.say(f"peer {peer} is {'new' if new else 'left'}")
        self._tell()
        if failures:
            raise failures[0]

    def _tell(self) -> None:
        self._status.outside_peers = [peer for peer in self._outside if peer in self._given]
