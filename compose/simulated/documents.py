"""Recorded answers of real nodes that the simulated ones give again, read once when the package is imported."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson

RECORDED = Path(__file__).parent / "recorded"


def _read(name: str) -> bytes:
    return (RECORDED / name).read_bytes()


GETH_METRICS: dict[str, Any] = orjson.loads(_read("geth-1.8.27-debug_metrics-true.json"))
"""`debug_metrics [true]` of geth 1.8.27, 93 s and 56 blocks after its start."""

GETH_METRICS_TEXT = _read("geth-1.8.27-debug_metrics-false.json").strip()
"""`debug_metrics [false]` of the same node at the same time: strings for people."""

GETH_METRICS_OFF = _read("geth-1.8.27-debug_metrics-off.json").strip()
"""`debug_metrics [true]` of a geth 1.8.27 that runs without `--metrics`."""

GETH_PAGES: dict[str, dict[str, Any]] = {
    version: orjson.loads(_read(f"geth-{version}-http-debug-metrics.json")) for version in ("1.8.27", "1.10.26")
}
"""`/debug/metrics` by geth's version: 1.8.27 after 93 s and 56 blocks, 1.10.26 after 20 s and 16 blocks."""

NODEOS_APIS: list[str] = orjson.loads(_read("nodeos-4.0.6-get_supported_apis.json"))["apis"]
"""The endpoints of a Leap 4.0.6 with every API plugin but trace_api loaded."""

NODEOS_DB_SIZE: dict[str, Any] = orjson.loads(_read("nodeos-4.0.6-db_size.json"))

NODEOS_RUNTIME_OPTIONS: dict[str, Any] = orjson.loads(_read("nodeos-4.0.6-get_runtime_options.json"))
