"""The nodes' own metrics that boards show: each is in the answers of the versions that it is said to be in."""

from __future__ import annotations

from collections.abc import Mapping

import orjson
import pytest

from collector.paths import field_name, offered
from collector.readings import Kind
from collector.sources.ethereum.metrics import flat_names, nested_name
from collector.sources.nodeos.raw import page_figures
from compose.simulated.nodeos_page import Figures, page_of_5
from compose.simulated.nodeos_versions import VERSIONS
from dashboards.boards import BOARDS
from dashboards.queries.expressions import Prom, Ratio, Value
from dashboards.raw import GETH, GETH_8, GETH_10, GETH_13, LEAP_4, LEAP_5, NODEOS, RAW, Raw
from tests.test_cases import CASES


def _recorded_nodeos() -> set[str]:
    """Return what the cases of Leap 4 export, without labels."""
    folders = CASES.glob("nodeos-4.0.6-*")
    pages = [(folder / "expected.prom").read_text() for folder in folders]
    return {line.partition("{")[0] for page in pages for line in page.splitlines() if line.startswith("nodeos_")}


def _simulated_nodeos() -> set[str]:
    figures = Figures(
        head=9, irreversible=8, produced=4, received=5, out=1, incoming=2, uptime=60, scrapes=1, scraped=1
    )
    page = page_of_5(figures, VERSIONS["5.0"], "aca3", {"/v1/chain/get_info": 3})
    return {f"nodeos_{field_name(figure.path)}" for figure in page_figures(page.encode())}


def _recorded_geth() -> Mapping[str, set[str]]:
    nested = orjson.loads((CASES / "geth-1.8.27/answers/rpc/debug_metrics.json").read_bytes())["result"]
    flat = orjson.loads((CASES / "geth-1.10.26/answers/debug/metrics.txt").read_bytes())
    return {
        GETH_8: {f"geth_{field_name(path)}" for path in offered(nested, nested_name)},
        GETH_10: {f"geth_{field_name(path)}" for path in offered(flat, flat_names(flat))},
    }


THERE = {**_recorded_geth(), LEAP_4: _recorded_nodeos(), LEAP_5: _simulated_nodeos()}
"""The names that each version has; those of geth 1.13 a real one tells, in tests/real/test_queries.py."""


@pytest.mark.parametrize("metric", RAW, ids=lambda metric: metric.name)
def test_a_metric_is_in_the_versions_that_it_says_and_in_no_others(metric: Raw) -> None:
    of_its_kind = {GETH_8, GETH_10} if metric.measurement == "geth" else {LEAP_4, LEAP_5}
    found = {name for name in of_its_kind if metric.name in THERE[name]}
    assert found == {*metric.versions} - {GETH_13}


def test_names_are_told_once() -> None:
    assert len({metric.name for metric in RAW}) == len(RAW)
    assert {metric.measurement for metric in GETH} == {"geth"}
    assert {metric.measurement for metric in NODEOS} == {"nodeos"}


def test_every_metric_is_shown_by_a_board() -> None:
    """Else it would stand here for nothing."""
    shown: set[str] = set()
    for board in BOARDS:
        for line in (line for row in board.rows for panel in row.panels for line in panel.lines):
            match line.asks:
                case Ratio(over=over, under=under):
                    shown |= {over.metric.name, under.metric.name}
                case Prom(metrics=metrics):
                    shown |= {metric.metric.name if isinstance(metric, Value) else metric.name for metric in metrics}
                case Value(metric=metric):
                    shown.add(metric.name)
    assert {metric.name for metric in RAW} - shown == set()


def test_kinds_are_gauges_and_counters() -> None:
    """A node tells neither: boards have to know what to take the rate of."""
    assert {metric.kind for metric in RAW} == {Kind.GAUGE, Kind.COUNTER}
