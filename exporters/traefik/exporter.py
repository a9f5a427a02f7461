"""The exporter: hears of heads, and keeps what Traefik reads as it should be: a file, or a page."""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple, Protocol

from collector.about import About
from collector.readings import Reading, Shape, Value
from collector.remarks import Remarks, excerpt
from collector.targets import Target
from exporters.aside import aside
from exporters.traefik.dynamic import Dynamic, Made, Name
from exporters.traefik.file import File
from exporters.traefik.page import Address, Page
from exporters.traefik.replicas import Following
from exporters.traefik.rotation import HEARD_WITHIN, Head, Node, Rotation

_LONGEST_PAUSE = 1.0
_SHORTEST_PAUSE = 0.1
"""Between a reading and the judgement: nodes that are asked in one tick don't answer at one moment."""

_STUCK = 5.0
"""Seconds after which a write that is not over is a failure, though nobody can end it."""

_IMPOSSIBLE = 2**64
"""No block has this number, nor this time, nor one beyond: whoever says so has said nothing."""

_GAUGE = "node_in_rotation"

_log = logging.getLogger("chainwatch.traefik")


@dataclass(frozen=True)
class Settings:
    """`text` is Traefik's whole dynamic configuration in YAML, `to` the file that Traefik watches or the page it polls.

    A node leaves at so many blocks `behind`, two at least, or where its head is so many seconds `older`, if not 0.
    """

    text: str = field(repr=False)
    to: Path | Address
    behind: int = 3
    older: float = 0.0


class Outlet(Protocol):
    """Where Traefik finds its configuration. Its text is what it is called in messages."""

    async def open(self) -> None:
        """Begin. Raises OSError where that is not possible."""

    async def close(self) -> None:
        """End; Traefik goes on with what it has."""

    def left(self, alike: Callable[[bytes], bool]) -> bool:
        """Tell whether Traefik may have something `alike` from an earlier run. In a thread: it may take its time."""

    def content(self) -> bytes | None:
        """Return what Traefik finds. In a thread."""

    def replace(self, content: bytes) -> None:
        """Let Traefik find something else. In a thread. Raises OSError."""


class _Places(NamedTuple):
    """Where in a reading the head of which node is, and its time if it is there."""

    node: Node
    number: int
    time: int | None


class _Task(NamedTuple):
    """What is to be done in a thread: the nodes to be out, and who is behind DNS names; `held`: write nothing."""

    unwanted: frozenset[Name]
    following: Following
    held: bool


