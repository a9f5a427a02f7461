"""The whole of monitoring as its users run it: collectors, a Prometheus with the alerts' rules, an Alertmanager."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml

from alerts.chosen import Scoped
from tests.real.servers import Process, Prometheus, answers, free_port, process, require

Settings = Mapping[str, Any]
"""A configuration as YAML has it."""

HEARD_AT_ONCE: Settings = {"group_by": ["..."], "group_wait": "0s", "group_interval": "1s", "repeat_interval": "12h"}
"""A route that tells each change of each alert by itself, at once: what routing makes of them is another matter."""


@dataclass(frozen=True)
class Pace:
    """How often Prometheus scrapes, and how often it evaluates rules, in seconds."""

    scrape: float = 2.0
    evaluation: float = 2.0

    @property
    def longest(self) -> float:
        """How long it takes at most until what a page says has been judged."""
        return self.scrape + self.evaluation


def hastened(chosen: Iterable[Scoped], keeps: float = 8.0) -> Iterator[Scoped]:
    """Yield alerts as they are, but that they are over so many seconds after their cause, at most."""
    for each in chosen:
        yield each._replace(alert=replace(each.alert, keeps=min(each.alert.keeps, keeps)))


@contextmanager
def watching(folder: Path, settings: Settings) -> Iterator[Process]:
    """Run a collector with this configuration. Fails where it met with a defect."""
    folder.mkdir(exist_ok=True)
    file = folder / "chainwatch.yaml"
    file.write_text(yaml.safe_dump(settings))
    url = f"http://{settings['outputs']['prometheus']['listen']}/metrics"
    argv = [sys.executable, "-m", "chainwatch", "run", "--config", str(file)]
    with process(argv, ready=lambda: answers(url), log=folder / "log") as running:
        yield running
    said = (folder / "log").read_text()
    assert not re.search("Traceback|a defect", said), said


@contextmanager
def alertmanager(folder: Path, told: str, route: Settings = HEARD_AT_ONCE) -> Iterator[str]:
    """Run an Alertmanager that tells the webhook at `told`; yields its address, `host:port`."""
    folder.mkdir(exist_ok=True)
    settings = {
        "route": {"receiver": "webhook", **route},
        "receivers": [{"name": "webhook", "webhook_configs": [{"url": told, "send_resolved": True}]}],
    }
    (folder / "alertmanager.yml").write_text(yaml.safe_dump(settings))
    address = f"127.0.0.1:{free_port()}"
    argv = [
        require("prometheus-alertmanager"),
        f"--config.file={folder / 'alertmanager.yml'}",
        f"--storage.path={folder / 'data'}",
        f"--web.listen-address={address}",
        "--cluster.listen-address=",
    ]
    with process(argv, ready=lambda: answers(f"http://{address}/-/ready"), log=folder / "log"):
        yield address


@contextmanager
def judging(
    folder: Path,
    collectors: Sequence[str],
    rules: Path,
    alerts: str,
    pace: Pace = Pace(),
    *,
    resend: float = 60.0,
) -> Iterator[tuple[Prometheus, Process]]:
    """Run a Prometheus that scrapes collectors and tells the Alertmanager at `alerts` what rules say.

    What fires is told again every `resend` seconds; after four times as many without it Alertmanager takes it for over.
    """
    folder.mkdir(exist_ok=True)
    settings = {
        "global": {
            "scrape_interval": f"{round(pace.scrape * 1000)}ms",
            "scrape_timeout": f"{round(min(pace.scrape, 10) * 1000)}ms",
            "evaluation_interval": f"{round(pace.evaluation * 1000)}ms",
        },
        "rule_files": [str(rules)],
        "alerting": {"alertmanagers": [{"static_configs": [{"targets": [alerts]}]}]},
        "scrape_configs": [{"job_name": "chainwatch", "static_configs": [{"targets": list(collectors)}]}],
    }
    (folder / "prometheus.yml").write_text(yaml.safe_dump(settings))
    address = f"127.0.0.1:{free_port()}"
    argv = [
        require("prometheus"),
        f"--config.file={folder / 'prometheus.yml'}",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address={address}",
        f"--rules.alert.resend-delay={resend:g}s",
    ]
    with process(argv, ready=lambda: answers(f"http://{address}/-/ready"), log=folder / "log") as running:
        yield Prometheus(f"http://{address}"), running
