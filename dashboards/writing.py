"""All dashboards as files: the same bytes each time, for the same boards."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from dashboards.boards import BOARDS
from dashboards.grafana import Page, dashboard, uid_of
from dashboards.limits import Figures, figures, filled
from dashboards.mending import mended
from dashboards.panels import Board
from dashboards.variables import DATA_SOURCES


def texts(boards: Sequence[Board] = BOARDS, limits: Figures | None = None) -> Mapping[str, str]:
    """Return these boards, in all their languages, as JSON by the names of their files; they lead to no others.

    Without `limits` panels are coloured by the alerts' defaults.
    """
    known = figures() if limits is None else limits
    boards = [filled(board, known) for board in boards]
    there = {uid_of(board, language) for board in boards for language in board.languages}
    pages = [Page(board, language, there) for board in boards for language in board.languages]
    return {
        f"{uid_of(page.board, page.language)}.json": _text(mended(dashboard(page), DATA_SOURCES[page.language]))
        for page in pages
    }


def _text(made: object) -> str:
    return json.dumps(made, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
