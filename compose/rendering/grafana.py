"""What Grafana is provisioned with: its datasources, and where dashboards are found.

Not tried with a real Grafana: tests hold it against the keys that its documentation names.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from compose.options.kinds import Options
from compose.rendering.collecting import DATABASE
from compose.rendering.document import document

FOLDER = "config/grafana/provisioning"
PROMETHEUS_UID = "prometheus"
INFLUXDB_UID = "influxdb"
"""By these dashboards name their datasources; they stay the same in every installation."""

_DASHBOARDS = "/etc/grafana/provisioning/dashboards"


def provisioning(options: Options) -> dict[str, str]:
    """Return the files by path."""
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
    }


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
