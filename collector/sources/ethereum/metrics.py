"""geth's own metrics: two documents, one set of names.

Up to 1.8 `debug_metrics [true]` answers with a nested document: `chain/inserts` is
`{"chain": {"inserts": {"Overall": 56, "AvgRate01Min": 0.58, "Percentiles": {"20": 163993.8, ...}}}}`. From 1.9 on
there is `/debug/metrics` only (1.8 has it as well, beside), flat: `{"chain/inserts.count": 56,
"chain/inserts.one-minute": 0.58, "chain/inserts.50-percentile": 250151, ...}`. Here the flat names become the nested
paths wherever the figure is the same, so that a query outlives the upgrade.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from collector.paths import Path

DEFAULT_SELECTION = ("chain", "db", "discv5", "eth", "les", "p2p", "system", "trie", "txpool")
"""What Telegraf's plugin for geth took when nothing was said."""

_SUFFIX = re.compile(r"\.(count|min|max|mean|mean-rate|std-dev|one-minute|five-minute|fifteen-minute|(\d+)-percentile)")

_RATES = {
    "one-minute": ("AvgRate01Min",),
    "five-minute": ("AvgRate05Min",),
    "fifteen-minute": ("AvgRate15Min",),
    "mean-rate": ("MeanRate",),
}
_METER = {**_RATES, "count": ("Overall",), "mean": ("MeanRate",)}
_TIMER = {**_RATES, "count": ("Overall",), "mean": ("Mean",), "min": ("Min",), "max": ("Max",), "std-dev": ("StdDev",)}
_HISTOGRAM = {**_TIMER, "count": ("Count",)}  # debug_metrics never showed one
_RESETTING_TIMER = {"count": ("Measurements",), "mean": ("Mean",)}

_COUNTERS = frozenset(
    [
        "db/preimage/hits",
        "db/preimage/total",
        "system/disk/readbytes",
        "system/disk/writebytes",
        "trie/cachemiss",
        "trie/cacheunload",
        "txpool/invalid",
        "txpool/underpriced",
        *(
            f"txpool/{pool}/{why}"
            for pool in ("pending", "queued")
            for why in ("discard", "nofunds", "ratelimit", "replace")
        ),
    ]
)
"""Plain figures of the flat document that debug_metrics calls `Overall`. The flat document does not tell a counter
from a gauge; these are all the counters of the recorded 1.8.27."""

_RENAMED = (
    # newer name, the name in 1.8
    ("p2p/ingress", "p2p/InboundTraffic"),
    ("p2p/egress", "p2p/OutboundTraffic"),
    ("p2p/serves", "p2p/InboundConnects"),
    ("p2p/dials", "p2p/OutboundConnects"),
    ("eth/fetcher/block/announces", "eth/fetcher/prop/announces"),
    ("eth/fetcher/block/broadcasts", "eth/fetcher/prop/broadcasts"),
    ("eth/fetcher/block/filter", "eth/fetcher/filter"),
    ("eth/fetcher/block/headers", "eth/fetcher/fetch/headers"),
    ("eth/fetcher/block/bodies", "eth/fetcher/fetch/bodies"),
)
"""Metrics that kept their meaning and changed their name after 1.8; all below them is renamed alike."""


def nested_name(keys: Path) -> Path:
    """Return the path for the keys of the nested document: they are one."""
    return keys


def flat_names(document: Mapping[str, Any]) -> Callable[[Path], Path | None]:
    """Return what names the figures of a flat document, which has to be seen whole to tell a meter from a timer."""
    suffixes: dict[str, set[str]] = {}
    for key in document:
        family, suffix = _split(key)
        suffixes.setdefault(family, set()).add(suffix)

    def name(keys: Path) -> Path | None:
        if len(keys) != 1:  # memstats and cmdline, Go's own; no metrics of geth's
            return None
        family, suffix = _split(keys[0])
        path = tuple(_renamed(family).split("/"))
        if not suffix:
            return (*path, "Overall") if family in _COUNTERS else path
        percentile = suffix.removesuffix("-percentile")
        if percentile != suffix:
            return (*path, "Percentiles", percentile)
        return path + _fields(suffixes[family]).get(suffix, (suffix,))

    return name


def selection_paths(paths: Iterable[str]) -> list[str]:
    """Return the user's paths with newer geth's names replaced by those that the metrics go by here."""
    return [_renamed(path.replace(".", "/")).replace("/", ".") for path in paths]


def switched_off(document: Mapping[str, Any]) -> bool:
    """Tell whether geth runs without `--metrics`: it answers all the same, all zeros, but measures no `system`."""
    return not any(key == "system" or key.startswith("system/") for key in document)


def _split(key: str) -> tuple[str, str]:
    """Split a key of the flat document into the metric's name and the suffix, "" where it has none."""
    family, dot, suffix = key.rpartition(".")
    return (family, suffix) if dot and _SUFFIX.fullmatch(dot + suffix) else (key, "")


def _fields(suffixes: set[str]) -> Mapping[str, Path]:
    """Return what the suffixes of a family mean, by the kind of metric that has just these."""
    if "50-percentile" not in suffixes:
        return _METER
    if "one-minute" in suffixes:
        return _TIMER
    return _HISTOGRAM if "std-dev" in suffixes else _RESETTING_TIMER


def _renamed(name: str) -> str:
    lower = name.lower()  # a user's path may be written either way
    for newer, older in _RENAMED:
        if lower == newer or lower.startswith(newer + "/"):
            return older + name[len(newer) :]
    return name
