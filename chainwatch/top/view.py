"""What is known of the collector at the moment, as the lines of a screen."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from rich.console import Console
from rich.text import Text

from chainwatch.top import words
from chainwatch.top.marks import Marks
from chainwatch.top.nodes import Order
from chainwatch.top.picture import STYLES, Picture, Room
from chainwatch.top.reading import State
from collector.health.assessment import Assessment, Severity
from collector.health.words import amount


class View:
    """The last state, since when there is none, and how it is looked at. `chain` is the one to show, "" for all."""

    def __init__(self, shown: str, chain: str, marks: Marks, clock: Callable[[], float] = time.monotonic) -> None:
        self._shown = shown
        self._chain = chain
        self._marks = marks
        self._clock = clock
        self._state: State | None = None
        self._told = self._began = clock()
        self._failure = ""
        self._order = Order.WORST

    def tell(self, state: State) -> None:
        """Take a new state."""
        self._state, self._told, self._failure = state, self._clock(), ""

    def fail(self, reason: str) -> None:
        """Take note that there is none, and keep the last."""
        self._failure = words.clean(reason)

    def sort(self) -> None:
        """Sort by the next order."""
        orders = list(Order)
        self._order = orders[(orders.index(self._order) + 1) % len(orders)]

    @property
    def chains(self) -> Sequence[Assessment]:
        """The chains to show."""
        chains = self._state.chains if self._state else ()
        return [chain for chain in chains if self._chain in ("", chain.chain)]

    @property
    def missing(self) -> str:
        """That the chain to show is none of those that are watched, in words; "" where it is."""
        if not self._state or not self._chain or self.chains:
            return ""
        known = ", ".join(words.name(chain.chain) for chain in self._state.chains[:20]) or "none"
        return f"there is no chain {words.name(self._chain)}; there are: {known}"

    def lines(self, console: Console, room: Room) -> list[Text]:
        """Return the lines of a screen, from the first to the last: of a lower one as many as it has."""
        first, last = self._heading(), self._footing()
        height = None if room.height is None else max(0, room.height - 2)
        picture = Picture(console, self._marks, Room(room.width, height), self._clock() - self._told)
        if self.missing:
            body = picture.wrapped(self.missing, STYLES[Severity.WARNING])
        elif self._state is None and not self._failure:
            body = [Text("Asking the collector ...")]
        else:
            body = picture.lines(self.chains, self._order)
        if self._failure:  # what is shown is not how it is now
            body = [Text(line.plain, "dim", no_wrap=True) for line in body]
        if height is not None:
            body = body[:height] + [Text()] * (height - len(body))
        lines = [first, *body] if height is None else [first, *body, last][: room.height]
        for line in lines:
            line.truncate(room.width, overflow="ellipsis")
        return lines

    def _heading(self) -> Text:
        if self._failure:
            gone = words.duration(self._clock() - (self._told if self._state else self._began))
            sign = self._marks.severity(Severity.CRITICAL)
            text = f"{sign} The collector at {self._shown} has not answered for {gone}: {self._failure}"
            return Text(text, STYLES[Severity.CRITICAL], no_wrap=True)
        line = Text(no_wrap=True).append("chainwatch ", "bold")
        if self._state:
            nodes = sum(len(chain.nodes) for chain in self.chains)
            line.append(f"{words.name(self._state.chainwatch)}  ")
            line.append(f"{amount(len(self.chains), 'chain')}, {amount(nodes, 'node')}  ", "")
        return line.append(self._shown, "dim")

    def _footing(self) -> Text:
        marks = self._marks
        legend = f"{marks.made} made  {marks.partly} partly  {marks.missed} missed  {marks.none} no turn"
        keys = f"q quits  s sorts, now by {self._order.value}"
        return Text(f"{keys}    {legend}", "dim", no_wrap=True)
