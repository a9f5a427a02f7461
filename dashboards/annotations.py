"""What is marked on the time axis of every panel: alerts, forks, restarts. Each can be switched off on the board."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from collector.catalogue import M, Metric
from dashboards.metrics import PROCESS_START
from dashboards.panels import Board, Language
from dashboards.queries.expressions import Named, Prom
from dashboards.queries.promql import Scope, promql
from dashboards.variables import narrowing, narrowing_of_influx

Annotation = Mapping[str, Any]
"""As Grafana has it; who is asked is mended in."""

_OWN: Annotation = {
    "builtIn": 1,
    "datasource": {"type": "grafana", "uid": "-- Grafana --"},
    "enable": True,
    "hide": True,
    "iconColor": "rgba(0, 211, 255, 1)",
    "name": "Annotations & Alerts",
    "type": "dashboard",
}
"""What people write on a dashboard themselves."""


def annotations_of(board: Board, language: Language) -> Sequence[Annotation]:
    """Return the annotations of a board."""
    return [_OWN, *_ANNOTATIONS[language](board)]


def _in_promql(board: Board) -> Sequence[Annotation]:
    def query(template: str, *metrics: Named) -> str:
        return promql(Prom(template, metrics), Scope(narrowing(board)))

    firing = query('ALERTS{{alertstate="firing", alertname!="Watchdog", chain=~"$chain|"}}')
    forks = query("max by (chain) ({0}) > 1", M.chain_network_branches)
    restarts = query("max by (chain, node) (increase({0}[{window}])) > 0", M.ethstats_restarts_total)
    collector = query(
        "max by (instance) (changes({0}[{window}]) and on (job, instance) {1}) > 0",
        *(PROCESS_START, M.chainwatch_build_info),
    )
    return [
        _of_prometheus("Alerts", "red", firing, "{{alertname}}", "{{chain}} {{node}}{{subject}}"),
        _of_prometheus("Forks", "purple", forks, "Fork", "{{chain}}"),
        _of_prometheus("Restarts of nodes", "orange", restarts, "Restart", "{{chain}} {{node}}"),
        _of_prometheus("Restarts of chainwatch", "blue", collector, "chainwatch restarted", "{{instance}}"),
    ]


def _of_prometheus(name: str, color: str, query: str, title: str, text: str) -> Annotation:
    return {
        "name": name,
        "enable": True,
        "hide": False,
        "iconColor": color,
        "expr": query,
        "titleFormat": title,
        "textFormat": text,
        "tagKeys": "severity",
    }


def _in_influxql(board: Board) -> Sequence[Annotation]:
    chain = f'"chain" {narrowing_of_influx(board)["chain"]}'

    def highest(metric: Metric, over: int, where: str = "") -> str:
        return (
            f'SELECT max("{metric.field}") AS "text" FROM "{metric.measurement}" '  # noqa: S608 - all of the catalogue
            f'WHERE $timeFilter AND {chain}{where} AND "{metric.field}" > {over} GROUP BY time({_WINDOW}) fill(none)'
        )

    restarts = M.ethstats_restarts_total
    rises = (
        f'SELECT non_negative_difference("{restarts.field}") AS "text" '  # noqa: S608 - as above
        f'FROM "{restarts.measurement}" WHERE {chain} GROUP BY *'
    )
    critical = highest(M.chain_health_findings, 0, " AND \"severity\" = 'critical'")
    return [
        _of_influxql("Critical findings", "red", critical),
        _of_influxql("Forks: branches", "purple", highest(M.chain_network_branches, 1)),
        _of_influxql("Restarts of nodes", "orange", f'SELECT "text" FROM ({rises}) WHERE $timeFilter AND "text" > 0'),  # noqa: S608 - as above
    ]


_WINDOW = "1m"
"""InfluxQL's annotations know no interval of the panel."""


def _of_influxql(name: str, color: str, query: str) -> Annotation:
    return {"name": name, "enable": True, "hide": False, "iconColor": color, "query": query, "textColumn": "text"}


def _in_flux(board: Board) -> Sequence[Annotation]:
    chain = f'r["chain"] {narrowing_of_influx(board)["chain"]}'

    def marked(metric: Metric, *steps: str, title: str) -> str:
        of = f'r["_measurement"] == "{metric.measurement}" and r["_field"] == "{metric.field}" and {chain}'
        shown = (
            "range(start: v.timeRangeStart, stop: v.timeRangeStop)",
            f"filter(fn: (r) => {of})",
            *steps,
            "group()",
            f'map(fn: (r) => ({{time: r["_time"], text: r["chain"], title: "{title}"}}))',
        )
        return "\n".join(["from(bucket: v.defaultBucket)", *(f"  |> {step}" for step in shown)])

    def highest(over: int) -> tuple[str, str]:
        return (
            "aggregateWindow(every: v.windowPeriod, fn: max, createEmpty: false)",
            f'filter(fn: (r) => r["_value"] > {over}.0)',
        )

    critical = 'filter(fn: (r) => r["severity"] == "critical")'
    rises = ("difference(nonNegative: false)", 'filter(fn: (r) => r["_value"] > 0.0)')
    return [
        _of_flux("Critical findings", "red", marked(M.chain_health_findings, critical, *highest(0), title="Critical")),
        _of_flux("Forks", "purple", marked(M.chain_network_branches, *highest(1), title="Fork")),
        _of_flux("Restarts of nodes", "orange", marked(M.ethstats_restarts_total, *rises, title="Restart")),
    ]


def _of_flux(name: str, color: str, query: str) -> Annotation:
    target = {"refId": "Anno", "query": query}
    return {"name": name, "enable": True, "hide": False, "iconColor": color, "target": target}


_ANNOTATIONS = {"promql": _in_promql, "influxql": _in_influxql, "flux": _in_flux}
