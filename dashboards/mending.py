"""What grafanalib writes, as today's Grafana wants it.

grafanalib 0.7 writes the schema of 2015 (version 12), which Grafana loads by thirty migrations, some of them wrong.
Here, and only here, it becomes schema 39 (Grafana 10 and later): data sources are objects, thresholds where
panels look for them, nothing is null but the first step of thresholds, and what no Grafana reads any more is gone.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from dashboards.variables import DATA_SOURCE

Json = dict[str, Any]

SCHEMA_VERSION = 39
PLUGIN_VERSION = "11.2.0"
"""Of the panels' own schemas, so that no Grafana takes them to be older than that."""

_OF_DASHBOARD = ("__inputs", "gnetId", "hideControls", "id", "rows", "sharedCrosshair", "style", "version")
_OF_PANEL = (
    *("cacheTimeout", "editable", "error", "height", "hideTimeOverride", "maxDataPoints", "minSpan", "span"),
    *("columns", "fontSize", "color", "mappings", "timeFrom", "timeShift", "links"),
)
_OF_ROW = ("datasource", "description", "fieldConfig", "targets", "transformations", "transparent")
_OF_VARIABLE = ("useTags", "tagsQuery", "tagValuesQuery", "auto", "auto_min", "auto_count")


def mended(dashboard: object, source_type: str) -> Json:
    """Return a grafanalib Dashboard as the JSON of one that asks data sources of this type."""
    made: Json = json.loads(json.dumps(dashboard, default=_plain))
    source = {"type": source_type, "uid": f"${{{DATA_SOURCE}}}"}
    _without(made, _OF_DASHBOARD)
    made["schemaVersion"] = SCHEMA_VERSION
    made["fiscalYearStartMonth"] = 0
    made["liveNow"] = False
    made["weekStart"] = ""
    made["timepicker"] = {}
    for variable in made["templating"]["list"]:
        _mend_variable(variable, source)
    for annotation in made["annotations"]["list"]:
        annotation.setdefault("datasource", source)
    for number, panel in enumerate(_panels(made), 1):
        _mend_panel(panel, number, source)
    mended_whole = _without_nulls(made)
    assert isinstance(mended_whole, dict)
    return mended_whole


def _plain(part: Any) -> object:  # noqa: ANN401 - grafanalib has no types
    return part.to_json_data()


def _panels(dashboard: Json) -> Iterator[Json]:
    """Yield the panels with those inside of folded rows, in the order in which they are seen."""
    for panel in dashboard["panels"]:
        yield panel
        yield from panel.get("panels") or ()


def _mend_variable(variable: Json, source: Json) -> None:
    _without(variable, _OF_VARIABLE)
    every = {"selected": True, "text": ["All"], "value": ["$__all"]}
    variable["current"] = every if variable["includeAll"] else {}  # else Grafana takes the first that there is
    if variable["type"] == "query":
        variable["datasource"] = source
        variable["definition"] = variable["query"]
        if source["type"] == "prometheus":
            variable["query"] = {"query": variable["query"], "refId": f"variable-{variable['name']}"}


def _mend_panel(panel: Json, number: int, source: Json) -> None:
    panel["id"] = number
    _without(panel, _OF_PANEL)
    if panel["type"] == "row":
        _without(panel, _OF_ROW)
        return
    panel["datasource"] = source
    panel["pluginVersion"] = PLUGIN_VERSION
    for target in panel["targets"]:
        target["datasource"] = source
    if mend := _KINDS.get(panel["type"]):
        mend(panel)


def _mend_timeseries(panel: Json) -> None:
    custom = panel["fieldConfig"]["defaults"]["custom"]
    custom["scaleDistribution"] = {"type": "linear"}
    custom["axisBorderShow"] = False
    custom["axisCenteredZero"] = False
    custom["axisColorMode"] = "text"


def _mend_stat(panel: Json) -> None:
    panel["options"]["wideLayout"] = True
    panel["options"]["showPercentChange"] = False


def _mend_table(panel: Json) -> None:
    custom = panel["fieldConfig"]["defaults"]["custom"]
    _without(custom, ("displayMode",))  # cellOptions, since Grafana 9.4
    custom["cellOptions"] = {"type": "auto"}
    custom["inspect"] = False
    panel["fieldConfig"]["defaults"]["color"] = {"mode": "thresholds"}


def _mend_bargauge(panel: Json) -> None:
    options = panel["options"]
    calcs = options["fieldOptions"]["calcs"]
    _without(options, ("fieldOptions", "showThresholdLabels", "showThresholdMarkers"))
    options["reduceOptions"] = {"calcs": calcs, "fields": "", "values": False}
    options["showUnfilled"] = True
    options["valueMode"] = "color"
    options["namePlacement"] = "auto"
    options["minVizHeight"] = 16
    options["minVizWidth"] = 8
    options["maxVizHeight"] = 32
    options["sizing"] = "auto"


_KINDS: Mapping[str, Callable[[Json], None]] = {
    "timeseries": _mend_timeseries,
    "stat": _mend_stat,
    "table": _mend_table,
    "bargauge": _mend_bargauge,
}


def _without(part: Json, names: tuple[str, ...]) -> None:
    for name in names:
        part.pop(name, None)


def _without_nulls(part: object) -> object:
    """Return it without what is null, except the first of thresholds' steps, whose value is to be null."""
    if isinstance(part, list):
        return [_without_nulls(one) for one in part]
    if not isinstance(part, dict):
        return part
    if part.keys() == {"color", "value"}:
        return part
    return {name: _without_nulls(value) for name, value in part.items() if value is not None}
