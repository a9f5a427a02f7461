"""A board as grafanalib's objects, for one language; mending.py makes of them what Grafana wants."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from grafanalib import core as grafana  # type: ignore[import-untyped]  # grafanalib has no types

from dashboards.annotations import annotations_of
from dashboards.asking import letter, sayable, target
from dashboards.layout import COLUMNS, Place, laid_out
from dashboards.panels import Board, Language, Line, Panel, Row, Step, Words
from dashboards.queries.expressions import Increase
from dashboards.variables import DATA_SOURCE, DATA_SOURCES, Variable, variables

TAG = "chainwatch"

NAMES: Mapping[Language, str] = {"promql": "Prometheus", "influxql": "InfluxQL", "flux": "Flux"}

_REFRESH_WITH_TIME_RANGE = 2
_SHARED_CROSSHAIR = 1
_STEP_OF_HEADING = 1


def uid_of(board: Board, language: Language) -> str:
    """Return what the dashboard of a board is called in links: that of Prometheus bears the board's own name."""
    return board.uid if language == "promql" else f"{board.uid}-{language}"


@dataclass(frozen=True)
class Page:
    """What is made: a board in one language; `there` are the uids of the dashboards that links may lead to."""

    board: Board
    language: Language
    there: Collection[str]


def dashboard(page: Page) -> grafana.Dashboard:
    """Return it as a grafanalib Dashboard."""
    board, language = page.board, page.language
    tags = [TAG, NAMES[language].lower()]
    return grafana.Dashboard(
        uid=uid_of(board, language),
        title=board.title if language == "promql" else f"{board.title} ({NAMES[language]})",
        description=board.description,
        tags=tags,
        editable=False,
        graphTooltip=_SHARED_CROSSHAIR,
        timezone="browser",
        refresh="30s",
        time=grafana.Time("now-1h", "now"),
        templating=grafana.Templating([_data_source(language), *map(_template, variables(board, language))]),
        annotations=grafana.Annotations([*annotations_of(board, language)]),
        links=[grafana.DashboardLink(title="chainwatch", tags=tags, includeVars=True, keepTime=True)],
        panels=_panels(page),
    )


def _data_source(language: Language) -> grafana.Template:
    return grafana.Template(
        name=DATA_SOURCE, label="Data Source", type="datasource", query=DATA_SOURCES[language], refresh=1, sort=0
    )


def _template(variable: Variable) -> grafana.Template:
    return grafana.Template(
        name=variable.name,
        label=variable.label,
        query=variable.query,
        multi=True,
        includeAll=variable.every,
        allValue=_EVERY.get(variable.name, ".+") if variable.every else None,
        refresh=_REFRESH_WITH_TIME_RANGE,
    )


_EVERY = {"role": ".*"}
"""All values of a variable, where they are more than the values that there are: a node need not have a role."""


def _panels(page: Page) -> list[grafana.Panel]:
    made: list[grafana.Panel] = []
    top = 0
    for row in page.board.rows:
        said = [sayable(panel, page.board, page.language) for panel in row.panels]
        panels = [panel for panel in said if panel]
        if not panels:
            continue
        made.append(_heading(row, top))
        top += _STEP_OF_HEADING
        places = laid_out(panels, top)
        inner = [_panel(panel, place, page) for panel, place in zip(panels, places, strict=True)]
        if row.collapsed:
            made[-1].panels = inner
        else:
            made += inner
            top = max((place.y + place.height for place in places), default=top)
    return made


def _heading(row: Row, top: int) -> grafana.RowPanel:
    repeat = grafana.Repeat(variable=row.repeat) if row.repeat else grafana.Repeat()
    return grafana.RowPanel(
        title=row.title, collapsed=row.collapsed, repeat=repeat, gridPos=grafana.GridPos(1, COLUMNS, 0, top)
    )


def _panel(panel: Panel, place: Place, page: Page) -> grafana.Panel:
    common = {
        "title": panel.title,
        "description": panel.description,
        "gridPos": grafana.GridPos(place.height, place.width, place.x, place.y),
        "targets": [
            {"refId": letter(position), **target(line, panel.kind, page.board, page.language)}
            for position, line in enumerate(panel.lines)
        ],
        "thresholds": _steps(panel.steps),
        "mappings": _mappings(panel.words),
        "overrides": [],
    }
    return _KINDS[panel.kind](panel, common, page)


