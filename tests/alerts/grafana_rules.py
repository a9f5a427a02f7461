"""What a rule of Grafana's does, done without Grafana: its queries are asked, the last values compared."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from typing import Any

from dashboards.drawing.asking import Database
from dashboards.drawing.frames import Series, Table
from dashboards.drawing.variables import Span

Labels = frozenset[tuple[str, str]]


def firing(rule: Mapping[str, Any], database: Database) -> list[dict[str, str]]:
    """Return the labels of each for whom a rule's condition holds; one without labels where nothing is an alarm."""
    found: dict[str, dict[Labels, float]] = {}
    math = ""
    for part in rule["data"]:
        model = part["model"]
        if part["datasourceUid"] != "__expr__":
            found[part["refId"]] = _last(database, model)
        elif model["type"] == "reduce":
            assert (model["reducer"], model["settings"]["mode"]) == ("last", "dropNN")
            found[part["refId"]] = found[model["expression"]]
        else:
            assert part["refId"] == rule["condition"]
            math = model["expression"]
    if not found["A"]:
        return [{}] if rule["noDataState"] == "Alerting" else []
    names = re.findall(r"\$([A-Z])", math)
    shared = set.intersection(*(set(found[name]) for name in names))  # Grafana, too, leaves out who has no counterpart
    python = math.replace("&&", " and ").replace("!(", " not (")
    python = re.sub(r"\$([A-Z])", r"value_\1", python)
    told = [labels for labels in shared if eval(python, {}, {f"value_{name}": found[name][labels] for name in names})]
    return sorted((dict(labels) for labels in told), key=str)


def _last(database: Database, model: dict[str, Any]) -> dict[Labels, float]:
    now = int(time.time())
    found: dict[Labels, float] = {}
    for frame in database.ask(model, Span(now - 300, now, 60, 10), {}):
        if isinstance(frame, Series):
            values = [value for _, value in frame.points if value is not None]
            if values:
                found[_labels(frame.labels)] = values[-1]
        elif isinstance(frame, Table):
            for row in frame.rows:
                columns = dict(zip(frame.names, row, strict=True))
                value = columns.pop("_value")
                found[_labels({name: str(text) for name, text in columns.items()})] = float(value or 0)
    return found


def _labels(labels: Mapping[str, str]) -> Labels:
    return frozenset((name, text) for name, text in labels.items() if text)
