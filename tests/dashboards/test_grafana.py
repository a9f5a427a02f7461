"""A board as Grafana's JSON, panel by panel."""

from __future__ import annotations

from dataclasses import replace

import pytest

from collector.catalogue import M
from collector.health.thresholds import Thresholds
from collector.thresholds import PipelineThresholds
from dashboards.mending import mended
from dashboards.panels import GREEN, ORANGE, RED, Board, Kind, Language, Line, Panel, Row, Step, above, below
from dashboards.queries.expressions import Prom, Rate, Value
from dashboards.queries.promql import Scope, promql
from tests.dashboards.reading import Json, made, panels

LAG = Line(Value(M.chain_health_lag_blocks), "{{chain}} {{node}}")


def board(*shown: Panel, repeat: bool = False, collapsed: bool = False) -> Board:
    rows = (Row("First", shown, "chain" if repeat else "", collapsed), Row("Second", shown))
    return Board("chainwatch-test", "Test", "A test.", rows, languages=("promql", "influxql", "flux"))


def one(kind: Kind, *lines: Line, language: Language = "promql") -> Json:
    """Return a panel of a kind as Grafana gets it."""
    panel = Panel(kind, "Lag", "Blocks.", lines or (LAG,), "short", above(3), ((0, "none", GREEN),))
    there = ("chainwatch-ethereum", "chainwatch-nodeos", "chainwatch-node")
    return next(part for part in made(board(panel), language, there)["panels"] if part["type"] == kind)


def test_a_chart_names_its_series_and_draws_its_thresholds() -> None:
    chart = one("timeseries")
    assert chart["fieldConfig"]["defaults"]["unit"] == "short"
    assert chart["fieldConfig"]["defaults"]["custom"]["thresholdsStyle"] == {"mode": "dashed"}
    assert chart["fieldConfig"]["defaults"]["thresholds"] == {
        "mode": "absolute",
        "steps": [{"color": "green", "value": None}, {"color": "red", "value": 3}],
    }
    assert chart["options"]["legend"]["displayMode"] == "table"  # of 300 nodes it scrolls, and sorts
    (target,) = chart["targets"]
    assert target["legendFormat"] == "{{chain}} {{node}}"
    assert target["expr"] == (
        'max by (chain, node) (chain_health_lag_blocks{job=~"$job", chain=~"$chain", role=~"$role", node=~"$node"})'
    )


@pytest.mark.parametrize("kind", ["stat", "bargauge"])
def test_figures_are_the_last_value_not_a_mean(kind: Kind) -> None:
    panel = one(kind)
    assert panel["options"]["reduceOptions"] == {"calcs": ["lastNotNull"], "fields": "", "values": False}
    assert panel["fieldConfig"]["defaults"]["color"] == {"mode": "thresholds"}
    assert panel["fieldConfig"]["defaults"]["thresholds"]["steps"][1] == {"color": "red", "value": 3}


@pytest.mark.parametrize("kind", ["timeseries", "stat", "state-timeline", "bargauge"])
def test_values_that_have_words_are_shown_by_them(kind: Kind) -> None:
    (mapping,) = one(kind)["fieldConfig"]["defaults"]["mappings"]
    assert mapping == {"type": "value", "options": {"0": {"text": "none", "color": "green", "index": 0}}}


@pytest.mark.parametrize("language", ["promql", "influxql", "flux"])
def test_a_figure_may_be_coloured_otherwise_than_the_one_beside_it(language: Language) -> None:
    lines = tuple(Line(LAG.asks, color, steps=above(1, color)) for color in (RED, ORANGE))
    panel = Panel("stat", "Found", "Findings.", lines, "short")
    stat = made(board(panel), language)["panels"][1]
    assert stat["options"]["colorMode"] == "background"
    for letter, color in (("A", RED), ("B", ORANGE)):
        (given,) = [
            given["value"]["steps"]
            for override in stat["fieldConfig"]["overrides"]
            if override["matcher"] == {"id": "byFrameRefID", "options": letter}
            for given in override["properties"]
            if given["id"] == "thresholds"
        ]
        assert given == [{"color": GREEN, "value": None}, {"color": color, "value": 1}]


