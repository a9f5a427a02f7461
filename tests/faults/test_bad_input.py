"""Every way in which a node can go wrong, all at once, beside nodes that are well.

For each: one clear line in the log, counted by kind, and the nodes that are well gathered at every tick.
"""

from __future__ import annotations

import tracemalloc

import pytest

from collector.client import LONGEST_ANSWER
from compose.simulated import GethOptions, NodeosOptions, SimulatedCluster
from tests.faults.watching import INTERVAL, Seen, target_of, watch
from tests.helpers import run

SECONDS = 6 * INTERVAL
NEWER = "1.10.26"

DOWN = {
    # fault: the kind it is counted as, and words of its line
    "down": ("refused", "connection refused"),
    "hang": ("timeout", "no whole answer within 1.8 s: waiting for the answer of"),
    "slow": ("timeout", "no whole answer within 1.8 s: reading the answer of"),
    "half": ("cut_off", "the connection ended before the answer did"),
    "huge": ("too_large", f"the answer goes on beyond {LONGEST_ANSWER:,} bytes"),
    "html": ("not_json", "the answer is not JSON"),
    "garbage": ("not_json", "the answer is not JSON"),
    "unauthorized": ("unauthorized", "HTTP 401"),
    "too_many": ("busy", "HTTP 429"),
    "error_500": ("http", "HTTP 500"),
}
"""Faults that leave nothing to gather, on any kind of node."""

GETH_DOWN = {"forbidden_host": ("bad_host", "HTTP 403: invalid host specified; geth takes only names it was told of")}

NODEOS_DOWN = {
    "bad_host": ("bad_host", "HTTP 400: Disallowed HTTP HOST header in the request; start nodeos with"),
    "busy": ("busy", "HTTP 503: Busy: Too many requests in flight"),
    "deep": ("not_json", "the answer is not JSON"),
    "wrong_types": ("bad_answer", "an answer of another form"),
    "number_for_tree": ("bad_answer", "an answer of another form"),
    "nan": ("bad_answer", "an answer of another form"),
}

GETH_IN_PART = {
    "wrong_types": ("bad_answer", "an answer of another form"),
    "number_for_tree": ("bad_answer", "an answer of another form"),
}
"""Faults that cost some metrics alone: the node goes on as up."""

PARAMETERS = {"deep": {"depth": 5000}}

WELL = ("sealer-1", "sealer-2", "sealer-3", "newer-1", "producer-1", "worker-1")


def faulty(kinds: dict[str, object], prefix: str) -> list[str]:
    return [f"{prefix}-{fault}" for fault in kinds]


GETHS = [*DOWN, *GETH_DOWN, *GETH_IN_PART, "deep", "nan", "odd_names", "metrics_off"]
NODEOSES = [*DOWN, *NODEOS_DOWN, "odd_names"]


@pytest.fixture(scope="module")
def seen() -> Seen:
    """Watch all of them for six ticks."""
    seen = Seen()
    more: list[GethOptions | NodeosOptions] = [
        *(GethOptions(name=f"geth-{fault}") for fault in GETHS),
        *(GethOptions(name=f"newer-{fault}", version=NEWER, pprof=True) for fault in GETHS),
        *(NodeosOptions(name=f"nodeos-{fault}") for fault in NODEOSES),
    ]

    async def scenario() -> None:
        async with SimulatedCluster(clients=0, newer=1, workers=1, more=more) as cluster:
            for name, node in cluster.nodes.items():
                _, _, fault = name.partition("-")
                if not fault.isdigit():
                    await node.fault(fault, **PARAMETERS.get(fault, {}))
            await watch([target_of(node) for node in cluster.nodes.values()], SECONDS, seen)

    run(scenario(), timeout=60)
    return seen


@pytest.mark.parametrize(
    ("node", "kind", "words"),
    [(f"{prefix}-{fault}", *DOWN[fault]) for prefix in ("geth", "newer", "nodeos") for fault in DOWN]
    + [(f"{prefix}-{fault}", *GETH_DOWN[fault]) for prefix in ("geth", "newer") for fault in GETH_DOWN]
    + [(f"nodeos-{fault}", *NODEOS_DOWN[fault]) for fault in NODEOS_DOWN],
)
def test_a_node_that_is_no_use_is_down_counted_by_kind_and_said_once(
    seen: Seen, node: str, kind: str, words: str
) -> None:
    assert set(seen.kept.up(node)) == {0}
    assert set(seen.errors(node)) == {kind}
    assert seen.errors(node)[kind] >= SECONDS / INTERVAL - 3
    [line] = seen.lines.about(node)
    assert words in line
    assert "\n" not in line
    assert len(line) < 400


