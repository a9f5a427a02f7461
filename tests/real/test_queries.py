"""Queries of the boards against real InfluxDBs, 1.6 or so and 1.8 with Flux: the same expression, the same figures."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from functools import cache
from typing import TYPE_CHECKING

import pytest

from collector.catalogue import M
from collector.paths import field_name, offered
from collector.sources.ethereum.metrics import flat_names
from dashboards.drawing.asking import Database, Flux, InfluxQl
from dashboards.drawing.frames import Series, Table
from dashboards.drawing.variables import Chosen, Span
from dashboards.queries.expressions import Age, Expression, Fold, Increase, Rate, Ratio, Standing, Value
from dashboards.queries.flux import flux
from dashboards.queries.influx import Scope
from dashboards.queries.influxql import influxql
from dashboards.raw import GETH, GETH_13
from tests.real.databases import FLUX, influxdb
from tests.real.servers import fetch

if TYPE_CHECKING:
    from tests.real.geth import Network

pytestmark = pytest.mark.real

EVERY, WINDOW = 10, 60
"""Seconds between two readings, and between two points of a line."""

READINGS, RESTARTED = 60, 45
"""How many readings there are, and the first after a restart, which puts counters back to 0."""


@cache
def began() -> int:
    """Return when the first reading is from, in seconds since the epoch: the last is of now, when it is first asked."""
    return int(time.time()) // WINDOW * WINDOW - READINGS * EVERY


def span() -> Span:
    """Return what is looked at: the last reading is 5 s old at its end."""
    return Span(began(), began() + READINGS * EVERY - 5, WINDOW, EVERY)


ODD = """it's "odd" a\\b ${x}, =/"""
"""A label with all marks that quoting is about."""

CHAIN, MAKER = ("chain",), ("chain", "maker")

Found = Mapping[tuple[str, ...], list[float]]
"""Values of each series, by the values of its labels."""


def lines() -> Iterator[str]:
    """Yield line protocol: a chain of three nodes, one of them without a role, and another chain of the same nodes."""
    for i in range(READINGS):
        moment = began() + i * EVERY
        for place, node in enumerate(("n1", "n2", "n3"), start=1):
            role = "" if node == "n3" else ",role=sealer"
            # The user has given n1 a label of his own, and later another: it is one node all the same.
            site = f",site={'a' if i < READINGS // 2 else 'b'}" if node == "n1" else ""
            size = 0 if node == "n3" else 1000
            fields = f"peers={place},head_block_timestamp_seconds={moment - 3}"
            state = f"state_database_used_bytes={i},state_database_size_bytes={size}"
            for chain in ("lab", "other.eu"):
                yield f"chain,chain={chain},node={node}{role}{site} {fields},{state} {moment}"
        for chain, pace in (("lab", 5), ("other.eu", 1)):
            made = pace * (i if i < RESTARTED else i - RESTARTED)
            yield f"chain_maker,chain={chain},maker=m1 blocks_total={made},empty_blocks_total={made / 5} {moment}"
    odd = ODD.replace(",", "\\,").replace("=", "\\=").replace(" ", "\\ ")
    yield f"chain_health,chain=lab,signal={odd},severity=warning finding=1 {moment}"
    for signal, subject, now in (("down", ",subject=n1", 1), ("halted", "", 1), ("behind", ",subject=n2", 0)):
        tags = f"chain=lab,signal={signal}{subject},severity=critical"
        yield f"chain_health,{tags} finding=1,finding_value=7 {moment - EVERY}"
        yield f"chain_health,{tags} finding={now}{',finding_value=0' if now else ''} {moment}"


@pytest.fixture(scope="module")
def databases(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, Database]]:
    """Run both servers with the same readings; where there is but the older one, there is no Flux."""
    written = "\n".join(lines()).encode()
    with ExitStack() as stack:
        found: dict[str, Database] = {}
        for binary in ("influxd", FLUX):
            server = stack.enter_context(influxdb(tmp_path_factory.mktemp(binary), binary=binary))
            assert server.query("CREATE DATABASE t").status == 200
            assert fetch(f"{server.url}/write?db=t&precision=s", written).status == 204
            found[f"{binary} influxql"] = InfluxQl(server.url, "t")
            if binary == FLUX:
                found["flux"] = Flux(server.url, "t")
        yield found


each = pytest.mark.parametrize("name", ["influxd influxql", f"{FLUX} influxql", "flux"])


