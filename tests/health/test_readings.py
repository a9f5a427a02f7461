"""An assessment as readings: what is known is there under catalogued names, what is unknown is not."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from collector.catalogue import (
    CATALOGUE,
    HEALTH_CHAIN,
    HEALTH_FINDING,
    HEALTH_MAKER,
    HEALTH_NETWORK,
    HEALTH_NODE,
    HEALTH_SEVERITY,
    HEALTH_VERSION,
    Metric,
)
from collector.health.assessment import (
    Assessment,
    Branch,
    Finality,
    Finding,
    MakerHealth,
    Making,
    NodeHealth,
    PeerGraph,
    Severity,
    State,
    Traffic,
)
from collector.health.readings import HealthReadings
from collector.readings import Kind, Reading
from exporters.exposition import Layout

HEALTH = (
    *HEALTH_CHAIN,
    *HEALTH_NETWORK,
    *HEALTH_VERSION,
    *HEALTH_NODE,
    *HEALTH_MAKER,
    *HEALTH_SEVERITY,
    *HEALTH_FINDING,
)

NOTHING = Assessment(chain="lab", kind="ethereum", at=100.0, interval=10.0, sentence="")

NODE = NodeHealth(
    node="n1",
    role="sealer",
    address="http://n1:8545",
    state=State.UP,
    foreign=False,
    branch=0,
    head_age=3.0,
    lag_blocks=0,
    lag_seconds=0.0,
    strangers=0,
    latency=0.01,
    latency_p95=0.02,
    failed_share=0.25,
    delay_p50=0.1,
    delay_p95=0.2,
    clock_skew=-1.5,
    reorganisations=2,
    deepest_reorganisation=7,
)

MAKER = MakerHealth(
    name="0xab",
    scheduled=True,
    active=True,
    current=True,
    last_block=12,
    recent_blocks=6,
    empty_share=0.5,
    in_turn_share=1.0,
    next_turn=200.0,
    blocks=12,
    empty_blocks=6,
    in_turn_blocks=11,
    missed_blocks=3,
    missed_rounds=2,
    missed_rounds_in_a_row=1,
    doubles=4,
)

FORK = Finding("fork", Severity.CRITICAL, "", "The chain has parted.", 90.0, 2)
DOWN = Finding("node_down", Severity.WARNING, "n2", "n2 has not answered.", 90.0)


def full(kind: str) -> Assessment:
    """Return an assessment in which all is known that can be of this kind of chain."""
    return replace(
        NOTHING,
        genesis="0xaa",
        chain_id="1337",
        network_id="7",
        period=3.0,
        head_number=12,
        head_time=97.0,
        head_age=3.0,
        halted=False,
        nodes=[NODE, NodeHealth("n2", "", "", State.DOWN), replace(NODE, node="n3", foreign=True)],
        branches=[Branch(["n1"], 12, "0x1", 97.0), Branch(["n3"], 12, "0x2", 97.0, 5, 7)],
        making=Making(kind, [MAKER], 64, 3, 2, 2, 0, 0.9),
        finality=Finality(1, 11, "dpos", 5, 24),
        traffic=Traffic(64, 192.0, 3.0, 3.5, 10.0, 40.0, 0.1, 0.2, 0.003, 128.0),
        peers=PeerGraph([], [["n1"], ["n3"]], complete=True),
        versions={"Geth 1.13.15": 2, "Geth 1.8.27": 1},
        clock_skew=0.0,
        delay_p50=0.1,
        delay_p95=0.2,
        pool=5,
        findings=[FORK, DOWN],
    )


def series(readings: list[Reading]) -> dict[str, float]:
    """Return readings as they come to be on a page."""
    page = Layout([reading.shape for reading in readings]).render(readings, openmetrics=False)
    lines = [line.rpartition(" ") for line in page.decode().splitlines() if not line.startswith("#")]
    return {name: float(value) for name, _, value in lines}


def test_all_that_is_known_is_there() -> None:
    found = series(HealthReadings("lab").readings(full("clique")))
    node = '{chain="lab",node="n1",role="sealer"}'
    maker = '{chain="lab",maker="0xab"}'
    for name, value in {
        'chain_network_nodes{chain="lab"}': 3,
        'chain_network_nodes_up{chain="lab"}': 1,
        'chain_network_halted{chain="lab"}': 0,
        'chain_network_branches{chain="lab"}': 2,
        'chain_network_fork_depth_blocks{chain="lab"}': 7,
        'chain_network_finality_lag_blocks{chain="lab"}': 11,
        'chain_network_finality_lag_expected_blocks{chain="lab"}': 24,
        'chain_network_quorum_margin{chain="lab"}': 0,
        'chain_network_peer_parts{chain="lab"}': 2,
        'chain_network_versions{chain="lab"}': 2,
        'chain_network_version_nodes{chain="lab",version="Geth 1.8.27"}': 1,
        'chain_network_info{chain="lab",chain_id="1337",genesis="0xaa",network_id="7"}': 1,
        f"chain_health_lag_blocks{node}": 0,
        f"chain_health_forked{node}": 0,
        f"chain_health_clock_skew_seconds{node}": -1.5,
        f"chain_health_failed_gathers_ratio{node}": 0.25,
        f"chain_health_reorganisations_total{node}": 2,
        'chain_health_foreign{chain="lab",node="n3",role="sealer"}': 1,
        f"chain_maker_active{maker}": 1,
        f"chain_maker_missed_blocks_total{maker}": 3,
        'chain_health_findings{chain="lab",severity="critical"}': 1,
        'chain_health_findings{chain="lab",severity="info"}': 0,
        'chain_health_finding{chain="lab",severity="critical",signal="fork"}': 1,
        'chain_health_finding_value{chain="lab",severity="critical",signal="fork"}': 2.0,
        'chain_health_finding{chain="lab",severity="warning",signal="node_down",subject="n2"}': 1,
    }.items():
        assert found[name] == value, name


def test_every_metric_is_of_one_kind_of_chain_at_least() -> None:
    names = {
        name.partition("{")[0]
        for kind in ("clique", "dpos")
        for name in series(HealthReadings("lab").readings(full(kind)))
    }
    assert names == {metric.name for metric in HEALTH}


def test_what_a_finding_compares_is_told_in_one_type_while_it_stands() -> None:
    """An InfluxDB that has seen an integer takes no other figure: some signals compare blocks, others seconds."""
    made = HealthReadings("lab")
    told = []
    for findings in ([FORK], [replace(FORK, value=2.5)], [replace(FORK, value=None)], []):
        readings = made.readings(replace(NOTHING, findings=findings))
        told += [reading.as_dict().get("finding_value") for reading in readings if "finding" in reading.as_dict()]
    assert told == [2.0, 2.5, None, None]
    assert [type(value) for value in told[:2]] == [float, float]


def test_what_a_kind_of_chain_does_not_have_is_not_there() -> None:
    clique = " ".join(series(HealthReadings("lab").readings(full("clique"))))
    dpos = " ".join(series(HealthReadings("lab").readings(full("dpos"))))
    assert "chain_maker_in_turn" in clique
    assert "chain_maker_in_turn" not in dpos
    for name in ("missed_rounds_total", "double_productions_total", "next_turn_timestamp_seconds"):
        assert name in dpos
        assert name not in clique


def test_what_is_unknown_is_not_there() -> None:
    unknown = replace(NOTHING, nodes=[NodeHealth("n1", "", "", State.UNKNOWN)])
    readings = HealthReadings("lab").readings(unknown)
    assert len({reading.shape.key for reading in readings}) == len(readings)
    assert series(readings) == {
        'chain_network_nodes{chain="lab"}': 1,
        'chain_network_nodes_up{chain="lab"}': 0,
        **{f'chain_health_findings{{chain="lab",severity="{severity.value}"}}': 0 for severity in Severity},
    }


def test_nothing_is_said_of_one_branch_where_connections_are_not_all_told() -> None:
    graph = PeerGraph([], [["n1"], ["n2"]], complete=False)
    found = series(HealthReadings("lab").readings(replace(full("clique"), peers=graph)))
    assert not any("peer_parts" in name for name in found)


def test_a_finding_is_1_then_0_and_then_gone() -> None:
    made = HealthReadings("lab")
    name = 'chain_health_finding{chain="lab",severity="critical",signal="fork"}'
    found = [
        series(made.readings(replace(NOTHING, findings=findings))).get(name)
        for findings in ([], [FORK], [FORK, DOWN], [DOWN], [DOWN], [FORK])
    ]
    assert found == [None, 1, 1, 0, None, 1]


def test_shapes_are_kept_while_they_are_told() -> None:
    made = HealthReadings("lab")
    first, again = made.readings(full("clique")), made.readings(full("clique"))
    assert [reading.shape for reading in first] == [reading.shape for reading in again]
    assert len({reading.shape.key for reading in first}) == len(first)
    made.readings(NOTHING)
    made.readings(NOTHING)
    assert len(made._shapes._before) < 10


def test_nodes_have_the_labels_of_their_servers() -> None:
    made = HealthReadings("lab")
    made.follow({"n1": {"site": "north", "group": "a", "values": "b"}})
    labels = 'chain="lab",group="a",node="n1",role="sealer",site="north",values="b"'
    assert series(made.readings(replace(NOTHING, nodes=[NODE])))[f"chain_health_head_age_seconds{{{labels}}}"] == 3.0


@pytest.mark.parametrize("odd", [float("nan"), float("inf"), -float("inf"), 1e300, 10**400, -(10**30)])
def test_what_no_reading_can_hold_is_left_out(odd: Any) -> None:  # noqa: ANN401 - ints and floats
    readings = HealthReadings("lab").readings(replace(NOTHING, head_number=odd, head_age=odd, head_time=1.0))
    found = series(readings)
    assert 'chain_network_head_block_timestamp_seconds{chain="lab"}' in found
    assert not any(name.startswith(("chain_network_head_age", "chain_network_head_block_number")) for name in found)
    assert all(type(value) in (int, float) for reading in readings for value in reading.values)


def test_no_metric_takes_the_place_of_another() -> None:
    def place(metric: Metric) -> tuple[str, frozenset[str]]:
        return metric.measurement, frozenset(metric.labels)

    others = {place(metric) for metric in CATALOGUE} - {place(metric) for metric in HEALTH}
    assert not {place(metric) for metric in HEALTH} & others
    assert all(metric.kind in (Kind.GAUGE, Kind.COUNTER, Kind.INFO) for metric in HEALTH)
