"""A real Prometheus scrapes the collector without an error, and its own linter has nothing to say about the page."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from collector.catalogue import BY_NAME, CATALOGUE
from collector.readings import Kind, Reading, Shape
from exporters.exposition import Layout
from tests.real.collecting import collector
from tests.real.geth import Network
from tests.real.servers import Prometheus, fetch, prometheus, require, wait_for

pytestmark = pytest.mark.real

TEXT = "text/plain;version=0.0.4"
OPENMETRICS = "application/openmetrics-text;version=1.0.0"


def test_promtool_finds_nothing_wrong_with_the_catalogue() -> None:
    readings = [
        Reading(Shape(metric.measurement, dict.fromkeys(metric.labels, "x"), [metric.as_field]), [1], 0)
        for metric in CATALOGUE
        if metric.kind is not Kind.TEXT
    ]
    page = Layout([reading.shape for reading in readings]).render(readings, openmetrics=False)
    assert page.count(b"# TYPE") == len(readings)
    assert _lint(page) == []


@pytest.mark.slow
def test_prometheus_scrapes_without_error(network: Network, tmp_path: Path) -> None:
    with collector(tmp_path, network.as_configured()) as watching:
        wait_for(lambda: sum(watching.page().values("chain_node_up")) == 3, "every node is up")
        plain = fetch(watching.url, headers={"Accept": TEXT})
        assert plain.headers["Content-Type"].replace(" ", "").startswith(TEXT)
        assert [line for line in _lint(plain.body) if line.startswith(("chain_", "chainwatch_"))] == []

        with (
            _as_text(watching.url) as relay,
            prometheus(tmp_path, {"openmetrics": watching.address, "text": relay}) as server,
        ):
            for job in ("openmetrics", "text"):
                scraped = f'count_over_time(up{{job="{job}"}}[1m]) >= 4'
                wait_for(partial(server.query, scraped), f"{job} is scraped", every=0.5)
                _check(server, job, network)
            for target in server.targets():
                assert (target["health"], target["lastError"]) == ("up", "")
            said = (tmp_path / "prometheus" / "log").read_text()
            assert "level=warn" not in said
            assert "level=error" not in said


def _check(server: Prometheus, job: str, network: Network) -> None:
    """Everything that is said of the nodes is there, under its name, with its labels and its type."""
    only = f'{{job="{job}"}}'
    assert [sample.value for sample in server.query(f"min_over_time(up{only}[1m])")] == [1]
    assert server.query(f"scrape_samples_post_metric_relabeling{only}")[0].value > 300

    for name in ("chain_node_up", "chain_head_block_number", "chain_peers"):
        labels = {frozenset(sample.labels.items()) for sample in server.query(name + only)}
        instance = next(target["labels"]["instance"] for target in server.targets() if target["scrapePool"] == job)
        common = {"__name__": name, "job": job, "instance": instance, "chain": "lab"}
        assert labels == {frozenset({**common, "node": node.name, "role": node.role}.items()) for node in network.nodes}
    raw = server.query(f"geth_chain_inserts_overall{only}")
    assert {(sample.labels["node"], sample.labels["port"]) for sample in raw} == {
        (node.name, str(node.port)) for node in network.nodes
    }
    client = server.query(f'chain_head_block_number{{job="{job}",node="client"}}')
    assert abs(client[0].value - network.client.web3.eth.block_number) <= 5
    assert [sample.value for sample in server.query(f'rate(chainwatch_gathers_total{{job="{job}",node="client"}}[1m])')]

    types = server.types(job)
    named = {name: metric for name, metric in BY_NAME.items() if server.query(f'{name}{{job="{job}"}}')}
    assert len(named) > 25
    for name, metric in named.items():
        family, kind = name, str(metric.kind)
        if job == "openmetrics":  # there, what a counter's sample ends in is no part of the family's name
            family = name.removesuffix("_total").removesuffix("_info")
        elif metric.kind is Kind.INFO:
            kind = "gauge"
        assert types.get(family) == kind, name


def _lint(page: bytes) -> list[str]:
    """Return what promtool has to say, a line for each problem; it begins with the metric's name."""
    argv = [require("promtool"), "check", "metrics"]
    told = subprocess.run(argv, input=page, capture_output=True, timeout=30, check=False)
    lines = (told.stdout + told.stderr).decode().splitlines()
    assert told.returncode in (0, 3), lines  # 3: it could read the page, and finds something
    return lines


@contextmanager
def _as_text(url: str) -> Iterator[str]:
    """Relay scrapes as from a Prometheus that knows no OpenMetrics: every real one of today asks for it first."""

    class Relay(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answer = fetch(url, headers={"Accept": TEXT})
            self.send_response(answer.status)
            self.send_header("Content-Type", answer.headers["Content-Type"])
            self.end_headers()
            self.wfile.write(answer.body)

        def log_message(self, *_: object) -> None:
            """Keep quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Relay) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()
