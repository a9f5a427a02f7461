"""The exporter: hears of heads, and keeps the file that Traefik watches as it should be."""

from __future__ import annotations

import asyncio
import logging
import math
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from collector.about import About
from collector.readings import Reading, Shape
from collector.remarks import Remarks, excerpt
from exporters.traefik.dynamic import Dynamic, Made
from exporters.traefik.file import content_of, replace
from exporters.traefik.rotation import HEARD_WITHIN, Node, Rotation

_LONGEST_PAUSE = 1.0
_SHORTEST_PAUSE = 0.1
"""Between a reading and the judgement: nodes that are asked in one tick don't answer at one moment."""

_STUCK = 5.0
"""Seconds after which a write that is not over is a failure, though nobody can end it."""

_IMPOSSIBLE = 2**64
"""No block has this number, nor one beyond: whoever says so has said nothing."""

_GAUGE = "node_in_rotation"

_log = logging.getLogger("chainwatch.traefik")


@dataclass(frozen=True)
class Settings:
    """`text` is Traefik's whole dynamic configuration in YAML, `to` the file that Traefik watches.

    A node leaves at so many blocks `behind`, two at least.
    """

    text: str = field(repr=False)
    to: Path
    behind: int = 3


class _Head(NamedTuple):
    """Where in a reading the head of which node is."""

    node: Node
    place: int


