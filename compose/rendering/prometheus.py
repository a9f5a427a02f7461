"""Prometheus' configuration: what it scrapes, and whom it tells."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from compose.options.kinds import Options
from compose.options.targets import COMPOSE, SWARM
from compose.rendering.document import document
from compose.rendering.services import seconds

PATH = "config/prometheus/prometheus.yaml"

_LONGEST_INTERVAL = 60.0
"""Prometheus forgets what it has not seen for five minutes."""

_HEADER = "What Prometheus scrapes. Made from the options: change those."
_RULES = {
    COMPOSE: " Rules go into rules/ beside this file; "
    "`docker compose kill -s HUP prometheus` has them and this read again.",
    SWARM: " Rules are found in /etc/prometheus/rules/: a second file for `docker stack deploy` can put configs there.",
}


def configuration(
    options: Options, jobs: Sequence[Mapping[str, Any]], target: str = COMPOSE, everywhere: Collection[str] = ()
) -> str:
    """Return Prometheus' configuration, given the jobs of what this cluster has besides the services of all.

    `everywhere` names the services that run on each machine of a swarm.
    """
    content: dict[str, Any] = {
        "global": {"scrape_interval": "15s", "scrape_timeout": "10s", "evaluation_interval": "15s"},
        "rule_files": ["rules/*.yaml"],
    }
    if options.alertmanager.count:
        content["alerting"] = {"alertmanagers": [{"static_configs": [{"targets": ["alertmanager:9093"]}]}]}
    content["scrape_configs"] = [*jobs, *_jobs(options, everywhere)]
    return document(content, _HEADER + _RULES[target])


def of_collector(options: Options, targets: Mapping[str, Any]) -> dict[str, Any]:
    """Return the job of the collector, whose `targets` are found as Prometheus is told."""
    # The nodes' series bear the labels chain, node and role, which Prometheus has no use of its own for.
    return {
        "job_name": "chainwatch",
        **targets,
        "scrape_interval": seconds(min(_LONGEST_INTERVAL, options.collector.interval)),
        "scrape_timeout": seconds(min(10.0, options.collector.interval)),
    }


def at(*targets: str) -> dict[str, Any]:
    """Return where targets are: at these addresses."""
    return {"static_configs": [{"targets": list(targets)}]}


def behind(name: str, port: int) -> dict[str, Any]:
    """Return where targets are: at each address behind a DNS name."""
    return {"dns_sd_configs": [{"names": [name], "type": "A", "port": port, "refresh_interval": "5s"}]}


def job(name: str, targets: Mapping[str, Any]) -> dict[str, Any]:
    """Return a job like any other."""
    return {"job_name": name, **targets}


def _jobs(options: Options, everywhere: Collection[str]) -> list[dict[str, Any]]:
    targets = {
        "prometheus": (options.prometheus.count, "localhost", 9090),
        "alertmanager": (options.alertmanager.count, "alertmanager", 9093),
        "influxdb": (options.influxdb.count, "influxdb", 8086),
        "grafana": (options.grafana.count, "grafana", 3000),
        "node-exporter": (options.node_exporter.count, "node-exporter", 9100),
        "cadvisor": (options.cadvisor.count, "cadvisor", 8080),
    }
    return [
        job(name, behind(f"tasks.{host}", port) if name in everywhere else at(f"{host}:{port}"))
        for name, (count, host, port) in targets.items()
        if count
    ]
