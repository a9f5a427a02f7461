"""A real InfluxDB 1.x and a real VictoriaMetrics on loopback, and what they have stored."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from tests.real.servers import Answer, Process, answers, fetch, free_port, require

_CONFIG = """
reporting-disabled = true
bind-address = "127.0.0.1:{rpc}"
[meta]
dir = "{folder}/meta"
[data]
dir = "{folder}/data"
wal-dir = "{folder}/wal"
query-log-enabled = false
[monitor]
store-enabled = false
[http]
bind-address = "127.0.0.1:{port}"
log-enabled = false
flux-enabled = {flux}
auth-enabled = {authorised}
[subscriber]
enabled = false
[continuous_queries]
enabled = false
"""

FLUX = "influxd-flux"
"""What an influxd of 1.8 or later goes by, which knows Flux: CHAINWATCH_INFLUXD_FLUX points to it."""

_LATER = 4_000_000_000
"""Seconds since the epoch that no test lives to see."""

Point = dict[str, Any]
"""A row of a query: tags and fields by name, `time` in nanoseconds."""


class InfluxDb:
    """A running InfluxDB 1.x, asked by its HTTP API; it can be stopped and started again."""

    def __init__(self, folder: Path, *, authorised: bool = False, binary: str = "influxd") -> None:
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        folder.mkdir()
        config = folder / "influxd.conf"
        settings = _CONFIG.format(
            folder=folder,
            port=port,
            rpc=free_port(),
            authorised=str(authorised).lower(),
            flux=str(binary == FLUX).lower(),
        )
        config.write_text(settings)
        self._process = Process([require(binary), "-config", config], folder / "log")

    def start(self) -> None:
        """Start it and wait until it answers."""
        self._process.start(lambda: answers(f"{self.url}/ping"))

    def stop(self) -> None:
        """End it; what it has stored stays."""
        self._process.stop()

    def query(self, statement: str, database: str = "", headers: dict[str, str] | None = None) -> Answer:
        """Send a statement of InfluxQL."""
        data = urlencode({"q": statement, "db": database, "epoch": "ns"}).encode()
        return fetch(f"{self.url}/query", data, headers)

    def select(self, statement: str, database: str) -> list[Point]:
        """Return the rows that a statement yields, columns without a value left out.

        Every number but the time is a float: InfluxDB writes those that are whole without a point.
        """
        answer = self.query(statement, database)
        result = answer.json()["results"][0]
        assert "error" not in result, answer.text
        return [
            {name: _value(name, value) for name, value in zip(series["columns"], row, strict=True) if value is not None}
            for series in result.get("series", ())
            for row in series["values"]
        ]


class VictoriaMetrics:
    """A running VictoriaMetrics, asked by its HTTP API; it can be stopped and started again."""

    def __init__(self, folder: Path) -> None:
        address = f"127.0.0.1:{free_port()}"
        self.url = f"http://{address}"
        folder.mkdir()
        argv = [require("victoria-metrics"), f"-httpListenAddr={address}", f"-storageDataPath={folder / 'data'}"]
        argv += ["-memory.allowedBytes=64MB", "-retentionPeriod=100y", "-search.latencyOffset=0s"]
        self._process = Process(argv, folder / "log")

    def start(self) -> None:
        """Start it and wait until it answers."""
        self._process.start(lambda: answers(f"{self.url}/health"))

    def stop(self) -> None:
        """End it; what it has stored stays."""
        self._process.stop()

    def export(self, selector: str) -> list[dict[str, Any]]:
        """Return every series that a selector names: `metric` (labels), `values`, `timestamps` in milliseconds."""
        assert fetch(f"{self.url}/internal/force_flush").status == 200  # else it shows after a second
        # Without an end it leaves out the current second.
        answer = fetch(f"{self.url}/api/v1/export", urlencode({"match[]": selector, "end": _LATER}).encode())
        assert answer.status == 200, answer.text
        return [json.loads(line) for line in answer.text.splitlines()]


def _value(name: str, value: Any) -> Any:  # noqa: ANN401 - JSON is anything
    return float(value) if isinstance(value, int) and name != "time" else value


@contextmanager
def influxdb(tmp_path: Path, *, authorised: bool = False, binary: str = "influxd") -> Iterator[InfluxDb]:
    """Run an InfluxDB 1.x without any database for as long as the block lasts."""
    server = InfluxDb(tmp_path / f"influxdb-{time.monotonic_ns()}", authorised=authorised, binary=binary)
    server.start()
    try:
        yield server
    finally:
        server.stop()


@contextmanager
def victoria_metrics(tmp_path: Path) -> Iterator[VictoriaMetrics]:
    """Run an empty VictoriaMetrics for as long as the block lasts."""
    server = VictoriaMetrics(tmp_path / f"victoria-metrics-{time.monotonic_ns()}")
    server.start()
    try:
        yield server
    finally:
        server.stop()
