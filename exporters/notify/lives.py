"""The life of an alert: it holds, it fires once it has held for long enough, and it is over once that is known.

Nothing is over because nothing is heard of it. It is over when what it is of was looked at again, and it was not there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from alerts.alert import Alert
from exporters.notify.figures import Assessed
from exporters.notify.notice import Facts, Identity

MOST = 5_000
"""Alerts that hold at once; further ones are not told, and counted."""

LOOKS = 5
"""Looks that a collector that has just begun is given to find again what fired before."""


@dataclass
class Life:
    """One alert that holds, or fires. Moments are seconds since the epoch."""

    since: float
    """Since when it holds."""
    held: float
    """When it was last seen to hold."""
    fired: float | None = None
    facts: Facts | None = None
    """What is said of it, from when it fires."""
    gone: float | None = None
    """When it was first seen to hold no more."""
    found: bool = True
    """Whether this process has seen it: else an earlier one did."""


class Lives:
    """All alerts that hold. `alerts` are those there are, by chain ("" for chainwatch) and name.

    `looks` is for the chains that take more looks than others to find something again.
    """

    def __init__(self, alerts: Mapping[tuple[str, str], Alert], looks: Mapping[str, int] | None = None) -> None:
        self._alerts = alerts
        self._looks = looks or {}
        self._lives: dict[Identity, Life] = {}
        self._refused: set[Identity] = set()

    @property
    def firing(self) -> dict[Identity, Life]:
        """Those that fire."""
        return {identity: life for identity, life in self._lives.items() if life.fired is not None}

    def fires(self, identity: Identity) -> bool:
        """Tell whether one of them fires."""
        life = self._lives.get(identity)
        return life is not None and life.fired is not None

    @property
    def refused(self) -> int:
        """How many hold that there is no room for."""
        return len(self._refused)

    def restore(self, identity: Identity, fired: float, facts: Facts) -> None:
        """Take one that fired when an earlier process ended."""
        self._lives[identity] = Life(fired, fired, fired, facts, found=False)

    def judge(
        self,
        holding: Mapping[Identity, float],
        assessed: Callable[[Identity], Assessed | None],
        described: Callable[[Identity, float], Facts],
        now: float,
    ) -> dict[Identity, float]:
        """Go on with what holds now, and the value of each. Returns those that fired and are over, and since when.

        `assessed` says when that was last looked at which an alert is of, `described` what is to be said of one.
        """
        self._refused &= holding.keys()
        for identity, value in holding.items():
            life = self._lives.get(identity)
            if life is None:
                if len(self._lives) >= MOST:
                    if len(self._refused) < MOST:
                        self._refused.add(identity)
                    continue
                self._refused.discard(identity)
                life = self._lives[identity] = Life(now, now)
            life.held, life.gone, life.found = now, None, True
            if life.fired is None and now - life.since >= self._alerts[identity.chain, identity.alert].lasts:
                life.fired, life.facts = now, described(identity, value)
        over = {}
        for identity in self._lives.keys() - holding.keys():
            life = self._lives[identity]
            if self._over(identity, life, assessed(identity), now):
                del self._lives[identity]
                if life.fired is not None:
                    over[identity] = life.gone or now
        return over

    def _over(self, identity: Identity, life: Life, assessed: Assessed | None, now: float) -> bool:
        alert = self._alerts.get((identity.chain, identity.alert))
        if alert is None:  # nobody watches that chain any more, or wants to know of it
            return True
        if assessed is None or assessed.last <= life.held:
            return False
        if life.fired is None:
            return True
        if life.gone is None:
            life.gone = now
        enough = life.found or assessed.count >= self._looks.get(identity.chain, LOOKS)
        return enough and now - life.gone >= alert.keeps
