"""Grafana's own types, as its foundation SDK has them, judge every dashboard."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models.dashboard import Dashboard

from tests.dashboards.reading import DASHBOARDS

register_default_plugins()

NOT_IN_THE_TYPES = {
    ".templating.list[].definition",  # Grafana writes it itself
    ".annotations.list[].tagKeys",  # these are the data sources' own
    ".annotations.list[].titleFormat",
    ".annotations.list[].textFormat",
    ".annotations.list[].query",
    ".annotations.list[].textColumn",
    ".annotations.list[].target.query",
    ".annotations.list[].target.refId",
}


@pytest.mark.parametrize("uid", DASHBOARDS)
def test_grafanas_types_take_all_that_a_dashboard_says(uid: str) -> None:
    made = DASHBOARDS[uid][2]
    taken = json.loads(json.dumps(Dashboard.from_json(made), cls=JSONEncoder))
    assert {*lost(made, taken)} <= NOT_IN_THE_TYPES


def test_what_the_types_do_not_know_would_be_seen() -> None:
    made = {**DASHBOARDS["chainwatch-pipeline"][2], "hideControls": False}
    taken = json.loads(json.dumps(Dashboard.from_json(made), cls=JSONEncoder))
    assert ".hideControls" in {*lost(made, taken)}


def lost(ours: object, theirs: object, path: str = "") -> Iterator[str]:
    """Yield where something of ours is not in theirs, or is something else."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        for name, value in ours.items():
            if name in theirs:
                yield from lost(value, theirs[name], f"{path}.{name}")
            else:
                yield f"{path}.{name}"
    elif isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        for one, other in zip(ours, theirs, strict=True):
            yield from lost(one, other, f"{path}[]")
    elif ours != theirs:
        yield path
