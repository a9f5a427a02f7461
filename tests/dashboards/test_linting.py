"""The rules of Grafana's dashboard-linter, and some of our own, over every dashboard in every language."""

from __future__ import annotations

import json
import re
from itertools import combinations

import pytest

from collector.readings import Kind
from dashboards.metrics import STANDARD
from dashboards.queries.expressions import Prom, Ratio
from tests.dashboards.reading import (
    DASHBOARDS,
    IN_FLUX,
    IN_INFLUXQL,
    IN_PROMQL,
    METRICS,
    Json,
    all_panels,
    nulls,
    panels,
    selectors,
    targets,
)

LABELS_LIKE_METRICS = {"chain_id"}
"""Labels that look like metrics of ours."""

every_dashboard = pytest.mark.parametrize("uid", DASHBOARDS)
in_promql = pytest.mark.parametrize("uid", IN_PROMQL)


@every_dashboard
def test_it_is_called_what_links_call_it_and_is_of_a_schema_that_grafana_knows(uid: str) -> None:
    board, language, made = DASHBOARDS[uid]
    assert made["uid"] == uid == (board.uid if language == "promql" else f"{board.uid}-{language}")
    assert len(uid) <= 40  # Grafana's limit
    assert made["title"]
    assert made["description"].endswith(".")
    assert made["schemaVersion"] == 39
    assert made["editable"] is False
    assert "id" not in made
    assert "chainwatch" in made["tags"]


@every_dashboard
def test_it_has_one_data_source_which_is_a_variable_that_all_else_names(uid: str) -> None:
    _, language, made = DASHBOARDS[uid]
    sources = [variable for variable in made["templating"]["list"] if variable["type"] == "datasource"]
    assert [(source["name"], source["label"]) for source in sources] == [("datasource", "Data Source")]
    wanted = {"type": "prometheus" if language == "promql" else "influxdb", "uid": "${datasource}"}
    assert sources[0]["query"] == wanted["type"]
    for panel in panels(uid):
        assert panel["datasource"] == wanted, panel["title"]
        assert all(target["datasource"] == wanted for target in panel["targets"]), panel["title"]
    for variable in made["templating"]["list"]:
        if variable["type"] == "query":
            assert variable["datasource"] == wanted, variable["name"]
    assert {
        json.dumps(annotation["datasource"])
        for annotation in made["annotations"]["list"]
        if "builtIn" not in annotation
    } == {json.dumps(wanted)}


@every_dashboard
def test_nothing_is_null_but_where_thresholds_begin(uid: str) -> None:
    assert [
        path for path in nulls(DASHBOARDS[uid][2]) if not re.search(r"\.thresholds\.steps\[0\]\.value$", path)
        and not re.search(r"\.properties\[\d+\]\.value\.steps\[0\]\.value$", path)
    ] == []  # fmt: skip


@every_dashboard
def test_thresholds_begin_without_a_value_and_rise(uid: str) -> None:
    for panel in panels(uid):
        steps = [panel["fieldConfig"]["defaults"]["thresholds"]["steps"]]
        for override in panel["fieldConfig"]["overrides"]:
            steps += [given["value"]["steps"] for given in override["properties"] if given["id"] == "thresholds"]
        for values in ([step["value"] for step in one] for one in steps):
            assert values[0] is None, panel["title"]
            assert values[1:] == sorted(values[1:]), panel["title"]


@every_dashboard
def test_variables_are_refreshed_with_the_range_of_time_and_all_of_them_is_a_regex(uid: str) -> None:
    board, language, made = DASHBOARDS[uid]
    queried = [variable for variable in made["templating"]["list"] if variable["type"] == "query"]
    assert [variable["name"] for variable in queried] == [*(["job"] if language == "promql" else []), *board.variables]
    for variable in queried:
        assert variable["refresh"] == 2, variable["name"]
        assert variable["multi"] is True, variable["name"]
        every = variable["name"] != "node" or board.every_node
        assert variable["includeAll"] is every, variable["name"]
        # Nodes that are given no role have no such label: all of them are more than those that have one.
        assert variable.get("allValue") == ((".*" if variable["name"] == "role" else ".+") if every else None)


@every_dashboard
def test_every_panel_says_what_it_shows_in_which_unit(uid: str) -> None:
    for panel in panels(uid):
        assert panel["title"], panel
        assert re.search(r"^[A-Z0-9`].*[.]$", panel["description"], re.DOTALL), panel["title"]
        assert panel["description"] != panel["title"], panel["title"]
        assert panel["fieldConfig"]["defaults"]["unit"], panel["title"]
        assert panel["targets"], panel["title"]


