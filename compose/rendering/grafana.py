"""What Grafana is provisioned with: its datasources, dashboards, and rules where there is no Prometheus.

Not tried with a real Grafana: tests hold it against the keys that its documentation names.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any

from alerts.alert import Limits
from alerts.grafana import rules, since
from compose.options.kinds import Options
from compose.rendering.alerting import address, thresholds, wanted
from compose.rendering.collecting import DATABASE
from compose.rendering.document import document
from dashboards.boards import BOARDS
from dashboards.limits import figures
from dashboards.panels import Language
from dashboards.writing import texts

FOLDER = "config/grafana/provisioning"
READ_AT_START = (f"{FOLDER}/datasources/", f"{FOLDER}/alerting/", f"{FOLDER}/dashboards/chainwatch.yaml")
"""What Grafana reads once; it looks after dashboards by itself."""

PROMETHEUS_UID = "prometheus"
INFLUXDB_UID = "influxdb"
"""By these dashboards name their datasources; they stay the same in every installation."""

_RULES_HEADER = (
    "The alerts as rules of Grafana's own, since there is no Prometheus. They show there; whom to tell is told by the "
    "collector."
)

_DASHBOARDS = "/etc/grafana/provisioning/dashboards"


def provisioning(options: Options, kind: str, *, watched: bool) -> dict[str, str]:
    """Return the files by path, for a cluster with a chain of this kind, which a collector watches or none."""
    sources = {"apiVersion": 1, "prune": True, "datasources": list(_datasources(options))}
    provider = {
        "name": "chainwatch",
        "type": "file",
        "folder": "chainwatch",
        "folderUid": "chainwatch",
        "disableDeletion": False,
        "allowUiUpdates": False,
        "updateIntervalSeconds": 30,
        "options": {"path": _DASHBOARDS},
    }
    return {
        f"{FOLDER}/datasources/chainwatch.yaml": document(
            sources, "Where Grafana finds figures. The password is read from a file that Grafana alone is handed."
        ),
        f"{FOLDER}/dashboards/chainwatch.yaml": document(
            {"apiVersion": 1, "providers": [provider]},
            "Grafana shows every dashboard (JSON) that lies beside this file.",
        ),
        **{
            f"{FOLDER}/dashboards/{name}": text
            for name, text in _dashboards(kind, _languages(options), thresholds(options)).items()
        },
        **(_rules(options) if watched else {}),
    }


def _languages(options: Options) -> tuple[Language, ...]:
    """Return the languages of the datasources that there are."""
    found: dict[Language, int] = {"promql": options.prometheus.count, "influxql": options.influxdb.count}
    return tuple(language for language, there in found.items() if there)


@lru_cache(maxsize=8)
def _dashboards(kind: str, languages: tuple[Language, ...], limits: Limits) -> Mapping[str, str]:
    """Return the dashboards of this kind of chain, by the names of their files."""
    boards = [
        replace(board, languages=tuple(language for language in board.languages if language in languages))
        for board in BOARDS
        if kind in board.kinds
    ]
    return texts(boards, figures([(limits.chain, limits.pipeline)]))


def _rules(options: Options) -> dict[str, str]:
    """Return the rules by which Grafana itself looks after the chain: where there is no Prometheus to do so."""
    if options.prometheus.count or not options.influxdb.count:
        return {}
    looked_back = since(options.collector.interval)
    made = rules(wanted(options), "influxql", INFLUXDB_UID, address(options), since=looked_back)
    return {f"{FOLDER}/alerting/chainwatch.yaml": document(made, _RULES_HEADER)}


def _datasources(options: Options) -> Iterator[dict[str, Any]]:
    if options.prometheus.count:
        yield {
            "name": "Prometheus",
            "uid": PROMETHEUS_UID,
            "type": "prometheus",
            "access": "proxy",
            "url": "http://prometheus:9090",
            "isDefault": True,
            "editable": False,
            "jsonData": {"httpMethod": "POST", "timeInterval": "15s"},
        }
    if options.influxdb.count:
        yield {
            "name": "InfluxDB",
            "uid": INFLUXDB_UID,
            "type": "influxdb",
            "access": "proxy",
            "url": "http://influxdb:8086",
            "isDefault": not options.prometheus.count,
            "editable": False,
            "user": "grafana",
            "jsonData": {"version": "InfluxQL", "dbName": DATABASE, "httpMode": "POST"},
            "secureJsonData": {"password": "$__file{/run/chainwatch/influxdb-grafana}"},
        }
