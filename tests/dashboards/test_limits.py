"""The limits that panels are coloured by."""

from __future__ import annotations

import pytest

from collector.catalogue import M
from collector.health.thresholds import Thresholds
from collector.thresholds import PipelineThresholds
from dashboards.boards.making import chart
from dashboards.limits import LIMITS, figures, filled
from dashboards.panels import GREEN, ORANGE, RED, Board, Line, Panel, Row, Step, above
from dashboards.queries.expressions import Prom, Value

LAG = Value(M.chain_health_lag_blocks)


def board(panel: Panel) -> Board:
    return Board("one", "One", "", (Row("All", (panel,)),))


def only_panel(made: Board) -> Panel:
    return made.rows[0].panels[0]


def test_a_threshold_that_there_is_not_breaks_the_build() -> None:
    with pytest.raises(AttributeError, match="no threshold is named behind_blokcs"):
        LIMITS.behind_blokcs  # noqa: B018 - it is to fail


def test_steps_and_queries_are_filled_in_with_the_figures() -> None:
    steps = (Step(ORANGE), Step(GREEN, -LIMITS.clock_seconds), Step(ORANGE, LIMITS.clock_seconds))
    share = Prom("{0} / {halted_least} > {1}", (LAG, LAG))
    made = filled(board(chart("Clocks", "", "s", (share, ""), steps=steps)), figures())
    assert [step.value for step in only_panel(made).steps] == [None, -5.0, 5.0]
    (line,) = only_panel(made).lines
    assert line == Line(Prom("{0} / 10 > {1}", (LAG, LAG)))


def test_those_of_single_lines_are_too() -> None:
    lines = (Line(LAG, "lag", steps=above(LIMITS.behind_blocks)), Line(LAG, "none", steps=above(2)))
    made = filled(board(Panel("table", "Lag", "", lines, "short")), {"behind_blocks": 9})
    assert [line.steps for line in only_panel(made).lines] == [(Step(GREEN), Step(RED, 9)), above(2)]


def test_chains_that_differ_leave_the_default() -> None:
    pipeline = PipelineThresholds(stale_seconds=60.0)
    one, two = Thresholds(behind_blocks=9, restarts=5), Thresholds(behind_blocks=9, restarts=6)
    known = figures([(one, pipeline), (two, pipeline)])
    assert (known["behind_blocks"], known["restarts"], known["stale_seconds"]) == (9, 3, 60.0)
    assert known["slow_share"] == 0.5
    assert figures() == figures([(Thresholds(), PipelineThresholds())])
    assert "oldest_version" not in known, "it is no figure"