def test_a_tables_queries_are_its_columns() -> None:
    peers = Line(Value(M.chain_peers), "Peers", "none", below(1), ((0, "none", RED),))
    table = one("table", replace(LAG, legend="Lag"), peers)
    assert [target["format"] for target in table["targets"]] == ["table", "table"]
    assert table["transformations"] == [
        {"id": "filterFieldsByName", "options": {"exclude": {"names": ["Time"]}}},
        {"id": "merge", "options": {}},
        {
            "id": "organize",
            "options": {
                "indexByName": {"chain": 0, "node": 1, "Value #A": 2, "Value #B": 3},
                # Where one of the queries alone yields something, its column has no letter.
                "renameByName": {
                    "chain": "Chain",
                    "node": "Node",
                    "Value": "Lag",
                    "Value #A": "Lag",
                    "Value #B": "Peers",
                },
            },
        },
    ]
    (column,) = [part for part in table["fieldConfig"]["overrides"] if part["matcher"]["options"] == "Peers"]
    given = {part["id"]: part["value"] for part in column["properties"]}
    assert given["unit"] == "none"
    assert given["thresholds"]["steps"] == [{"color": "red", "value": None}, {"color": "green", "value": 1}]
    assert given["mappings"][0]["options"]["0"]["text"] == "none"


def test_a_table_of_one_query() -> None:
    """Prometheus' column has no letter then."""
    table = one("table", replace(LAG, legend="Lag"))
    (organized,) = [part["options"] for part in table["transformations"] if part["id"] == "organize"]
    assert organized["renameByName"] == {"chain": "Chain", "node": "Node", "Value": "Lag"}
    assert "merge" not in {part["id"] for part in table["transformations"]}


def test_columns_of_influxdb_bear_their_names_in_the_query() -> None:
    lines = (replace(LAG, legend="Lag"), Line(Value(M.chain_peers), "Peers"))
    queries = [target["query"] for target in one("table", *lines, language="influxql")["targets"]]
    assert [query.split(" FROM ")[0] for query in queries] == ['SELECT "value" AS "Lag"', 'SELECT "value" AS "Peers"']
    assert all(query.endswith(' GROUP BY "chain", "node"') for query in queries)
    queries = [target["query"] for target in one("table", *lines, language="flux")["targets"]]
    assert [query.splitlines()[-1].strip() for query in queries] == [
        '|> rename(columns: {_value: "Lag"})',
        '|> rename(columns: {_value: "Peers"})',
    ]


def test_series_of_influxdb_are_named_by_their_tags() -> None:
    assert one("timeseries", language="influxql")["targets"][0]["alias"] == "$tag_chain $tag_node"
    (override,) = one("timeseries", language="flux")["fieldConfig"]["overrides"]
    assert override == {
        "matcher": {"id": "byFrameRefID", "options": "A"},
        "properties": [{"id": "displayName", "value": "${__field.labels.chain} ${__field.labels.node}"}],
    }


def test_what_a_language_has_no_words_for_is_left_out() -> None:
    """A line, a panel of which no line is left, and a heading with nothing below it; the others close ranks."""
    only = Line(Prom("max by (chain) ({0})", (M.chain_network_nodes,)), "{{chain}}")
    whole, part, none = (
        Panel("timeseries", title, "Blocks.", lines, "short", width=12)
        for title, lines in (("Whole", (LAG,)), ("Part", (LAG, only)), ("None", (only,)))
    )
    mixed = replace(board(none, whole, part), rows=(Row("Mixed", (none, whole, part)), Row("Empty", (none,))))
    cases: tuple[tuple[Language, list[str], list[int]], ...] = (
        ("promql", ["Mixed", "None", "Whole", "Part", "Empty", "None"], [1, 1, 2, 1]),
        ("influxql", ["Mixed", "Whole", "Part"], [1, 1]),
        ("flux", ["Mixed", "Whole", "Part"], [1, 1]),
    )
    for language, titles, lines in cases:
        shown = made(mixed, language)["panels"]
        assert [panel["title"] for panel in shown] == titles
        assert [len(panel["targets"]) for panel in shown if panel["type"] != "row"] == lines
    assert [panel["gridPos"]["x"] for panel in shown[1:]] == [0, 12]


def test_each_series_of_flux_is_a_table_of_its_own_where_figures_are_shown() -> None:
    """Else Grafana would show the last row of one table, whichever node that is."""
    query = one("stat", language="flux")["targets"][0]["query"]
    assert query.splitlines()[-1].strip() == '|> group(columns: ["chain", "node"])'


