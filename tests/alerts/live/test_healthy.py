"""Half an hour in health, with every interval and every rule as it is by default: nobody is told of anything.

It is played only where CHAINWATCH_HEALTHY_MINUTES says for how long.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from alerts.chosen import by_default
from alerts.rulefile import rules
from tests.alerts.live.monitoring import Pace, alertmanager, judging, watching
from tests.alerts.live.webhook import webhook
from tests.real.databases import influxdb
from tests.real.servers import fetch, free_port, wait_for

pytestmark = [pytest.mark.real, pytest.mark.slow]

MINUTES = float(os.environ.get("CHAINWATCH_HEALTHY_MINUTES", "0"))

DEFAULTS = Pace(scrape=15.0, evaluation=15.0)
"""How often compose/ has Prometheus look."""

SECRET = "on loopback only"


@contextmanager
def _cluster(ethstats: str) -> Iterator[list[dict[str, Any]]]:
    """Run a Clique and an Antelope chain of four nodes each, and yield what is said of these; the geths push."""
    argv = [sys.executable, "-m", "compose.simulated", "--sealers=3", "--clients=1", "--newer=0"]
    argv += ["--producers=3", "--workers=1", f"--ethstats=ws://{{name}}:{SECRET}@{ethstats}"]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        try:
            yield json.loads(process.stdout.readline())["nodes"]
        finally:
            process.terminate()


@pytest.mark.skipif(MINUTES <= 0, reason="takes as many minutes as CHAINWATCH_HEALTHY_MINUTES says: 30")
def test_nobody_is_told_of_anything_in_health(tmp_path: Path) -> None:
    listen, ethstats = (f"127.0.0.1:{free_port()}" for _ in range(2))
    with ExitStack() as stack:
        heard = stack.enter_context(webhook())
        nodes = stack.enter_context(_cluster(ethstats))
        database = stack.enter_context(influxdb(tmp_path))
        chains: dict[str, dict[str, Any]] = {}
        for node in nodes:
            chain = chains.setdefault(node["chain"], {"name": node["chain"], "kind": node["kind"], "servers": []})
            chain["servers"].append({key: node[key] for key in ("url", "name", "role")})
        chains["ethereum-demo"]["ethstats"] = {"listen": ethstats, "secret": SECRET}
        outputs = {
            "prometheus": {"listen": listen},
            "influxdb": [{"url": database.url, "database": "chainwatch", "create_database": True}],
        }
        settings = {"agent": {"state_dir": "state"}, "chains": list(chains.values()), "outputs": outputs}
        stack.enter_context(watching(tmp_path / "collector", settings))
        (tmp_path / "rules.yaml").write_text(rules(by_default()))
        telling = stack.enter_context(alertmanager(tmp_path / "alertmanager", heard.url))
        prometheus, _ = stack.enter_context(
            judging(tmp_path / "prometheus", [listen], tmp_path / "rules.yaml", telling, DEFAULTS)
        )
        wait_for(lambda: heard.told, "the watchdog is heard", within=120)
        until = time.monotonic() + MINUTES * 60
        while time.monotonic() < until:
            time.sleep(5)
        told = heard.told
        pending = {sample.labels["alertname"] for sample in prometheus.query("count by (alertname) (ALERTS)")}
        everything = prometheus.query("count by (alertname) (count_over_time(ALERTS[1d]))")
        page = fetch(f"http://{listen}/metrics").text
    assert "chainwatch_gathers_total" in page
    assert {each.name for each in told} == {"Watchdog"}
    assert pending == {"Watchdog"}
    assert {sample.labels["alertname"] for sample in everything} == {"Watchdog"}, "some were pending"
