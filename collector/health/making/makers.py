"""Sealers and producers: who makes the blocks, who is missing, and how many more may fail."""

from __future__ import annotations

from collections.abc import Sequence

from collector.health.assessment import Making
from collector.health.making import clique, dpos
from collector.health.making.counting import Counting
from collector.health.making.describing import described
from collector.health.making.orders import Orders
from collector.health.making.recent import shares, unbroken
from collector.health.making.tallies import MOST_MAKERS
from collector.health.standing import Standing
from collector.health.thresholds import Thresholds
from collector.observations import Block

CLIQUE, DPOS = "clique", "dpos"


class Makers:
    """What is known of one chain's makers. It takes signers for Clique's, and a schedule for that of DPoS."""

    def __init__(self) -> None:
        self._orders = Orders()
        self._counting = Counting(self._orders)
        self._standing = Standing()
        self._kind = ""

    def settled(
        self,
        blocks: Sequence[Block],
        *,
        signers: Sequence[str] | None = None,
        schedule: Sequence[str] | None = None,
        period: float | None = None,
    ) -> None:
        """Count blocks that lie deep, ascending, each once; one that is left out shows by its number.

        `signers` or `schedule` are those that hold now, None where nobody tells; `period` as in `assess`.
        """
        kind, order = _order(signers, schedule)
        if not blocks:
            return
        self._begin(kind)
        if order:
            self._orders.reaches(order, blocks[-1].number)
        for block in blocks:
            if self._told_kind(block) == DPOS:
                self._counting.produced(block, period)
            else:
                self._counting.sealed(block)

    def assess(
        self,
        recent: Sequence[Block],
        at: float,
        *,
        signers: Sequence[str] | None,
        schedule: Sequence[str] | None,
        finalizers: int | None = None,
        period: float | None = None,
        seen: float | None = None,
        limits: Thresholds | None = None,
    ) -> Making | None:
        """Say who makes the blocks, at a moment; None where neither signers nor schedule nor any maker is known.

        `recent` are the last blocks, the newest first and contiguous: of up to 2,048 use is made. `period` is the time
        between blocks, None where it isn't known: for slots it is then half a second.

        `seen` is when a node last told the newest of these blocks as its head: with None nothing is concluded from no
        block having come, for it may be the nodes that are silent. `limits` say how long none may come.
        """
        kind, order = _order(signers, schedule)
        self._begin(kind)
        if not order:
            return self._without_order(recent)
        before = self._orders.present
        if recent:
            self._orders.told(order, recent[0].number)
        elif not before:
            self._orders.told(order, 0)
        if self._orders.present != before:
            self._counting.forgive([name for name in before if name not in order])
        stood = self._standing.seconds(recent[0], seen) if recent else 0.0
        tallies = self._counting.tallies
        if kind == DPOS:
            return dpos.assess(
                recent, at, stood, orders=self._orders, period=period, finalizers=finalizers, tallies=tallies
            )
        return clique.assess(
            recent, at, stood, orders=self._orders, period=period, tallies=tallies, limits=limits or Thresholds()
        )

    def _begin(self, kind: str) -> None:
        """Begin anew where the kind of chain turns out to be another than was thought."""
        if kind and self._kind and kind != self._kind:
            self._orders = Orders()
            self._counting = Counting(self._orders)
        self._kind = kind or self._kind

    def _told_kind(self, block: Block) -> str:
        return self._kind or (DPOS if block.in_turn is None and block.difficulty is None else CLIQUE)

    def _without_order(self, recent: Sequence[Block]) -> Making | None:
        """Say who made the last blocks, where nobody tells who is to."""
        window = unbroken(recent, clique.WINDOW)
        found = shares(window)
        if not found:
            return None
        return Making(
            kind=self._told_kind(window[0]),
            makers=[
                described(
                    name, share, self._counting.tallies.get(name), scheduled=False, current=window[0].maker == name
                )
                for name, share in sorted(found.items())
            ],
            window=len(window),
            scheduled=0,
            active=None,
            needed=0,
            margin=None,
        )


def _order(signers: Sequence[str] | None, schedule: Sequence[str] | None) -> tuple[str, tuple[str, ...]]:
    """Return the kind of chain and the order of its makers, of those that can be reckoned with."""
    kind, told = (DPOS, schedule) if schedule else (CLIQUE, signers) if signers else ("", None)
    order = tuple(dict.fromkeys(told or ()))
    return kind, order if len(order) <= MOST_MAKERS else ()