@every_dashboard
def test_panels_lie_on_the_grid_beside_each_other(uid: str) -> None:
    places = []
    for panel in DASHBOARDS[uid][2]["panels"]:
        inner = [inside["gridPos"] for inside in panel.get("panels", ())]
        assert panel["type"] == "row" or not inner
        for place in (panel["gridPos"], *inner):
            assert 0 <= place["x"] < place["x"] + place["w"] <= 24, panel["title"]
            assert place["h"] > 0, panel["title"]
        assert not [pair for pair in combinations(inner, 2) if overlap(*pair)], panel["title"]
        places.append(panel["gridPos"])  # what is folded away takes no room
    assert [pair for pair in combinations(places, 2) if overlap(*pair)] == []


def overlap(one: Json, other: Json) -> bool:
    (left, top, width, height), (x, y, w, h) = ([int(place[side]) for side in "xywh"] for place in (one, other))
    return left < x + w and x < left + width and top < y + h and y < top + height


@every_dashboard
def test_ids_and_letters_are_there_once_and_so_are_titles_of_a_row_in_each_form(uid: str) -> None:
    ids = [panel["id"] for panel in all_panels(uid)]
    assert len(ids) == len(set(ids))
    for panel in panels(uid):
        letters = [target["refId"] for target in panel["targets"]]
        assert len(letters) == len(set(letters)), panel["title"]
    for row in DASHBOARDS[uid][0].rows:
        titles = [(panel.kind, panel.title) for panel in row.panels]
        assert len(titles) == len(set(titles)), row.title


@every_dashboard
def test_a_rows_panels_fill_its_lines(uid: str) -> None:
    """A gap at the right of a line is a panel that was made too narrow, or forgotten; the last line may have one."""
    for row in DASHBOARDS[uid][0].rows:
        width = 0
        for panel in row.panels:
            if width + panel.width > 24:
                assert width == 24, f"{row.title}: before {panel.title}"
                width = 0
            width += panel.width


@every_dashboard
def test_every_line_has_a_name_made_of_labels_that_it_has(uid: str) -> None:
    for row in DASHBOARDS[uid][0].rows:
        for panel in row.panels:
            for line in panel.lines:
                where = f"{panel.title}: {line.legend}"
                assert line.legend or (panel.kind == "stat" and len(panel.lines) == 1), where
                asked = line.asks.over if isinstance(line.asks, Ratio) else line.asks
                if not isinstance(asked, Prom):
                    named = set(re.findall(r"{{(\w+)}}", line.legend))
                    assert named <= set(asked.by), where
                    if panel.kind == "table":
                        assert set(asked.by) <= set(panel.labels), where
                    elif len(panel.lines) > 1 or panel.kind != "stat":
                        assert named == set(asked.by) - {"chain"} or named == set(asked.by), where


@every_dashboard
def test_alerts_or_findings_forks_and_restarts_are_marked_and_can_be_switched_off(uid: str) -> None:
    _, language, made = DASHBOARDS[uid]
    names = [annotation["name"] for annotation in made["annotations"]["list"]]
    assert names[0] == "Annotations & Alerts"
    assert names[1] == ("Alerts" if language == "promql" else "Critical findings")
    assert any(name.startswith("Forks") for name in names)
    assert any(name.startswith("Restarts") for name in names)
    for annotation in made["annotations"]["list"][1:]:
        assert annotation["enable"] is True
        assert annotation["hide"] is False  # its switch


@every_dashboard
def test_boards_of_one_language_lead_to_each_other_with_time_and_variables(uid: str) -> None:
    (link,) = DASHBOARDS[uid][2]["links"]
    assert (link["type"], link["keepTime"], link["includeVars"]) == ("dashboards", True, True)
    assert link["tags"] == DASHBOARDS[uid][2]["tags"]
    together = {other for other, (_, _, made) in DASHBOARDS.items() if set(link["tags"]) <= set(made["tags"])}
    assert {DASHBOARDS[other][1] for other in together} == {DASHBOARDS[uid][1]}


def test_links_of_panels_lead_to_boards_that_there_are_and_pass_what_those_know() -> None:
    links = set()
    for uid in DASHBOARDS:
        links |= set(re.findall(r"/d/([\w-]+)\?(\S+?)\"", json.dumps(DASHBOARDS[uid][2])))
    assert {uid for uid, _ in links} == {"chainwatch-ethereum", "chainwatch-nodeos", "chainwatch-node"}
    for uid, query in links:
        assert "${__url_time_range}" in query
        assert "${datasource:queryparam}" in query
        variables = {variable["name"] for variable in DASHBOARDS[uid][2]["templating"]["list"]}
        assert set(re.findall(r"var-(\w+)=", query)) <= variables


# Prometheus' queries