class Traefik:
    """Leaves the nodes that are behind out of a file.

    Each take is followed, a moment later, by a judgement and a look at the file, in a thread of their own. The file is
    written when it says something else than it should, whatever the reason is: so a write that failed is tried again
    at the next take, and a file that somebody else has written or removed is put right.
    """

    name = "traefik"

    def __init__(self, settings: Settings, about: About, clock: Callable[[], float] = time.monotonic) -> None:
        self._settings = settings
        self._about = about
        self._clock = clock
        self._rotation = Rotation(settings.behind)
        self._dynamic: Dynamic | None = None
        self._made: tuple[frozenset[str], Made] | None = None
        self._inherited: frozenset[str] = frozenset()
        self._inherited_until = math.inf
        self._due: asyncio.TimerHandle | None = None
        self._work: asyncio.Future[Made] | None = None
        self._since = 0.0
        self._counted: set[Node] = set()
        self._file = Remarks(_log, f"output traefik: {settings.to}")
        self._services = Remarks(_log, "output traefik")
        self._nodes: dict[Node, Remarks] = {}

    async def start(self) -> None:
        """See to it that there is a file. One that lacks some servers is left alone: their nodes were behind lately."""
        self._begin(self._open)
        await self._end_of_work(_STUCK)

    def take(self, readings: Sequence[Reading], interval: float) -> None:
        """Take note of the heads that nodes answered with.

        Not of those that were pushed: who pushes gives itself its name, that of another's server too, and as many
        names as it likes.
        """
        now = self._clock()
        pushed = any(reading.shape.measurement == "ethstats" for reading in readings)
        for reading in readings:
            head = None if pushed else reading.shape.derive(_head)
            if head is not None:
                number = reading.values[head.place]
                if isinstance(number, int | float) and 0 <= number < _IMPOSSIBLE:
                    self._rotation.hear(head.node, number, now, interval)
        if self._inherited_until == math.inf:
            self._inherited_until = now + HEARD_WITHIN * interval
        if self._due is None:
            pause = max(_SHORTEST_PAUSE, min(_LONGEST_PAUSE, interval / 2))
            self._due = asyncio.get_running_loop().call_later(pause, self._judge)

    async def close(self, within: float) -> None:
        """Write what is due; the file stays as it is from then on."""
        deadline = self._clock() + within
        await self._end_of_work(within)
        if self._due is not None:
            self._due.cancel()
            self._judge()
            await self._end_of_work(deadline - self._clock())
        if self._work is not None:
            self._work.cancel()  # the thread may go on, and nobody waits for it
        for node in self._counted:
            self._about.drop(_GAUGE, *node)

    def _judge(self) -> None:
        self._due = None
        self._rotation.judge(self._clock())
        if self._work is None:
            self._begin(self._look)
        elif (waited := self._clock() - self._since) > _STUCK:
            self._failed(f"a write takes longer than {_STUCK:g} s", f"(now {waited:.0f} s)")

    def _begin(self, job: Callable[[frozenset[str]], Made]) -> None:
        """Do something in a thread, for the names of the nodes that are to be out now. One thing at a time."""
        began = self._since = self._clock()
        self._work = asyncio.wrap_future(_in_a_thread(job, self._unwanted(began)))
        self._work.add_done_callback(lambda work: self._ended(work, began))

    def _unwanted(self, now: float) -> frozenset[str]:
        names = {name.lower() for _, name in self._rotation.behind}
        if self._dynamic and now < self._inherited_until:
            names |= self._inherited - self._dynamic.also({name.lower() for _, name in self._rotation.heard})
        return frozenset(names)

    def _ended(self, work: asyncio.Future[Made], began: float) -> None:
        self._work = None
        self._about.counter("output_seconds_total", self.name).inc(self._clock() - began)
        if work.cancelled():
            return
        match work.exception():
            case None:
                self._file.recovered("written again")
                self._tell(work.result())
            case OSError() as error:
                self._failed(error.strerror or type(error).__name__)
            case error:
                self._failed(f"a defect: {excerpt(repr(error))}")

    def _failed(self, reason: str, more: str = "") -> None:
        self._about.counter("output_errors_total", self.name).inc()
        said = f"{reason} {more}".strip()
        self._file.failed(reason, f"cannot be written: {said}; Traefik goes on with what it has")

    def _tell(self, made: Made) -> None:
        """Say in metrics and log who is in and who is not."""
        assert self._dynamic is not None
        present = {node for node in self._rotation.heard if node[1].lower() in self._dynamic.names}
        for gone in self._counted - present:
            self._about.drop(_GAUGE, *gone)
        self._counted = present
        for node in present:
            self._about.gauge(_GAUGE, *node).set(int(node[1].lower() not in made.out))
        out = {node: lag for node, lag in self._rotation.behind.items() if node[1].lower() in made.out}
        for node, lag in out.items():
            missing = f"{lag.mark - lag.head:,.0f} blocks behind {lag.mark:,.0f}"
            remarks = self._nodes.setdefault(node, Remarks(_log, f"{node[0]}/{node[1]}"))
            remarks.failed("behind", f"{missing}: left out of Traefik's rotation")
        for node in self._nodes.keys() - out.keys():
            self._nodes[node].recovered("left out of Traefik's rotation no more")
        if made.kept:
            services = ", ".join(made.kept)
            self._services.failed("all", f"all servers are behind, and all stay: {services}")
        else:
            self._services.recovered("no service has only servers that are behind any more")

    async def _end_of_work(self, within: float) -> None:
        if self._work is not None:
            await asyncio.wait([self._work], timeout=max(0.0, within))

    # What follows is done in a thread.

    def _open(self, names: frozenset[str]) -> Made:
        """Take over what was made of the configuration earlier; write it where there is nothing of the kind."""
        self._dynamic = Dynamic(self._settings.text)
        there = content_of(self._settings.to)
        if there is not None and (made := self._dynamic.as_in(there)):
            self._inherited = made.out
            return made
        return self._look(names)

    def _look(self, names: frozenset[str]) -> Made:
        """Write the file without the servers of these nodes, unless it says just that."""
        if self._dynamic is None:
            self._dynamic = Dynamic(self._settings.text)
        if self._made is None or self._made[0] != names:
            self._made = (names, self._dynamic.without(names))
        made = self._made[1]
        if content_of(self._settings.to) != made.content:
            replace(self._settings.to, made.content)
        return made


def _head(shape: Shape) -> _Head | None:
    tags = dict(shape.tags)
    names = [field.name for field in shape.fields]
    if shape.measurement != "chain" or "head_block_number" not in names or not {"chain", "node"} <= tags.keys():
        return None
    return _Head((tags["chain"], tags["node"]), names.index("head_block_number"))


def _in_a_thread(job: Callable[[frozenset[str]], Made], names: frozenset[str]) -> Future[Made]:
    """Do something in a thread that holds up nobody's exit: a file system that is gone may keep it for good."""
    future: Future[Made] = Future()
    future.set_running_or_notify_cancel()

    def work() -> None:
        try:
            future.set_result(job(names))
        except Exception as error:  # noqa: BLE001 - it is the future's to tell
            future.set_exception(error)

    threading.Thread(target=work, name="chainwatch-traefik", daemon=True).start()
    return future