@pytest.mark.parametrize("prefix", ["geth", "newer"])
@pytest.mark.parametrize("fault", GETH_IN_PART)
def test_an_answer_in_part_wrong_costs_that_part_alone(seen: Seen, prefix: str, fault: str) -> None:
    node = f"{prefix}-{fault}"
    kind, words = GETH_IN_PART[fault]
    assert set(seen.kept.up(node)) == {1}
    assert set(seen.errors(node)) == {kind}
    [line] = seen.lines.about(node)
    assert words in line


@pytest.mark.parametrize("node", ["geth-deep", "newer-deep"])
def test_nesting_without_end_is_no_metrics_and_no_harm(seen: Seen, node: str) -> None:
    assert set(seen.errors(node)) <= {"not_json", "bad_answer", "too_large"}
    assert len(seen.lines.about(node)) <= 2


@pytest.mark.parametrize("node", ["geth-nan", "newer-nan"])
def test_one_nan_costs_one_field(seen: Seen, node: str) -> None:
    assert set(seen.kept.up(node)) == {1}
    well = seen.kept.of("sealer-1" if node.startswith("geth") else "newer-1", "geth")[-1]
    with_nan = seen.kept.of(node, "geth")[-1]
    assert with_nan.keys() < well.keys()
    assert len(with_nan) == len(well) - 1


@pytest.mark.parametrize("node", ["geth-odd_names", "newer-odd_names", "nodeos-odd_names"])
def test_odd_names_are_fields_like_any_other(seen: Seen, node: str) -> None:
    assert set(seen.kept.up(node)) == {1}
    assert set(seen.errors(node)) <= {"bad_answer"}  # a signer or a page whose names are none
    if node.startswith("geth"):  # the flat document has its odd names outside of what is selected
        names = seen.kept.of(node, "geth")[-1].keys()
        assert any("\n" in name for name in names)
        assert any('"' in name for name in names)


@pytest.mark.parametrize("node", ["geth-metrics_off", "newer-metrics_off"])
def test_metrics_switched_off_are_said_once_and_shown(seen: Seen, node: str) -> None:
    assert {fields["node_metrics_enabled"] for fields in seen.kept.of(node, "chain")} == {0}
    assert seen.kept.of(node, "geth") == []
    [line] = seen.lines.about(node)
    assert "start geth with the flag --metrics" in line


@pytest.mark.parametrize("node", WELL)
def test_nodes_that_are_well_are_gathered_at_every_tick(seen: Seen, node: str) -> None:
    ups = seen.kept.up(node)
    assert set(ups) == {1}
    assert len(ups) >= SECONDS / INTERVAL - 1
    assert seen.total("chainwatch_gathers_missed_total", node) == 0
    assert seen.total("chainwatch_gather_late_seconds_total", node) / len(ups) < INTERVAL / 2
    assert seen.errors(node) == {}
    assert seen.lines.about(node) == []


def test_a_node_that_is_mended_is_up_again_and_that_is_said() -> None:
    seen = Seen()

    async def scenario() -> None:
        async with SimulatedCluster(sealers=1, clients=0, newer=0, producers=0, workers=0) as cluster:
            node = cluster.nodes["sealer-1"]
            await node.fault("error_500")
            await watch([target_of(node)], 2.2 * INTERVAL, seen)
            assert set(seen.kept.up("sealer-1")) == {0}
            mended = Seen()
            await node.heal()
            await watch([target_of(node)], 2.2 * INTERVAL, mended)
            assert set(mended.kept.up("sealer-1")) == {1}

    run(scenario())


def test_an_endless_answer_takes_no_more_memory_than_its_limit() -> None:
    async def scenario() -> None:
        async with SimulatedCluster(sealers=1, clients=0, newer=0, producers=0, workers=0) as cluster:
            node = cluster.nodes["sealer-1"]
            await node.fault("huge", bytes=0)
            tracemalloc.start()
            seen = Seen()
            await watch([target_of(node)], 2.2 * INTERVAL, seen)
            _, peak = tracemalloc.get_traced_memory()
            tracemalloc.stop()
            assert set(seen.errors("sealer-1")) <= {"too_large", "timeout"}
            # The chunks, joined never, and what the server in this same process holds.
            assert peak < 6 * LONGEST_ANSWER

    run(scenario())
