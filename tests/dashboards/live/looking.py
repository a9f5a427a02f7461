"""Which queries of a board yield nothing."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from dashboards.drawing.asking import Database, Json
from dashboards.drawing.boards import chosen, shown, together
from dashboards.drawing.frames import is_empty
from dashboards.drawing.variables import Span
from tests.dashboards.live.expected import Key, named

FOLDER = Path(__file__).parents[3] / "dashboards" / "json"
BOARDS: dict[str, Json] = {file.stem: json.loads(file.read_text()) for file in sorted(FOLDER.glob("*.json"))}

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
