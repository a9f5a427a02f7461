"""All dashboards as files: the same bytes each time, for the same boards."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from dashboards.boards import BOARDS
from dashboards.grafana import Page, dashboard, uid_of
from dashboards.mending import mended
from dashboards.panels import Board
from dashboards.variables import DATA_SOURCES


def texts(boards: Sequence[Board] = BOARDS) -> Mapping[str, str]:
    """Return these boards, in all their languages, as JSON by the names of their files; they lead to no others."""
    there = {uid_of(board, language) for board in boards for language in board.languages}
    pages = [Page(board, language, there) for board in boards for language in board.languages]
    return {
        f"{uid_of(page.board, page.language)}.json": _text(mended(dashboard(page), DATA_SOURCES[page.language]))
        for page in pages
    }


def write(directory: Path, tell: Callable[[str], None]) -> None:
    """Write all dashboards into a directory, which is made if need be; `tell` is told what became of each file.

    Files of other names are never touched, and each is replaced as a whole: Grafana, which looks there again and
    again, never reads half of one. Raises OSError.
    """
    directory.mkdir(parents=True, exist_ok=True)
    for name, text in texts().items():
        path = directory / name
        before = _read(path)
        if before != text:
            unfinished = path.with_name(f"{name}.unfinished")
            unfinished.write_text(text, encoding="utf-8")
            unfinished.replace(path)
        tell(f"{path}: {'new' if before is None else 'unchanged' if before == text else 'changed'}")


def _read(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return None


def _text(made: object) -> str:
    return json.dumps(made, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