class Traefik:
    """Leaves the nodes that are behind out of what Traefik reads.

    Each take is followed, a moment later, by a judgement and a look at the outlet, in a thread of their own. It is
    written when it says something else than it should, whatever the reason is: so a write that failed is tried again
    at the next take, and a file that somebody else has written or removed is put right.

    What Traefik has from an earlier run is left to it until all nodes were heard of, or some intervals are over: who
    is out there was behind lately.
    """

    name = "traefik"

    def __init__(self, settings: Settings, about: About, clock: Callable[[], float] = time.monotonic) -> None:
        self._text = settings.text
        self._outlet: Outlet = Page(settings.to) if isinstance(settings.to, Address) else File(settings.to)
        self._about = about
        self._clock = clock
        self._rotation = Rotation(settings.behind, settings.older)
        self._following = Following()
        self._watched: set[Node] = set()
        self._dynamic: Dynamic | None = None
        self._made: tuple[_Task, Made] | None = None
        self._left = True
        self._settled = False
        self._settled_from = math.inf
        self._joined: set[Node] = set()
        self._closed = False
        self._due: asyncio.TimerHandle | None = None
        self._work: asyncio.Future[Made | None] | None = None
        self._since = 0.0
        self._counted: set[Node] = set()
        self._writes = Remarks(_log, f"output traefik: {self._outlet}")
        self._services = Remarks(_log, "output traefik")
        self._nodes: dict[Node, Remarks] = {}

    @property
    def outlet(self) -> Outlet:
        """What Traefik reads."""
        return self._outlet

    async def start(self) -> None:
        """See to it that there is something for Traefik to read. Raises OSError where a page can't be opened."""
        await self._outlet.open()
        self._closed = False
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
            places = None if pushed else reading.shape.derive(_places)
            if places is not None and _possible(number := reading.values[places.number]):
                told = reading.values[places.time] if places.time is not None else ""
                head = Head(float(number), float(told) if _possible(told) else None)
                self._rotation.hear(places.node, head, now, interval)
        if self._settled_from == math.inf:
            self._settled_from = now + HEARD_WITHIN * interval
        self._judge_in(max(_SHORTEST_PAUSE, min(_LONGEST_PAUSE, interval / 2)))

    def follow(self, targets: Sequence[Target]) -> None:
        """Take note of the servers behind DNS names, and let go of what those said that are gone.

        One that is new joins once it was heard of: until then nobody knows how far it is.
        """
        self._following, new = self._following.then(targets)
        before, self._watched = self._watched, {(target.chain, target.name) for target in targets}
        for node in new | (before - self._watched - self._following.nodes):
            self._rotation.forget(node)
        if self._settled or self._left:
            self._joined -= new
        else:
            self._joined |= new  # there is nobody else as yet
        self._judge_in(_SHORTEST_PAUSE)

    async def close(self, within: float) -> None:
        """Write what is due; a file stays as it is from then on."""
        deadline = self._clock() + within
        self._closed = True
        await self._end_of_work(within)
        if self._due is not None:
            self._due.cancel()
            self._judge()
            await self._end_of_work(deadline - self._clock())
        if self._work is not None:
            self._work.cancel()  # the thread may go on, and nobody waits for it
        for node in self._counted:
            self._about.drop(_GAUGE, *node)
        await self._outlet.close()

    def _judge_in(self, pause: float) -> None:
        if self._due is None and not self._closed:
            self._due = asyncio.get_running_loop().call_later(pause, self._judge)

    def _judge(self) -> None:
        self._due = None
        now = self._clock()
        self._rotation.judge(now)
        heard = set(self._rotation.heard)
        self._joined = (self._joined | heard) & self._following.nodes
        self._settled = (
            self._settled
            or now >= self._settled_from
            or bool(self._dynamic and self._dynamic.all_of(_names(heard), self._following.replicas))
        )
        if self._work is None:
            self._begin(self._look)
        elif (waited := now - self._since) > _STUCK:
            self._failed(f"a write takes longer than {_STUCK:g} s", f"(now {waited:.0f} s)")

    def _begin(self, job: Callable[[_Task], Made | None]) -> None:
        """Do something in a thread. One thing at a time."""
        began = self._since = self._clock()
        task = _Task(
            _names(self._rotation.behind) | (self._following.nodes - self._joined),
            self._following,
            self._left and not self._settled,
        )
        self._work = aside("chainwatch-traefik", lambda: job(task))
        self._work.add_done_callback(lambda work: self._ended(work, began))

    def _ended(self, work: asyncio.Future[Made | None], began: float) -> None:
        self._work = None
        self._about.counter("output_seconds_total", self.name).inc(self._clock() - began)
        if work.cancelled():
            return
        match work.exception():
            case None:
                if made := work.result():
                    self._writes.recovered("written again")
                    self._tell(made)
            case OSError() as error:
                self._failed(error.strerror or type(error).__name__)
            case error:
                self._failed(f"a defect: {excerpt(repr(error))}")

    def _failed(self, reason: str, more: str = "") -> None:
        self._about.counter("output_errors_total", self.name).inc()
        said = f"{reason} {more}".strip()
        self._writes.failed(reason, f"cannot be written: {said}; Traefik goes on with what it has")

    def _tell(self, made: Made) -> None:
        """Say in metrics and log who is in and who is not."""
        called = {node: _names([node]) & made.names for node in self._rotation.heard}
        present = {node for node, names in called.items() if names}
        for gone in self._counted - present:
            self._about.drop(_GAUGE, *gone)
        self._counted = present
        for node in present:
            self._about.gauge(_GAUGE, *node).set(int(not called[node] <= made.out))
        out = {node: lag for node, lag in self._rotation.behind.items() if node in present and called[node] <= made.out}
        for node, lag in out.items():
            remarks = self._nodes.setdefault(node, Remarks(_log, f"{node[0]}/{node[1]}"))
            remarks.failed("behind", f"{lag}: left out of Traefik's rotation")
        for node in self._nodes.keys() - out.keys():
            self._nodes[node].recovered("left out of Traefik's rotation no more")
        self._nodes = {node: remarks for node, remarks in self._nodes.items() if node in called}
        if made.kept:
            services = ", ".join(made.kept)
            self._services.failed("all", f"no server is known to keep up, and all stay: {services}")
        else:
            self._services.recovered("every service has a server again that keeps up")

    async def _end_of_work(self, within: float) -> None:
        if self._work is not None:
            await asyncio.wait([self._work], timeout=max(0.0, within))

    # What follows is done in a thread.

    def _open(self, task: _Task) -> Made | None:
        """Leave alone what was made earlier; write where there is nothing of the kind."""
        self._dynamic = Dynamic(self._text)
        self._left = self._outlet.left(self._dynamic.alike)
        return None if self._left else self._look(task._replace(held=False))

    def _look(self, task: _Task) -> Made | None:
        """Write the configuration without the servers that are to be out, unless that is there."""
        if self._dynamic is None:
            self._dynamic = Dynamic(self._text)
        if task.held:
            return None
        if self._made is None or self._made[0] != task:
            self._made = (task, self._dynamic.without(task.unwanted, task.following.replicas))
        made = self._made[1]
        if self._outlet.content() != made.content:
            self._outlet.replace(made.content)
        return made


def _names(nodes: Iterable[Node]) -> frozenset[Name]:
    """Return what nodes are called whose servers are looked for: where they were found, and wherever they are named."""
    return frozenset(name for node in nodes for name in (node, node[1].lower()))


def _places(shape: Shape) -> _Places | None:
    tags = dict(shape.tags)
    places = {field.name: place for place, field in enumerate(shape.fields)}
    if shape.measurement != "chain" or "head_block_number" not in places or not {"chain", "node"} <= tags.keys():
        return None
    node = tags["chain"], tags["node"]
    return _Places(node, places["head_block_number"], places.get("head_block_timestamp_seconds"))


def _possible(value: Value) -> bool:
    return isinstance(value, int | float) and 0 <= value < _IMPOSSIBLE
