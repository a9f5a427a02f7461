"""The scrape endpoint: the latest value of every series, for as long as it is fresh."""

from __future__ import annotations

import asyncio
import gzip
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from aiohttp import web

from collector.about import About
from collector.catalogue import ETHSTATS, ETHSTATS_UNREADABLE, SHIELDED
from collector.readings import Reading, Shape, Tags
from collector.targets import Target
from exporters.exposition import Layout
from exporters.listening import Listener

_GZIP_LEVEL = 1  # 7 times faster than 9 for 12 % more bytes
_TEXT = "text/plain; version=0.0.4; charset=utf-8"
_OPENMETRICS = "application/openmetrics-text"
_OPENMETRICS_1 = f"{_OPENMETRICS}; version=1.0.0; charset=utf-8"
_UNWANTED = re.compile(r'q=0(\.0*)?|version=(?!"?1\.0\.0"?$).+')
_NOT_GATHERED = frozenset(metric.measurement for metric in (*ETHSTATS, *ETHSTATS_UNREADABLE, *SHIELDED))
"""What is said of a node whether or not it is watched as a server: it pushes, or is tried from outside."""
_OWN = "chainwatch"  # the measurement of what chainwatch counts itself
_SPARE = 1000  # rows that a table may have beyond twice those that were fresh, before it looks for the others


@dataclass(frozen=True)
class PrometheusSettings:
    """Where to listen, under which path, and for how many intervals of its server a series is kept after its last."""

    host: str = "127.0.0.1"
    port: int = 9273
    path: str = "/metrics"
    expire: float = 5.0