def ask(databases: Mapping[str, Database], name: str, expression: Expression, scope: Scope) -> Found:
    """Return what an expression yields of the chain `lab`, or what else the scope says."""
    say = flux if name == "flux" else influxql
    scope = Scope(
        {"chain": "=~ /^${chain:regex}$/", "role": "=~ /^${role:regex}$/", **scope.matchers},
        scope.shape,
        scope.since,
        scope.until,
        scope.window,
    )
    target = {"query": say(expression, scope), "resultFormat": "time_series"}
    variables = {"chain": Chosen(["lab"]), "role": Chosen([], ".*")}
    kept = (expression.over if isinstance(expression, Ratio) else expression).by  # type: ignore[union-attr]
    found: dict[tuple[str, ...], list[float]] = {}
    for frame in databases[name].ask(target, span(), variables):
        if isinstance(frame, Series):
            key = tuple(frame.labels[label] for label in kept)
            found[key] = [value for _, value in frame.points if value is not None]
        elif isinstance(frame, Table):
            columns = dict(zip(frame.names, zip(*frame.rows, strict=True), strict=True))
            for row, value in enumerate(columns["_value"]):
                found[tuple(str(columns[label][row]) for label in kept)] = [float(value or 0)]
    return found


LINES = Scope()
PRESENT = Scope(shape="values", until="panel")
NOW = Scope(shape="values", since="15m")

NODES = ("n1", "n2", "n3")


@each
@pytest.mark.parametrize("scope", [LINES, PRESENT, NOW], ids=["lines", "present", "now"])
def test_the_last_value_of_each_node(databases: Mapping[str, Database], name: str, scope: Scope) -> None:
    found = ask(databases, name, Value(M.chain_peers), scope)
    points = 10 if scope is LINES else 1
    assert found == {("lab", node): [place] * points for place, node in enumerate(NODES, start=1)}


@each
@pytest.mark.parametrize("scope", [LINES, PRESENT], ids=["lines", "present"])
@pytest.mark.parametrize(("fold", "folded"), [("sum", 6), ("max", 3), ("min", 1), ("avg", 2)])
def test_nodes_are_folded(
    databases: Mapping[str, Database], name: str, scope: Scope, fold: Fold, folded: float
) -> None:
    """Each once, also the one whose labels were changed in the middle."""
    found = ask(databases, name, Value(M.chain_peers, CHAIN, fold), scope)
    assert found == {("lab",): [folded] * (10 if scope is LINES else 1)}


@each
def test_what_is_older_than_is_asked_for_is_over(databases: Mapping[str, Database], name: str) -> None:
    """The first labels of n1 were given up five minutes before the end: who asks for longer finds it twice."""
    for since, peers in (("5m", 6), ("6m", 7)):
        scope = Scope(shape="values", since=since, until="panel")
        assert ask(databases, name, Value(M.chain_peers, CHAIN, "sum"), scope) == {("lab",): [peers]}


@each
def test_a_node_without_a_role_is_among_all_roles(databases: Mapping[str, Database], name: str) -> None:
    found = ask(databases, name, Value(M.chain_peers), Scope({"role": "=~ /^sealer$/"}))
    assert set(found) == {("lab", "n1"), ("lab", "n2")}


@each
def test_labels_are_kept_that_are_asked_for_and_nothing_is_yielded_for_nobody(
    databases: Mapping[str, Database], name: str
) -> None:
    everywhere = Scope({"chain": "=~ /^.+$/"})
    assert set(ask(databases, name, Value(M.chain_peers, CHAIN), everywhere)) == {("lab",), ("other.eu",)}
    assert ask(databases, name, Value(M.chain_peers, ()), everywhere) == {(): [3] * 10}
    assert ask(databases, name, Value(M.chain_peers), Scope({"chain": "=~ /^(other|eu)$/"})) == {}


@each
def test_a_rate_leaves_restarts_out(databases: Mapping[str, Database], name: str) -> None:
    (line,) = ask(databases, name, Rate(M.chain_maker_blocks_total, MAKER), LINES).values()
    assert line[:6] == pytest.approx([0.5] * 6)  # begins with the second window
    assert all(0 <= value <= 0.5 for value in line)
    ((value,),) = ask(databases, name, Rate(M.chain_maker_blocks_total, MAKER), PRESENT).values()
    assert value == pytest.approx(0.5)


