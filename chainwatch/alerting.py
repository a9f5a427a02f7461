"""`chainwatch alerts`: the files that tell Prometheus, Alertmanager and Grafana when to tell whom."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import yaml

from alerts import alertmanager, grafana
from alerts.chosen import runbooks_at, scoped
from alerts.rulefile import rules
from collector.configuration import Configuration

MARK = "Made by chainwatch"
"""What every file says in its first lines that is written here."""

_FIRST_LINES = 300
"""Characters in which it is looked for."""

_NEVER = 2**30
"""Columns after which a line is broken."""

_UNFINISHED = ".unfinished"


class File(NamedTuple):
    """What is written, and whether its owner alone may read it."""

    text: str
    secret: bool


class NotOurs(Exception):  # noqa: N818 - named for what is told
    """A file is in the way that chainwatch has not made."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"{path}: is not made by chainwatch, and nothing is written; move it, or give another DIR")


def write_alerts(
    configuration: Configuration, directory: Path, tell: Callable[[str], None], datasource: str | None = None
) -> None:
    """Write the files into a directory, which is made if need be; `tell` is told what became of each.

    With the uid of a `datasource` of Grafana's, rules for Grafana are written as well. Files of other names are never
    touched. Raises NotOurs or UnsupportedError, before anything is written, and OSError.
    """
    made = _files(configuration) | (_grafana_files(configuration, datasource) if datasource else {})
    files = {directory / name: file for name, file in made.items()}
    before = {path: _read(path) for path in files}
    for path, text in before.items():
        if text and MARK not in text[:_FIRST_LINES]:
            raise NotOurs(path)
    for path, file in files.items():
        if before[path] != file.text:
            _write(path, file)
        tell(f"{path}: {_told(before[path], file.text)}")


def _files(configuration: Configuration) -> dict[str, File]:
    shard = configuration.agent.shard
    alone = shard is None or shard.of == 1
    return {
        "chainwatch.rules.yaml": File(rules(scoped(configuration), runbooks_at(configuration)), secret=False),
        "alertmanager.yaml": File(alertmanager.text(configuration.alerts, alone=alone), secret=True),
    }


def _grafana_files(configuration: Configuration, datasource: str) -> dict[str, File]:
    language = _language(configuration)
    made = grafana.rules(scoped(configuration), language, datasource, runbooks_at(configuration))
    files = {"grafana/rules.yaml": File(_document(made), secret=False)}
    if configuration.alerts.channels:
        points, policies = grafana.contact_points(configuration.alerts), grafana.policies(configuration.alerts)
        files |= {
            "grafana/contact-points.yaml": File(_document(points), secret=True),
            "grafana/policies.yaml": File(_document(policies), secret=False),
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


def _told(before: str | None, text: str) -> str:
    if before is None:
        return "new"
    return "unchanged" if before == text else "changed"


def _read(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return None


def _write(path: Path, file: File) -> None:
    """Replace a file as a whole, so that nobody reads half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(path.name + _UNFINISHED)
    unfinished.unlink(missing_ok=True)
    with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as opened:
        if not file.secret:
            os.fchmod(opened.fileno(), 0o644)
        opened.write(file.text)
    unfinished.replace(path)
