"""Prometheus' configuration: what it scrapes, and whom it tells."""

from __future__ import annotations

from typing import Any

from compose.options.models import Options
from compose.rendering.collecting import PROMETHEUS_PORT
from compose.rendering.document import document
from compose.rendering.presence import has_collector, has_load_balancer
from compose.rendering.services import seconds
from compose.rendering.traefik import INTERNAL_PORT

PATH = "config/prometheus/prometheus.yaml"

_LONGEST_INTERVAL = 60.0
"""Prometheus forgets what it has not seen for five minutes."""

_HEADER = """\
What Prometheus scrapes. Made from the options: change those. Rules go into rules/ beside this file; \
`docker compose kill -s HUP prometheus` has them and this read again."""


def configuration(options: Options) -> str:
    """Return Prometheus' configuration."""
    content: dict[str, Any] = {
        "global": {"scrape_interval": "15s", "scrape_timeout": "10s", "evaluation_interval": "15s"},
        "rule_files": ["rules/*.yaml"],
    }
    if options.alertmanager.count:
        content["alerting"] = {"alertmanagers": [{"static_configs": [{"targets": ["alertmanager:9093"]}]}]}
    content["scrape_configs"] = _jobs(options)
    return document(content, _HEADER)


def _jobs(options: Options) -> list[dict[str, Any]]:
    targets = {
        "prometheus": (options.prometheus.count, "localhost:9090"),
        "alertmanager": (options.alertmanager.count, "alertmanager:9093"),
        "traefik": (has_load_balancer(options), f"traefik:{INTERNAL_PORT}"),
        "influxdb": (options.influxdb.count, "influxdb:8086"),
        "grafana": (options.grafana.count, "grafana:3000"),
        "node-exporter": (options.node_exporter.count, "node-exporter:9100"),
        "cadvisor": (options.cadvisor.count, "cadvisor:8080"),
    }
    jobs: list[dict[str, Any]] = []
    if has_collector(options):
        # The nodes' series bear the labels chain, node and role, which Prometheus has no use of its own for.
        interval = seconds(min(_LONGEST_INTERVAL, options.collector.interval))
        timeout = seconds(min(10.0, options.collector.interval))
        jobs.append(
            {
                **_job("chainwatch", f"collector:{PROMETHEUS_PORT}"),
                "scrape_interval": interval,
                "scrape_timeout": timeout,
            }
        )
    return [*jobs, *(_job(name, target) for name, (count, target) in targets.items() if count)]


def _job(name: str, target: str) -> dict[str, Any]:
    return {"job_name": name, "static_configs": [{"targets": [target]}]}