@each
def test_an_increase_is_that_of_its_own_time(databases: Mapping[str, Database], name: str) -> None:
    """Of 30 readings in the last five minutes 29 differ from the one before, and one is a restart's."""
    increase = Increase(M.chain_maker_blocks_total, MAKER, seconds=300)
    assert ask(databases, name, increase, PRESENT) == {("lab", "m1"): [28 * 5]}
    (line,) = ask(databases, name, increase, LINES).values()
    assert sum(line) == 58 * 5


@each
def test_an_age_is_that_at_the_end(databases: Mapping[str, Database], name: str) -> None:
    """The last block was 3 s old when it was read, and that was 5 s before the end."""
    found = ask(databases, name, Age(M.chain_head_block_timestamp_seconds, CHAIN), PRESENT)
    assert found["lab",] == pytest.approx([8])
    (line,) = ask(databases, name, Age(M.chain_head_block_timestamp_seconds, CHAIN), LINES).values()
    if name == "flux":
        assert line == pytest.approx([3] * 10)
    else:
        assert line[-1] == pytest.approx(8)


@each
@pytest.mark.parametrize("scope", [LINES, PRESENT, NOW], ids=["lines", "present", "now"])
def test_a_ratio_leaves_out_what_would_be_divided_by_zero(
    databases: Mapping[str, Database], name: str, scope: Scope
) -> None:
    used = Ratio(Value(M.chain_state_database_used_bytes), Value(M.chain_state_database_size_bytes))
    found = ask(databases, name, used, scope)
    assert {key: values[-1] for key, values in found.items()} == pytest.approx(
        {("lab", "n1"): 0.059, ("lab", "n2"): 0.059}
    )


@each
@pytest.mark.parametrize("scope", [LINES, PRESENT], ids=["lines", "present"])
def test_a_ratio_of_rates_and_of_increases(databases: Mapping[str, Database], name: str, scope: Scope) -> None:
    for form in (Rate, Increase):
        ratio = Ratio(form(M.chain_maker_empty_blocks_total, MAKER), form(M.chain_maker_blocks_total, MAKER))
        (values,) = ask(databases, name, ratio, scope).values()
        assert values[-1] == pytest.approx(0.2)


@each
def test_a_ratio_without_labels(databases: Mapping[str, Database], name: str) -> None:
    used = Ratio(Value(M.chain_state_database_used_bytes, ()), Value(M.chain_state_database_size_bytes, ()))
    assert ask(databases, name, used, PRESENT)[()] == pytest.approx([0.059])


@each
def test_a_label_may_hold_any_mark(databases: Mapping[str, Database], name: str) -> None:
    finding = Value(M.chain_health_finding, ("signal",), where={"signal": ODD})
    # In a panel Grafana would take some of it for a variable: here that is one that stands for itself.
    say, itself = flux if name == "flux" else influxql, {"x": Chosen([], "${x}")}
    assert databases[name].ask({"query": say(finding, NOW), "resultFormat": "time_series"}, span(), itself)


@each
@pytest.mark.parametrize("scope", [LINES, PRESENT, NOW], ids=["lines", "present", "now"])
def test_what_is_over_stands_no_more(databases: Mapping[str, Database], name: str, scope: Scope) -> None:
    """Neither does the value that it had, while one of 0 stands. What is said of a chain as a whole has no subject."""
    critical = {"severity": "critical"}
    finding = Standing(M.chain_health_finding, ("chain", "signal"), where=critical)
    present = {("lab", "down"): 1, ("lab", "halted"): 1}
    assert {key: values[-1] for key, values in ask(databases, name, finding, scope).items()} == present
    by = ("chain", "signal", "severity")
    value = Ratio(Value(M.chain_health_finding_value, by), Value(M.chain_health_finding, by))
    found = ask(databases, name, value, scope)
    assert {key: values[-1] for key, values in found.items() if key[2] == "critical" and values} == {
        ("lab", "down", "critical"): 0,
        ("lab", "halted", "critical"): 0,
    }


@each
def test_windows_are_as_long_as_they_are_asked_to_be(databases: Mapping[str, Database], name: str) -> None:
    windows = {moment // 300 for moment in range(began(), began() + READINGS * EVERY)}  # those of the clock
    assert ask(databases, name, Value(M.chain_peers, CHAIN), Scope(window="5m")) == {("lab",): [3] * len(windows)}


def test_a_real_geth_of_1_13_has_the_metrics_that_boards_show_of_it(network: Network) -> None:
    document = network.nodes[0].metrics()
    there = {f"geth_{field_name(path)}" for path in offered(document, flat_names(document))}
    assert {metric.name for metric in GETH if GETH_13 in metric.versions} - there == set()
