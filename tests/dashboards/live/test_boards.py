"""Every query of every board, of its variables and of its annotations, asked as Grafana asks it."""

from __future__ import annotations

import re
import time

import pytest

from dashboards.drawing.boards import chosen, frames, shown
from dashboards.drawing.frames import is_empty
from dashboards.drawing.page import marking
from dashboards.drawing.variables import Span
from tests.dashboards.live.expected import AFTER_FAULTS, NO_RULES, NOT_HERE, named
from tests.dashboards.live.looking import BOARDS, empty
from tests.dashboards.live.stage import ETHEREUM, EVERY, NODEOS, SAVANNA, SECOND, WITHOUT_ROLE, Stage

pytestmark = [pytest.mark.real, pytest.mark.slow]

ASKED = [
    pytest.param(uid, name, id=f"{uid}-{name}")
    for uid, board in BOARDS.items()
    for name in (
        ("flux",)
        if uid.endswith("-flux")
        else ("influxql",)
        if uid.endswith("-influxql")
        else ("prometheus", "victoria-metrics")
    )
]


@pytest.mark.parametrize(("uid", "name"), ASKED)
def test_every_query_of_every_board_yields_something_in_health(stage: Stage, uid: str, name: str) -> None:
    board, database = BOARDS[uid], stage.database(name)
    left = {
        key: text
        for key, text in empty(board, database, stage.span()).items()
        if not named(AFTER_FAULTS, key) and not named(NOT_HERE, key)
    }
    assert not left, left


@pytest.mark.parametrize(("uid", "name"), ASKED)
def test_variables_that_are_chosen_narrow_every_query(stage: Stage, uid: str, name: str) -> None:
    """Names go into queries as regexes: that of one chain, on boards of one kind, with its dot; else that of two."""
    board, database, span = BOARDS[uid], stage.database(name), stage.span()
    variables = chosen(board, database, span, {"chain": [SECOND, SAVANNA]})
    others = {ETHEREUM, SECOND, NODEOS, SAVANNA}.difference(variables["chain"].values)
    assert len(others) in (2, 3)
    for one in shown(board, variables):
        said = repr(frames(one, database, span))
        assert not [chain for chain in others if f"'{chain}'" in said], (one.panel["title"], said)


@pytest.mark.parametrize(("uid", "name"), [one for one in ASKED if re.search("-ethereum|-node", str(one.id))])
def test_a_node_without_a_role_is_shown_among_all(stage: Stage, uid: str, name: str) -> None:
    """A label that is empty is none at all: `.+` would leave out whoever does not have it."""
    board, database, span = BOARDS[uid], stage.database(name), stage.span()
    node = WITHOUT_ROLE[board["uid"].split("-")[1]]
    variables = chosen(board, database, span, {"node": [node]})
    assert variables["node"].values == (node,)
    assert any(node in repr(frames(one, database, span)) for one in shown(board, variables))


@pytest.mark.parametrize(("uid", "name"), [one for one in ASKED if not str(one.id).endswith("-flux")])
def test_a_day_can_be_asked_for(stage: Stage, uid: str, name: str) -> None:
    """With points minutes apart, as a browser asks for a day. Of what is there, the last minute, little may show."""
    board, database, now = BOARDS[uid], stage.database(name), time.time()
    span = Span(now - 86_400, now, 120, EVERY)
    variables = chosen(board, database, span, {})
    assert [one for one in shown(board, variables) if not is_empty(frames(one, database, span))]


@pytest.mark.parametrize(("uid", "name"), ASKED)
def test_annotations_can_be_asked(stage: Stage, uid: str, name: str) -> None:
    board, database, span = BOARDS[uid], stage.database(name), stage.span()
    variables = chosen(board, database, span, {})
    for one in marking(board):
        database.ask(one["target"], span, variables)


@pytest.mark.parametrize(("uid", "name"), ASKED)
def test_faults_fill_what_was_empty(troubled: Stage, uid: str, name: str) -> None:
    board, database = BOARDS[uid], troubled.database(name)
    only = None if name == "prometheus" else AFTER_FAULTS  # new series may break what PromQL matches one to one
    left = {
        key: text
        for key, text in empty(board, database, troubled.span(), only).items()
        if not named(NOT_HERE, key) and not (name == "victoria-metrics" and named(NO_RULES, key))
    }
    assert not left, left


def test_a_fault_is_marked_by_an_annotation(troubled: Stage) -> None:
    board, database, span = BOARDS["chainwatch-fleet"], troubled.database("prometheus"), troubled.span()
    variables = chosen(board, database, span, {})
    marked = {one["name"] for one in marking(board) if not is_empty(database.ask(one["target"], span, variables))}
    assert marked == {"Alerts", "Forks", "Restarts of nodes"}  # the collector is not restarted


def test_exceptions_name_queries_that_there_are() -> None:
    """A panel that is renamed or gone takes its exception along."""
    there = {
        (re.sub("-(influxql|flux)$", "", uid), panel["title"])
        for uid, board in BOARDS.items()
        for outer in board["panels"]
        for panel in (outer, *outer.get("panels", ()))
    }
    named_here = {key[:2] for where in (AFTER_FAULTS, NOT_HERE, NO_RULES) for key in where}
    assert named_here <= there, named_here - there
