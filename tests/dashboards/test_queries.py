"""Expressions in InfluxQL and Flux: what they say and refuse; what they yield is tests/real/test_queries.py's."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.catalogue import M
from dashboards.queries.expressions import Age, Expression, Increase, Prom, Rate, Ratio, Standing, Value
from dashboards.queries.flux import flux
from dashboards.queries.influx import Scope, UnsayableError
from dashboards.queries.influxql import influxql

Language = Callable[[Expression, Scope], str]

both = pytest.mark.parametrize("say", [influxql, flux], ids=["influxql", "flux"])

EVERYWHERE = Scope({"chain": "=~ /^${chain:regex}$/", "node": "=~ /^${node:regex}$/"})
"""What a board of all variables narrows its queries by."""

USED = Ratio(Value(M.chain_state_database_used_bytes), Value(M.chain_state_database_size_bytes))


def test_a_value_in_influxql() -> None:
    assert influxql(Value(M.chain_health_lag_blocks), EVERYWHERE) == (
        'SELECT max("value") AS "value" FROM (SELECT last("lag_blocks") AS "value" FROM "chain_health" '
        'WHERE "chain" =~ /^${chain:regex}$/ AND "node" =~ /^${node:regex}$/ GROUP BY time($__interval), * fill(none)) '
        'WHERE $timeFilter GROUP BY time($__interval), "chain", "node" fill(none)'
    )


def test_a_value_in_flux() -> None:
    assert (
        flux(Value(M.chain_health_lag_blocks), EVERYWHERE)
        == """\
import "date"

from(bucket: v.defaultBucket)
  |> range(start: date.truncate(t: v.timeRangeStart, unit: v.windowPeriod), stop: v.timeRangeStop)
  |> filter(fn: (r) => r["_measurement"] == "chain_health" and r["_field"] == "lag_blocks" \
and r["chain"] =~ /^${chain:regex}$/ and r["node"] =~ /^${node:regex}$/)
  |> aggregateWindow(every: v.windowPeriod, fn: last, createEmpty: false, timeSrc: "_start")
  |> group(columns: ["chain", "node"])
  |> aggregateWindow(every: v.windowPeriod, fn: max, createEmpty: false, timeSrc: "_start")
  |> keep(columns: ["_time", "_value", "chain", "node"])"""
    )


@both
def test_a_metric_is_narrowed_by_the_labels_that_it_has_alone(say: Language) -> None:
    """A chain as a whole has no node: a matcher of it would leave nothing."""
    asked = say(Value(M.chain_network_nodes, ("chain",)), EVERYWHERE)
    assert "${chain:regex}" in asked
    assert "${node:regex}" not in asked


@both
def test_windows_are_as_long_as_they_are_asked_to_be(say: Language) -> None:
    asked = say(Value(M.chain_peers), Scope(window="1m"))
    assert "1m" in asked
    assert "$__interval" not in asked
    assert "v.windowPeriod" not in asked


@both
def test_values_of_now_need_no_panel(say: Language) -> None:
    """As alerts want them, who have no variables of a dashboard's."""
    asked = say(Rate(M.chainwatch_gathers_total), Scope(shape="values", since="10m"))
    assert "10m" in asked
    assert not re.search(r"\$|v\.timeRange|v\.windowPeriod", asked)


@both
def test_values_of_a_panel_end_where_its_range_does(say: Language) -> None:
    asked = say(Value(M.chain_peers), Scope(shape="values", until="panel"))
    assert ("time <= ${__to}ms" if say is influxql else "stop: v.timeRangeStop") in asked


@both
def test_an_increase_has_the_range_that_it_is_of(say: Language) -> None:
    asked = say(Increase(M.ethstats_restarts_total, seconds=3600.0), Scope(shape="values", since="5m"))
    assert "1h" in asked
    assert "5m" not in asked


@both
def test_what_is_promqls_own_is_refused(say: Language) -> None:
    with pytest.raises(UnsayableError, match="only PromQL can say"):
        say(Prom("count({0})", (M.chain_peers,)), Scope())


@both
@pytest.mark.parametrize(
    "ratio",
    [
        pytest.param(Ratio(Value(M.chain_peers), Value(M.chain_health_strangers)), id="measurements"),
        pytest.param(Ratio(Value(M.chain_peers), Value(M.chain_peers_inbound, ("chain",))), id="labels"),
        pytest.param(Ratio(Value(M.chain_peers), Value(M.chain_peers_inbound, fold="min")), id="folds"),
        pytest.param(Ratio(Value(M.chain_peers), Rate(M.chain_peers_inbound)), id="forms"),
        pytest.param(Ratio(Value(M.chain_peers), Value(M.chain_peers_inbound, where={"role": "boot"})), id="where"),
        pytest.param(
            Ratio(Increase(M.ethstats_arrivals_total), Increase(M.ethstats_restarts_total, seconds=60.0)), id="seconds"
        ),
        pytest.param(
            Ratio(Age(M.chain_head_block_timestamp_seconds), Age(M.chain_finalized_block_timestamp_seconds)), id="ages"
        ),
    ],
)
def test_a_ratio_of_what_differs_in_more_than_the_field_is_refused(say: Language, ratio: Ratio) -> None:
    with pytest.raises(UnsayableError, match="only what is asked for alike"):
        say(ratio, Scope())


def test_influxql_knows_no_age_beyond_a_panel() -> None:
    with pytest.raises(UnsayableError, match="no now"):
        influxql(Age(M.chain_head_block_timestamp_seconds), Scope(shape="values"))
    assert "${__to} / 1000 -" in influxql(
        Age(M.chain_head_block_timestamp_seconds), Scope(shape="values", until="panel")
    )


@both
@pytest.mark.parametrize(
    ("expression", "scope"),
    [
        (Value(M.chain_peers, ()), Scope()),
        (Value(M.chain_peers, ()), Scope(shape="values")),
        (Standing(M.chain_peers, ()), Scope()),
        (Standing(M.chain_peers, ()), Scope(shape="values")),
        (USED, Scope()),
        (USED, Scope(shape="values")),
    ],
)
def test_no_query_ends_in_nothing(say: Language, expression: Expression, scope: Scope) -> None:
    """Without labels that are kept there is no grouping by them, neither an empty one nor a comma too many."""
    asked = say(expression, scope)
    assert not re.search(r"GROUP BY\s*($|\)|fill|WHERE)|, ,|,\s*\)|\(\s*,", asked), asked


TEXTS = st.text(st.characters(exclude_categories=("Cs", "Cc")))


@given(TEXTS)
def test_a_text_never_leaves_its_quotes_in_influxql(text: str) -> None:
    asked = influxql(Value(M.chain_health_finding, where={"signal": text}), Scope())
    (quoted,) = re.findall(r"\"signal\" = ('(?:[^'\\]|\\.)*') GROUP BY time", asked)
    assert re.sub(r"\\(.)", r"\1", quoted[1:-1]) == text


@given(TEXTS)
def test_a_text_never_leaves_its_quotes_in_flux(text: str) -> None:
    asked = flux(Value(M.chain_health_finding, where={"signal": text}), Scope())
    (quoted,) = re.findall(r"r\[\"signal\"\] == (\"(?:[^\"\\]|\\.)*\")\)\n", asked)
    assert "${" not in quoted.replace("\\${", "")
    assert re.sub(r"\\(.)", r"\1", quoted[1:-1]) == text
