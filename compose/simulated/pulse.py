"""The figures of a simulated geth: recorded documents whose numbers move with time and blocks.

A document is cut once into what stands still and slots for what moves. What moves is a recorded number times one of a
few figures (`Pulse`): a count that stood at 56 after 56 blocks grows by one per block from there on.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import orjson

TICK = 5.0
"""Seconds between two updates of geth's rates."""

ROUNDING = 1e-6
"""What a whole number may lack after two multiplications."""

WINDOWS = (60.0, 300.0, 900.0)

# The places of figures in `Pulse.figures`: those driven by blocks, the same driven by time, and the rest.
BLOCKS, BLOCKS_1, BLOCKS_5, BLOCKS_15, BLOCKS_MEAN = range(5)
SECONDS, SECONDS_1, SECONDS_5, SECONDS_15, SECONDS_MEAN = range(5, 10)
LEVEL, LATENCY, HEAD, PEERS, PENDING, QUEUED, MEASURED, MEASUREMENT = range(10, 18)

_SUFFIXES = {
    "Overall": BLOCKS,
    "AvgRate01Min": BLOCKS_1,
    "AvgRate05Min": BLOCKS_5,
    "AvgRate15Min": BLOCKS_15,
    "MeanRate": BLOCKS_MEAN,
    "count": BLOCKS,
    "one-minute": BLOCKS_1,
    "five-minute": BLOCKS_5,
    "fifteen-minute": BLOCKS_15,
    "mean-rate": BLOCKS_MEAN,
}
_RESETTING = (
    "state/snapshot/bloom/index",
    "trie/memcache/commit/time",
    "trie/memcache/flush/time",
    "trie/memcache/gc/time",
)
_GAUGES = {
    "chain/head/block": HEAD,
    "chain/head/header": HEAD,
    "chain/head/receipt": HEAD,
    "p2p/peers": PEERS,
    "txpool/pending": PENDING,
    "txpool/queued": QUEUED,
}
_COUNTED_PLAINLY = (
    "system/disk/readbytes",
    "system/disk/writebytes",
    "rpc/requests",
    "rpc/success",
    "db/preimage/hits",
    "db/preimage/total",
)
_BY_BLOCKS = (
    "chain/",
    "trie/",
    "db/",
    "state/",
    "eth/fetcher/",
    "eth/prop/blocks/",
    "eth/downloader/",
    "txpool/reheap",
)


class Pulse:
    """The figures of one node, from its start on.

    Rates by blocks are moving averages that decay while no block comes, as geth's do; they move every 5 s.
    """

    def __init__(self, now: float, head: int) -> None:
        self.started = now
        self._first = head
        self._blocks = 0
        self._measured = 0
        self._ticked = now
        self._counted = 0
        self._rates = [0.0] * len(WINDOWS)

    def figures(self, now: float, head: int, peers: int, pending: int, queued: int) -> list[float]:
        """Return the figures at a time. Reading them empties the resetting timers, as in geth."""
        uptime = max(now - self.started, 1.0)
        self._blocks = max(self._blocks, head - self._first)  # a counter never falls, even where the head does
        self._tick(now)
        sway = math.sin(now / 37)
        level = 1 + 0.02 * sway
        alive = bool(self._blocks)
        measured, self._measured = self._blocks - self._measured, self._blocks
        return [
            self._blocks,
            *self._rates,
            self._blocks / uptime,
            uptime,
            1 + 0.2 * sway,
            1 + 0.1 * sway,
            1 + 0.05 * sway,
            1.0,
            level,
            level if alive else 0,
            head,
            peers,
            pending,
            queued,
            measured,
            level if measured else 0,
        ]

    def _tick(self, now: float) -> None:
        elapsed = now - self._ticked
        if elapsed < TICK:
            return
        rate = (self._blocks - self._counted) / elapsed
        for i, window in enumerate(WINDOWS):
            kept = math.exp(-elapsed / window) if self._counted else 0.0
            self._rates[i] = self._rates[i] * kept + rate * (1 - kept)
        self._ticked, self._counted = now, self._blocks