def _timeseries(panel: Panel, common: Mapping[str, Any], page: Page) -> grafana.TimeSeries:
    many = any("{{" in line.legend for line in panel.lines)
    return grafana.TimeSeries(
        **{**common, "overrides": [*_names(panel, page.language), *_bars(panel, page.language)]},
        unit=panel.unit,
        fillOpacity=25 if panel.stacked else 8,
        lineWidth=1,
        showPoints="never",
        spanNulls=False,
        stacking={"mode": "normal" if panel.stacked else "none", "group": "A"},
        thresholdsStyleMode="dashed" if len(panel.steps) > 1 else "off",
        legendDisplayMode="table" if many else "list",
        legendPlacement="bottom",
        legendCalcs=["lastNotNull", "max"] if many else [],
        tooltipMode="multi",
        tooltipSort="desc",
        extraJson={
            "fieldConfig": {"defaults": {"links": _links_of_series(panel, page)}},
            "options": {"legend": {"showLegend": True}},
        },
    )


def _stat(panel: Panel, common: Mapping[str, Any], page: Page) -> grafana.Stat:
    named = any(line.legend for line in panel.lines)
    return grafana.Stat(
        **{**common, "overrides": [*_names(panel, page.language), *_own_steps(panel)]},
        format=panel.unit,
        color={"mode": "thresholds"},
        colorMode="background" if panel.words or len(panel.steps) > 1 or any(_own_steps(panel)) else "value",
        graphMode="none",
        reduceCalc="lastNotNull",
        textMode="value_and_name" if named else "value",
        noValue="-",
        extraJson={"fieldConfig": {"defaults": {"links": _links_of_series(panel, page)}}},
    )


def _state_timeline(panel: Panel, common: Mapping[str, Any], page: Page) -> grafana.StateTimeline:
    return grafana.StateTimeline(
        **{**common, "overrides": _names(panel, page.language)},
        showValue="never",
        tooltipMode="multi",
        extraJson={
            "fieldConfig": {"defaults": {"unit": panel.unit, "links": _links_of_series(panel, page)}},
            "options": {"legend": {"showLegend": False}},
        },
    )


def _bargauge(panel: Panel, common: Mapping[str, Any], page: Page) -> grafana.BarGauge:
    rest = {key: value for key, value in common.items() if key not in ("mappings", "overrides", "thresholds")}
    return grafana.BarGauge(
        **rest,
        displayMode="basic",
        calc="lastNotNull",
        format=panel.unit,
        extraJson={
            "fieldConfig": {
                "defaults": {
                    "unit": panel.unit,
                    "min": 0,
                    "color": {"mode": "thresholds"},
                    "mappings": common["mappings"],
                    "thresholds": {"mode": "absolute", "steps": common["thresholds"]},
                    "links": _links_of_series(panel, page),
                },
                "overrides": _names(panel, page.language),
            },
        },
    )


def _table(panel: Panel, common: Mapping[str, Any], page: Page) -> grafana.Table:
    columns = _columns(panel, page.language)
    # Grafana leaves the letter away where one of several queries alone yields something: mostly that is the first.
    renamed = {"Value": panel.lines[0].legend, **columns} if page.language == "promql" else columns
    labels = {label: _shown(label) for label in panel.labels}
    overrides = [_label_column(label, page) for label in panel.labels]
    overrides += [
        override for line, name in zip(panel.lines, columns.values(), strict=True) for override in _column(line, name)
    ]
    return grafana.Table(
        **{**common, "overrides": overrides},
        unit=panel.unit,
        filterable=True,
        transformations=[
            {"id": "filterFieldsByName", "options": {"exclude": {"names": ["Time"]}}},
            *([{"id": "merge", "options": {}}] if len(panel.lines) > 1 else []),
            {
                "id": "organize",
                "options": {
                    "indexByName": {name: position for position, name in enumerate([*panel.labels, *columns])},
                    "renameByName": {old: new for old, new in {**labels, **renamed}.items() if old != new},
                },
            },
        ],
        extraJson={"options": {"cellHeight": "sm", "footer": {"show": False}}},
    )


_KINDS = {
    "timeseries": _timeseries,
    "stat": _stat,
    "table": _table,
    "state-timeline": _state_timeline,
    "bargauge": _bargauge,
}


def _columns(panel: Panel, language: Language) -> Mapping[str, str]:
    """Return what the columns of values are called, by what the database calls them."""
    if language != "promql":
        return {line.legend: line.legend for line in panel.lines}
    if len(panel.lines) == 1:
        return {"Value": panel.lines[0].legend}
    return {f"Value #{letter(position)}": line.legend for position, line in enumerate(panel.lines)}