@in_promql
def test_every_selector_names_a_metric_that_there_is_and_bears_job_and_chain(uid: str) -> None:
    board = DASHBOARDS[uid][0]
    annotations = [("annotation", made) for made in DASHBOARDS[uid][2]["annotations"]["list"] if "expr" in made]
    for title, target in [*targets(uid), *annotations]:
        expression = target["expr"]
        found = [*selectors(expression)]
        assert found, title
        for _, metric, matchers in found:
            where = f"{title}: {expression}"
            if metric.startswith("ALERTS"):  # they bear the labels of alerts, not of what was scraped
                assert 'chain=~"$chain|"' in matchers or 'chain=~"$chain"' in matchers, where
                continue
            assert 'job=~"$job"' in matchers, where
            for label in {*METRICS[metric].labels} & {*board.variables}:
                assert f'{label}=~"${label}"' in matchers, where
        named = {metric for _, metric, _ in found}
        bare = set(re.findall(r"\b(?:chain|chainwatch|ethstats|geth|nodeos)_\w+", expression)) - LABELS_LIKE_METRICS
        assert bare <= named, title


@in_promql
def test_counters_are_seen_as_rates_and_nothing_else_is(uid: str) -> None:
    for title, target in targets(uid):
        for before, metric, _ in selectors(target["expr"]):
            if metric.startswith("ALERTS"):
                continue
            risen = before.endswith(("rate(", "increase("))
            assert risen == (METRICS[metric].kind is Kind.COUNTER), f"{title}: {metric}"


@in_promql
def test_rates_are_over_grafanas_rate_interval(uid: str) -> None:
    for title, target in targets(uid):
        windows = re.findall(r"(\w+)\(\w+{[^}]*}\[([^\]]+)\]", target["expr"])
        assert len(windows) == target["expr"].count("["), title
        for function, window in windows:
            fixed = function in ("increase", "last_over_time") and re.fullmatch(r"\d+[mhd]", window)
            assert window == "$__rate_interval" or fixed, title


@in_promql
def test_what_shows_the_present_asks_for_it_alone(uid: str) -> None:
    for panel in panels(uid):
        now = panel["type"] in ("stat", "table", "bargauge")
        for target in panel["targets"]:
            assert (target["instant"], target["range"]) == (now, not now), panel["title"]
            assert target["format"] == ("table" if panel["type"] == "table" else "time_series"), panel["title"]


@in_promql
def test_variables_are_narrowed_by_those_before_them(uid: str) -> None:
    before: list[str] = []
    for variable in DASHBOARDS[uid][2]["templating"]["list"]:
        if variable["type"] == "query":
            query = variable["query"]["query"]
            assert query.startswith("label_values(")
            assert query.endswith(f", {variable['name']})")
            assert all(f'{name}=~"${name}"' in query for name in before), query
            before.append(variable["name"])


@in_promql
def test_what_every_program_tells_is_asked_of_collectors_alone(uid: str) -> None:
    """All jobs are those of all that Prometheus scrapes: others have processes, too."""
    annotations = [("annotation", made) for made in DASHBOARDS[uid][2]["annotations"]["list"] if "expr" in made]
    for title, target in [*targets(uid), *annotations]:
        asked = {metric for _, metric, _ in selectors(target["expr"])}
        if asked & {metric.name for metric in STANDARD}:
            assert "chainwatch_build_info" in asked, title


@in_promql
def test_what_collectors_share_is_added_up(uid: str) -> None:
    """With shards each of them knows of a part of a chain's nodes: the most of any hides those that another misses."""
    for title, target in targets(uid):
        for before, metric, _ in selectors(target["expr"]):
            if metric in ("chain_network_nodes", "chain_network_nodes_up"):
                assert re.search(r"\bsum( by \(chain\))? \($", before), title


# InfluxDB's


@pytest.mark.parametrize("uid", IN_INFLUXQL)
def test_influxql_asks_for_the_panels_time_and_chains(uid: str) -> None:
    for title, target in targets(uid):
        assert target["rawQuery"] is True, title
        assert "$timeFilter" in target["query"] or re.search(
            r"time > \${__to}ms - \w+ AND time <= \${__to}ms", target["query"]
        ), title
        assert '"chain" =~ /^${chain:regex}$/' in target["query"], title


@pytest.mark.parametrize("uid", IN_INFLUXQL)
def test_influxqls_variables_and_annotations_name_the_time_once(uid: str) -> None:
    """Grafana fills in the first of them; a second would be sent as it stands, and refused."""
    made = DASHBOARDS[uid][2]
    queries = [variable["query"] for variable in made["templating"]["list"] if variable["type"] == "query"]
    queries += [annotation["query"] for annotation in made["annotations"]["list"] if "query" in annotation]
    assert len(queries) == 6
    assert [query for query in queries if query.count("$timeFilter") != 1] == []


@pytest.mark.parametrize("uid", IN_FLUX)
def test_flux_asks_for_the_panels_time_and_chains(uid: str) -> None:
    for title, target in targets(uid):
        assert "v.defaultBucket" in target["query"], title
        assert re.search(r"range\(start: .*v\.timeRange(Start|Stop)", target["query"]), title
        assert 'r["chain"] =~ /^${chain:regex}$/' in target["query"], title


def test_there_is_something_in_every_language() -> None:
    """Else the rules above would hold of nothing."""
    assert len(IN_PROMQL) == 5
    assert len(IN_INFLUXQL) == len(IN_FLUX) == 2
