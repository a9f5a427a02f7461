"""Every query of every board, of its variables and of its annotations, asked as Grafana asks it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from dashboards.drawing.asking import Database, Json
from dashboards.drawing.boards import chosen, frames, shown, together
from dashboards.drawing.frames import is_empty
from dashboards.drawing.page import marking
from dashboards.drawing.variables import Span
from tests.dashboards.live.expected import AFTER_FAULTS, NO_RULES, NOT_HERE, Key, named
from tests.dashboards.live.stage import ETHEREUM, NODEOS, SAVANNA, SECOND, WITHOUT_ROLE, Stage

pytestmark = [pytest.mark.real, pytest.mark.slow]

FOLDER = Path(__file__).parents[3] / "dashboards" / "json"
BOARDS: dict[str, Json] = {file.stem: json.loads(file.read_text()) for file in sorted(FOLDER.glob("*.json"))}

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


NODES = ("sealer-1", "sealer-3", "client-2", "newer-1", "producer-1", "worker-3", "worker-4", "confused-1")
"""Those whose board is looked at: one of each sort, and those that have faults."""


def empty(board: Json, database: Database, span: Span, only: Mapping[Key, str] | None = None) -> dict[Key, str]:
    """Return the queries that yield nothing, wherever a row is repeated and whichever node is chosen, with texts.

    Of a query that has yielded something no more is asked. `only` are those that are asked, else it is all.
    """
    uid = re.sub("-(influxql|flux)$", "", board["uid"])
    found: dict[Key, str] = {}
    full: set[Key] = set()
    for wanted in _choices(board):
        variables = chosen(board, database, span, wanted)
        for one in shown(board, variables):
            answers = []
            for target in one.targets:
                key = (uid, one.panel["title"], target["refId"])
                if key in full or (only is not None and not named(only, key)):
                    continue
                answer = database.ask(target, span, one.variables)
                if is_empty(answer):
                    found[key] = database.text(target, span, one.variables)
                else:
                    full.add(key)
                answers += answer
            together(one, answers)
    return {key: text for key, text in found.items() if key not in full}


def _choices(board: Json) -> list[dict[str, Sequence[str]]]:
    """Return what is chosen of the variables: all, or one node after the other on a board of one node alone."""
    alone = any(one["name"] == "node" and not one.get("includeAll") for one in board["templating"]["list"])
    return [{"node": [name]} for name in NODES] if alone else [{}]


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