def _column(line: Line, name: str) -> Iterable[Mapping[str, Any]]:
    properties: list[Mapping[str, Any]] = []
    if line.unit:
        properties.append({"id": "unit", "value": line.unit})
    if line.words:
        properties.append({"id": "mappings", "value": _mappings(line.words)})
    if line.steps:
        properties.append({"id": "thresholds", "value": {"mode": "absolute", "steps": _steps(line.steps)}})
    if line.words or line.steps:
        properties.append({"id": "custom.cellOptions", "value": {"type": "color-text"}})
    if properties:
        yield {"matcher": {"id": "byName", "options": name}, "properties": properties}


def _label_column(label: str, page: Page) -> Mapping[str, Any]:
    properties: list[Mapping[str, Any]] = [{"id": "custom.align", "value": "left"}, {"id": "unit", "value": "string"}]
    if links := _links(label, page, _of_row):
        properties.append({"id": "links", "value": links})
    return {"matcher": {"id": "byName", "options": _shown(label)}, "properties": properties}


def _links_of_series(panel: Panel, page: Page) -> list[Mapping[str, Any]]:
    """Return where a click on a series leads: to what its name says it is of."""
    named = {label for line in panel.lines for label in re.findall(r"{{(\w+)}}", line.legend)}
    of = "node" if "node" in named else "chain" if "chain" in named else ""
    return _links(of, page, _of_series)


def _shown(label: str) -> str:
    """Return what the column of a label is called."""
    return label.replace("_", " ").capitalize()


def _of_row(label: str) -> str:
    return f"${{__data.fields.{_shown(label)}:percentencode}}"  # else `&` and `#` in a name end it


def _of_series(label: str) -> str:
    return f"${{__field.labels.{label}:percentencode}}"


def _links(label: str, page: Page, value: Callable[[str], str]) -> list[Mapping[str, Any]]:
    """Return the links of what bears a label to the boards about it; `value` is how Grafana fills in a label."""
    if page.language != "promql":  # the boards that links lead to are Prometheus' alone
        return []
    kept = "${datasource:queryparam}&${job:queryparam}&${__url_time_range}"
    picked = "&".join(f"var-{name}={value(name)}" for name in _PICKED.get(label, ()))
    return [
        {"title": title, "url": f"/d/{uid}?{kept}&{picked}", "targetBlank": False}
        for title, uid in _LEADS.get(label, ())
        if uid in page.there and uid != page.board.uid
    ]


_PICKED = {"chain": ("chain",), "node": ("chain", "node")}
_LEADS = {
    "chain": (("This chain, of Ethereum", "chainwatch-ethereum"), ("This chain, of nodeos", "chainwatch-nodeos")),
    "node": (("This node", "chainwatch-node"),),
}


def _names(panel: Panel, language: Language) -> list[Mapping[str, Any]]:
    """Return what names the series of Flux, which has no legends of its own."""
    if language != "flux":
        return []
    return [
        {
            "matcher": {"id": "byFrameRefID", "options": letter(position)},
            "properties": [{"id": "displayName", "value": re.sub(r"{{(\w+)}}", r"${__field.labels.\1}", line.legend)}],
        }
        for position, line in enumerate(panel.lines)
        if line.legend
    ]


def _own_steps(panel: Panel) -> list[Mapping[str, Any]]:
    """Return what colours the figures of a panel that have steps of their own."""
    return [
        {
            "matcher": {"id": "byFrameRefID", "options": letter(position)},
            "properties": [{"id": "thresholds", "value": {"mode": "absolute", "steps": _steps(line.steps)}}],
        }
        for position, line in enumerate(panel.lines)
        if line.steps
    ]


def _bars(panel: Panel, language: Language) -> list[Mapping[str, Any]]:
    """Return what draws rises as bars where they are those of windows side by side, not of one that moves along.

    Such windows are long: of one or two of them a line would show nothing.
    """
    if language == "promql":
        return []
    bars = [{"id": "custom.drawStyle", "value": "bars"}, {"id": "custom.fillOpacity", "value": 60}]
    return [
        {"matcher": {"id": "byFrameRefID", "options": letter(position)}, "properties": bars}
        for position, line in enumerate(panel.lines)
        if isinstance(line.asks, Increase)
    ]


def _steps(steps: Sequence[Step]) -> list[Mapping[str, Any]]:
    return [{"color": step.color, "value": step.value} for step in steps]


def _mappings(words: Words) -> list[Mapping[str, Any]]:
    if not words:
        return []
    options = {
        f"{value:g}": {"text": text, "color": color, "index": index} for index, (value, text, color) in enumerate(words)
    }
    return [{"type": "value", "options": options}]