class Table:
    """The latest reading of each (measurement, tags), each until its time is over."""

    def __init__(self, expire: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._expire = expire
        self._clock = clock
        self._rows: dict[tuple[str, Tags], tuple[Reading, float]] = {}
        self._most = _SPARE

    def put(self, readings: Sequence[Reading], interval: float) -> None:
        """Take readings of a server gathered every `interval` seconds."""
        until = self._clock() + self._expire * interval
        for reading in readings:
            self._rows[reading.shape.key] = (reading, until)
        if len(self._rows) > self._most:  # nobody scrapes, and series keep coming and going
            self.fresh()

    def drop(self, over: Callable[[Shape], bool]) -> None:
        """Let go of the series that are over, whatever their time."""
        for key in [key for key, (reading, _) in self._rows.items() if over(reading.shape)]:
            del self._rows[key]

    def fresh(self) -> list[Reading]:
        """Return the readings whose time is not over; the others are let go of."""
        now = self._clock()
        for key in [key for key, (_, until) in self._rows.items() if until < now]:
            del self._rows[key]
        self._most = 2 * len(self._rows) + _SPARE
        return [reading for reading, _ in self._rows.values()]


@dataclass
class _Page:
    """A page as it goes out, and when it was made."""

    body: bytes = b""
    made: float = field(default=float("-inf"))


class Prometheus:
    """Serves `/metrics`, and whatever other pages are given, on one listener; where paths collide, the metrics win.

    A page is made in a thread, one at a time, and serves every scrape that arrives within half a second: however many
    scrape, the gathers go on.
    """

    name = "prometheus"

    def __init__(self, settings: PrometheusSettings, about: About, pages: Sequence[web.RouteDef] = ()) -> None:
        self._about = about
        self._table = Table(settings.expire)
        self._layout = Layout(())
        self._lock = asyncio.Lock()
        self._made: dict[tuple[bool, bool], _Page] = {}
        self._followed: dict[tuple[str, str], Target] = {}
        served = [web.get(settings.path, self.scrape), *(page for page in pages if page.path != settings.path)]
        self._listener = Listener("outputs.prometheus.listen", settings.host, settings.port, served)

    @property
    def port(self) -> int:
        """The port listened on; another than the settings' where that is 0."""
        return self._listener.port

    async def start(self) -> None:
        """Open the listener. Raises OSError, with the address in its text, where that is not possible."""
        await self._listener.open()

    def take(self, readings: Sequence[Reading], interval: float) -> None:
        """Keep the readings for the next scrape."""
        self._table.put(readings, interval)

    def follow(self, targets: Sequence[Target]) -> None:
        """Let the series go at once that nothing will be said of any more.

        They are all those of a server that is gone; of one that came back at another address, or with other labels,
        those that have the old ones. What never was a server's is left alone, and what is said of others as well.
        """
        before, self._followed = self._followed, {(target.chain, target.name): target for target in targets}
        changed = {node: target for node, target in before.items() if self._followed.get(node) != target}

        def over(shape: Shape) -> bool:
            node = shape.derive(_node)
            return node in changed and _over(shape, changed[node], self._followed.get(node))

        if changed:
            self._table.drop(over)
            self._made.clear()  # a page that was made a moment ago has them still

    async def close(self, within: float) -> None:  # noqa: ARG002 - nothing waits here to be delivered
        """Close the listener."""
        await self._listener.close()

    async def scrape(self, request: web.Request) -> web.Response:
        """Answer a scrape, in the format and encoding that it asks for."""
        openmetrics = accepts(request.headers.getall("Accept", []), _OPENMETRICS)
        packed = accepts(request.headers.getall("Accept-Encoding", []), "gzip")
        body = await self._page(openmetrics=openmetrics, packed=packed)
        headers = {
            "Content-Type": _OPENMETRICS_1 if openmetrics else _TEXT,
            "Vary": "Accept, Accept-Encoding",
            "Cache-Control": "no-store",
        }
        if packed:
            headers["Content-Encoding"] = "gzip"
        return web.Response(body=body, headers=headers)

    async def _page(self, *, openmetrics: bool, packed: bool) -> bytes:
        async with self._lock:
            page = self._made.setdefault((openmetrics, packed), _Page())
            if time.monotonic() - page.made < 0.5:  # noqa: PLR2004 - named in the class's docstring
                return page.body
            began = time.monotonic()
            readings = self._table.fresh()
            page.body = await asyncio.to_thread(self._render, readings, openmetrics=openmetrics, packed=packed)
            page.made = time.monotonic()
        self._about.counter("output_seconds_total", self.name).inc(page.made - began)
        self._about.counter("readings_delivered_total", self.name).inc(len(readings))
        self._about.counter("fields_delivered_total", self.name).inc(sum(len(reading.values) for reading in readings))
        return page.body

    def _render(self, readings: list[Reading], *, openmetrics: bool, packed: bool) -> bytes:
        shapes = [reading.shape for reading in readings]
        if not self._layout.fits(shapes):
            self._layout = Layout(shapes)
        page = self._layout.render(readings, openmetrics=openmetrics)
        return gzip.compress(page, _GZIP_LEVEL) if packed else page


def _node(shape: Shape) -> tuple[str, str] | None:
    """Return the chain and the name of the node that a series was gathered from, None if it was from none."""
    if shape.measurement in _NOT_GATHERED:
        return None
    tags = dict(shape.tags)
    return (tags["chain"], tags["node"]) if {"chain", "node"} <= tags.keys() else None


def _over(shape: Shape, before: Target, now: Target | None) -> bool:
    """Tell whether a server, as it is now, says nothing of a series any more that was its own as it was before."""
    if now is None:
        return True
    tags = dict(shape.tags)
    address = {"server": now.host, "port": str(now.port)}
    if any(tags.get(name, value) != value for name, value in address.items()):
        return True
    # What chainwatch counts has no labels of the server but chain and node; all else has all, those that are empty not.
    labels = dict.fromkeys(before.tags, "") | now.tags
    return shape.measurement != _OWN and any(tags.get(name, "") != value for name, value in labels.items())


def accepts(headers: Sequence[str], wanted: str) -> bool:
    """Tell whether headers such as Accept name what is wanted, in a version that is known, and not with weight 0."""
    for offer in ",".join(headers).lower().replace(" ", "").split(","):
        name, *parameters = offer.split(";")
        if name == wanted and not any(map(_UNWANTED.fullmatch, parameters)):
            return True
    return False