def test_a_series_leads_to_the_board_of_its_node_and_a_row_to_that_of_its_chain() -> None:
    (link,) = one("timeseries")["fieldConfig"]["defaults"]["links"]
    assert link["url"] == (
        "/d/chainwatch-node?${datasource:queryparam}&${job:queryparam}&${__url_time_range}"
        "&var-chain=${__field.labels.chain:percentencode}&var-node=${__field.labels.node:percentencode}"
    )
    overrides = one("table", replace(LAG, legend="Lag"))["fieldConfig"]["overrides"]
    (chain,) = [part for part in overrides if part["matcher"]["options"] == "Chain"]
    (links,) = [part["value"] for part in chain["properties"] if part["id"] == "links"]
    assert [link["url"].split("?")[0] for link in links] == ["/d/chainwatch-ethereum", "/d/chainwatch-nodeos"]
    assert all(link["url"].endswith("&var-chain=${__data.fields.Chain:percentencode}") for link in links)


def test_nothing_leads_to_boards_that_are_not_there() -> None:
    """A network of one kind is not given the board of the other."""
    panel = Panel("timeseries", "Head", "Blocks.", (Line(LAG.asks, "{{chain}}"),), "short")
    chart = made(board(panel), "promql", ("chainwatch-ethereum",))["panels"][1]
    assert [link["title"] for link in chart["fieldConfig"]["defaults"]["links"]] == ["This chain, of Ethereum"]


def test_a_row_is_repeated_for_each_chain() -> None:
    shown = Panel("stat", "Lag", "Blocks.", (LAG,), "short")
    rows = [part for part in made(board(shown, repeat=True), "promql")["panels"] if part["type"] == "row"]
    assert [row.get("repeat") for row in rows] == ["chain", None]


def test_what_is_folded_away_is_inside_its_row_and_takes_no_room() -> None:
    shown = Panel("stat", "Lag", "Blocks.", (LAG,), "short")
    first, second, panel = made(board(shown, collapsed=True), "promql")["panels"]
    assert [part["type"] for part in (first, second, panel)] == ["row", "row", "stat"]
    assert [part["gridPos"]["y"] for part in (first, second, panel)] == [0, 1, 2]
    assert [part["title"] for part in first["panels"]] == ["Lag"]
    assert [first["id"], first["panels"][0]["id"], second["id"], panel["id"]] == [1, 2, 3, 4]


def test_selectors_bear_the_matchers_of_labels_that_their_metrics_have() -> None:
    scope = Scope({"job": '=~"$job"', "chain": '=~"$chain"', "node": '=~"$node"'}, "5m")
    heads = Value(M.chain_network_head_block_number, ("chain",))
    assert promql(heads, scope) == 'max by (chain) (chain_network_head_block_number{job=~"$job", chain=~"$chain"})'
    dropped = Rate(M.chainwatch_readings_dropped_total, ())
    assert promql(dropped, scope) == 'sum (rate(chainwatch_readings_dropped_total{job=~"$job"}[5m]))'


def test_what_a_panel_calls_too_much_is_what_alerts_call_so() -> None:
    limits, pipeline = Thresholds(), PipelineThresholds()
    wanted = {
        ("chainwatch-node", "timeseries", "Lag"): limits.behind_blocks,
        ("chainwatch-node", "timeseries", "Failed gathers"): limits.flaky_share,
        ("chainwatch-node", "timeseries", "State database"): limits.state_database_share,
        ("chainwatch-node", "timeseries", "Restarts"): limits.restarts,
        ("chainwatch-pipeline", "timeseries", "Buffers"): pipeline.buffer_share,
        ("chainwatch-pipeline", "timeseries", "Since a gather last succeeded"): pipeline.stale_seconds,
        ("chainwatch-pipeline", "timeseries", "Missed gathers"): pipeline.missed_share,
    }
    shown = {
        (uid, panel["type"], panel["title"]): panel["fieldConfig"]["defaults"]["thresholds"]["steps"][-1]["value"]
        for uid in ("chainwatch-node", "chainwatch-pipeline")
        for panel in panels(uid)
    }
    assert {panel: shown[panel] for panel in wanted} == wanted


def test_steps_above_and_below_a_limit() -> None:
    assert above(3, ORANGE) == (Step(GREEN), Step(ORANGE, 3))
    assert below(1) == (Step(RED), Step(GREEN, 1))


def test_nothing_else_than_grafanalibs_objects_is_mended() -> None:
    with pytest.raises(AttributeError):
        mended(object(), "prometheus")
