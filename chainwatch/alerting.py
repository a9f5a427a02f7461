"""`chainwatch alerts`: the files that tell Prometheus, Alertmanager and Grafana when to tell whom."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import yaml

from alerts import alertmanager, grafana
from alerts.chosen import intervals, runbooks_at, scoped
from alerts.rulefile import rules
from chainwatch.files import File, write_files
from collector.configuration import Configuration

MARK = "Made by chainwatch"
"""What every file says that is written here."""

_NEVER = 2**30
"""Columns after which a line is broken."""


def write_alerts(
    configuration: Configuration, directory: Path, tell: Callable[[str], None], datasource: str | None = None
) -> None:
    """Write the files into a directory, which is made if need be; `tell` is told what became of each.

    With the uid of a `datasource` of Grafana's, rules for Grafana are written as well. Files of other names are never
    touched. Raises NotOurs or UnsupportedError, before anything is written, and OSError.
    """
    made = _files(configuration) | (_grafana_files(configuration, datasource) if datasource else {})
    write_files({directory / name: file for name, file in made.items()}, tell, MARK)


def _files(configuration: Configuration) -> dict[str, File]:
    shard = configuration.agent.shard
    alone = shard is None or shard.of == 1
    return {
        "chainwatch.rules.yaml": File(rules(scoped(configuration), runbooks_at(configuration))),
        "alertmanager.yaml": File(alertmanager.text(configuration.alerts, alone=alone), secret=True),
    }


def _grafana_files(configuration: Configuration, datasource: str) -> dict[str, File]:
    language = _language(configuration)
    slowest = max(each for chain in configuration.chains for each in intervals(configuration.agent, chain))
    since = grafana.since(slowest)
    made = grafana.rules(scoped(configuration), language, datasource, runbooks_at(configuration), since=since)
    files = {"grafana/rules.yaml": File(_document(made))}
    if configuration.alerts.channels:
        points, policies = grafana.contact_points(configuration.alerts), grafana.policies(configuration.alerts)
        files |= {
            "grafana/contact-points.yaml": File(_document(points), secret=True),
            "grafana/policies.yaml": File(_document(policies)),
        }
    return files


def _language(configuration: Configuration) -> grafana.Language:
    """Return what the database speaks that the readings go to."""
    if not configuration.outputs.influxdb:
        return "promql"
    return "influxql" if configuration.outputs.influxdb[0].database else "flux"


def _document(content: object) -> str:
    header = f"# {MARK} from its configuration: change that. It belongs into Grafana's folder provisioning/alerting.\n"
    return header + yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=_NEVER)