class Slot(NamedTuple):
    """A place in a document: `factor` times the figure `figure`, a whole number or not."""

    figure: int
    factor: float
    whole: bool


class Document:
    """A recorded document that can be written with other figures.

    `blocks` and `seconds` are what the recorded node had behind it. A `tree` is the nested document of
    `debug_metrics`, otherwise it is the flat one of `/debug/metrics`, one name per line as Go's expvar writes it.
    """

    def __init__(self, recorded: dict[str, Any], blocks: int, seconds: float, *, tree: bool) -> None:
        self._behind = (blocks, seconds)
        self._parts: list[bytes] = []
        self._slots: list[Slot] = []
        self._text = bytearray()
        if tree:
            self._tree(recorded, "")
        else:
            self._flat(recorded)
        self._parts.append(bytes(self._text))
        self._text.clear()

    def write(self, figures: list[float]) -> bytes:
        """Return the document with these figures."""
        values = [
            int(figures[i] * factor + ROUNDING) if whole else figures[i] * factor for i, factor, whole in self._slots
        ]
        values.append(0)
        # as Go writes them: a whole number has no decimal point
        numbers = orjson.dumps(values)[1:-1].replace(b".0,", b",").split(b",")
        parts = self._parts.copy()
        parts[1::2] = numbers[:-1]
        return b"".join(parts)

    def _tree(self, value: object, path: str, count: float = 0) -> None:
        if isinstance(value, dict):
            count = value.get("Overall", count)
            self._text += b"{"
            for i, (key, inner) in enumerate(value.items()):
                self._text += (b"," if i else b"") + orjson.dumps(key) + b":"
                self._tree(inner, f"{path}/{key}" if path else key, count)
            self._text += b"}"
            return
        name, _, suffix = path.rpartition("/")
        self._number(name.removesuffix("/Percentiles"), suffix, value, count)

    def _flat(self, recorded: dict[str, Any]) -> None:
        histograms = {key.rpartition(".")[0] for key in recorded if key.endswith(".std-dev")}
        for i, (key, value) in enumerate(recorded.items()):
            self._text += (b",\n" if i else b"{\n") + orjson.dumps(key) + b": "
            name, _, suffix = key.rpartition(".") if "." in key else (key, "", "")
            if suffix == "mean" and name not in histograms:
                suffix = "mean-rate"  # a meter's, not the mean of a histogram
            self._number(name, suffix, value, recorded.get(f"{name}.count", 0))
        self._text += b"\n}\n"

    def _number(self, name: str, suffix: str, value: object, count: float) -> None:
        """Append a number as a slot, where it moves, or as it was recorded. `count` is its meter's."""
        slot = self._slot(name, suffix, value, count) if isinstance(value, (int, float)) and value else None
        if slot is None:
            self._text += orjson.dumps(value)
            return
        self._parts += (bytes(self._text), b"")
        self._text.clear()
        self._slots.append(slot)

    def _slot(self, name: str, suffix: str, value: float, count: float) -> Slot:
        blocks, seconds = self._behind
        if name in _RESETTING:
            counted = suffix in ("Measurements", "count")
            return Slot(MEASURED, value / blocks, whole=True) if counted else Slot(MEASUREMENT, value, whole=False)
        if name in _GAUGES:
            return Slot(_GAUGES[name], 1, whole=True)
        figure = BLOCKS if name in _COUNTED_PLAINLY else _SUFFIXES.get(suffix)
        if figure is None:
            return Slot(LATENCY if suffix else LEVEL, value, whole=not suffix and isinstance(value, int))
        factor = (count or value) / (blocks if name.startswith(_BY_BLOCKS) else seconds)
        return Slot(figure if name.startswith(_BY_BLOCKS) else figure - BLOCKS + SECONDS, factor, figure == BLOCKS)
