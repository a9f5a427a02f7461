"""A real Alertmanager with the configuration that is made for it tells whom it should, once, and of no more."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml

from alerts import alertmanager
from alerts.alertmanager import Pace
from collector.configuration.alerting import Alerts
from tests.real.servers import answers, fetch, free_port, process, require, wait_for

pytestmark = pytest.mark.real

PACE = Pace(critical_wait=0.5, wait=2.0, critical_every=1.0, every=1.0, repeat=3600.0, watchdog=2.0)
SETTLED = 4.0
"""Seconds after which nothing that waits at this pace is still to come."""


class Hook:
    """What was told: by path, the messages."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.told: list[tuple[str, dict[str, Any]]] = []

    def alerts(self, path: str, status: str = "firing") -> Counter[str]:
        """Return which alerts a path was told of: name and chain, and how often each."""
        return Counter(
            " ".join([alert["labels"]["alertname"], *filter(None, [alert["labels"].get("chain")])])
            for where, message in list(self.told)
            if where == path
            for alert in message["alerts"]
            if alert["status"] == status
        )

    def messages(self, path: str) -> int:
        """Return how many messages a path got."""
        return sum(where == path for where, _ in list(self.told))


@contextmanager
def hook() -> Iterator[Hook]:
    """Run a receiver of webhooks."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            found.told.append((self.path, json.loads(body)))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Keep quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        found = Hook(f"http://127.0.0.1:{server.server_port}")
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield found
        finally:
            server.shutdown()
            thread.join()


class Running:
    """An Alertmanager, told by its HTTP API what Prometheus would tell it."""

    def __init__(self, url: str) -> None:
        self.url = url

    def fire(self, *alerts: tuple[str, str, str, str], over: bool = False) -> None:
        """Tell of alerts: name, severity, chain and subject; `over` that they are not any more."""
        moment = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + (-1 if over else 600)))
        body = [
            {
                "labels": {"alertname": name, "severity": severity}
                | ({"chain": chain} if chain else {})
                | ({"subject": subject} if subject else {}),
                "annotations": {"description": f"{name} of {subject}"},
                "endsAt": moment,
            }
            for name, severity, chain, subject in alerts
        ]
        headers = {"Content-Type": "application/json"}
        assert fetch(f"{self.url}/api/v2/alerts", json.dumps(body).encode(), headers).status == 200


@pytest.fixture
def told() -> Iterator[Hook]:
    with hook() as found:
        yield found


@pytest.fixture
def running(told: Hook, tmp_path: Path) -> Iterator[Running]:
    """Run one that tells everything to /all, what is critical of `lab` to /lab, and the Watchdog to /watchdog."""
    section = Alerts.model_validate(
        {
            "channels": [
                {"name": "all", "severity": "info", "webhook": {"url": f"{told.url}/all", "token": "t"}},
                {"name": "lab", "severity": "critical", "chains": ["lab"], "webhook": {"url": f"{told.url}/lab"}},
            ],
            "watchdog": f"{told.url}/watchdog",
        }
    )
    config = tmp_path / "alertmanager.yaml"
    config.write_text(yaml.safe_dump(alertmanager.configuration(section, pace=PACE)))
    url = f"http://127.0.0.1:{free_port()}"
    argv: list[str | Path] = [
        require("prometheus-alertmanager"),
        f"--config.file={config}",
        f"--storage.path={tmp_path / 'data'}",
        f"--web.listen-address={url.removeprefix('http://')}",
        "--cluster.listen-address=",
    ]
    with process(argv, ready=lambda: answers(f"{url}/-/ready"), log=tmp_path / "log"):
        yield Running(url)
    said = (tmp_path / "log").read_text()
    assert "level=error" not in said
    assert "level=warn" not in said


def test_it_tells_whom_it_should(running: Running, told: Hook) -> None:
    """By severity and chain; thirty nodes of a chain are one message; and what is over is told as that."""
    nodes = [("NodeDown", "warning", "lab", f"node-{number}") for number in range(30)]
    pipeline = ("OutputFailing", "critical", "", "influxdb")
    running.fire(*nodes, ("ChainForked", "critical", "lab", ""), ("ChainForked", "critical", "other", ""), pipeline)
    running.fire(("Watchdog", "none", "", ""))
    wait_for(lambda: told.alerts("/all")["NodeDown lab"] == 30, "all nodes are told of")
    assert told.alerts("/all") == {
        "NodeDown lab": 30,
        "ChainForked lab": 1,
        "ChainForked other": 1,
        "OutputFailing": 1,
    }
    assert told.messages("/all") == 4
    assert told.alerts("/lab") == {"ChainForked lab": 1}

    running.fire(*nodes, over=True)
    wait_for(lambda: told.alerts("/all", "resolved")["NodeDown lab"] == 30, "it is over")
    wait_for(lambda: told.messages("/watchdog") >= 3, "the dead man's switch is called again and again")
    assert set(told.alerts("/watchdog")) == {"Watchdog"}


def test_a_chain_that_has_halted_silences_what_follows_from_that_and_not_its_cause(
    running: Running, told: Hook
) -> None:
    running.fire(
        ("NodeDown", "warning", "lab", "sealer-1"),
        ("NodeBehind", "warning", "lab", "client-1"),
        ("MakerAbsent", "warning", "lab", "sealer-2"),
        ("ShieldedPortOpen", "critical", "lab", "producer"),
        ("NodeBehind", "warning", "other", "client-1"),
        ("ChainHalted", "critical", "lab", ""),
    )
    time.sleep(SETTLED)
    assert set(told.alerts("/all")) == {"ChainHalted lab", "NodeDown lab", "ShieldedPortOpen lab", "NodeBehind other"}

    running.fire(("ChainHalted", "critical", "lab", ""), over=True)
    wait_for(lambda: told.alerts("/all")["MakerAbsent lab"], "what goes on is told when the chain goes on")


def test_a_chain_of_which_nothing_is_known_silences_its_nodes_and_a_dead_collector_all_chains(
    running: Running, told: Hook
) -> None:
    running.fire(("ChainSilent", "critical", "lab", ""), ("NodeDown", "warning", "lab", "n"))
    running.fire(("NodeDown", "critical", "other", "n"), ("NodeDown", "warning", "other", "n"))
    time.sleep(SETTLED)
    assert told.alerts("/all") == {"ChainSilent lab": 1, "NodeDown other": 1}, "critical silences what is less bad"

    running.fire(("CollectorDown", "critical", "", "collector:9273"))
    wait_for(lambda: told.alerts("/all")["CollectorDown"], "it is told that the collector is down")
    running.fire(("ChainHalted", "critical", "lab", ""))
    running.fire(("ChainSilent", "critical", "lab", ""), ("NodeDown", "critical", "other", "n"), over=True)
    time.sleep(SETTLED)
    assert "ChainHalted lab" not in told.alerts("/all")
    assert told.alerts("/all", "resolved") == {}, "nobody is told that it is over: nobody knows"
