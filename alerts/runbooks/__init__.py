"""Runbooks: a page for each alert, which says what it means, where to look, what to do, and when it lies.

The pages are Markdown, and can be read and linked to as they lie here. The collector serves them as HTML beside its
live page, so that they are there when the internet is not.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token

from alerts.table import NAMES

HEADINGS = ("What it means", "What to look at", "What to do", "When it lies")
"""What each page is divided into."""

_HERE = Path(__file__).parent
_BOARD = re.compile(r"\.\./\.\./dashboards/json/([\w-]+)\.json")
_RUNBOOK = re.compile(r"(\w+)\.md")


def text(name: str) -> str:
    """Return the page of an alert, as Markdown."""
    return (_HERE / f"{name}.md").read_text(encoding="utf-8")


def pages(grafana: str = "") -> Mapping[str, str]:
    """Return every page by the name of its alert, as HTML without its title.

    Links to other runbooks are relative. Those to dashboards lead to Grafana, if `grafana` tells its address; else the
    path below it is written. Those to documents that are not served are texts. It reads files: once is enough.
    """
    markdown = MarkdownIt("commonmark", {"html": False})
    return {name: _page(markdown, text(name), grafana.rstrip("/")) for name in NAMES}


def _page(markdown: MarkdownIt, source: str, grafana: str) -> str:
    _, _, rest = source.partition("\n")
    tokens = markdown.parse(rest)
    for token in tokens:
        if token.children:
            token.children = _linked(token.children, grafana)
    return str(markdown.renderer.render(tokens, markdown.options, {}))


def _linked(tokens: Sequence[Token], grafana: str) -> list[Token]:
    """Return the tokens of a paragraph with links that lead somewhere where the page is served."""
    found: list[Token] = []
    ending: list[Token] | None = None
    for token in tokens:
        if token.type == "link_open":
            target, ending = _target(str(token.attrs["href"]), grafana)
            if target:
                found.append(Token("link_open", "a", 1, attrs={"href": target}))
        elif token.type == "link_close" and ending is not None:
            found += ending
        else:
            found.append(token)
    return found


def _target(target: str, grafana: str) -> tuple[str, list[Token] | None]:
    """Return where a link leads; or "", and what is written behind its text instead."""
    if runbook := _RUNBOOK.fullmatch(target):
        return runbook[1], None
    if board := _BOARD.fullmatch(target):
        path = f"/d/{board[1]}"
        return (f"{grafana}{path}", None) if grafana else ("", _written(path))
    return "", []


def _written(path: str) -> list[Token]:
    """Return a path of Grafana in brackets."""
    return [
        Token("text", "", 0, content=" ("),
        Token("code_inline", "code", 0, content=path),
        Token("text", "", 0, content=" in Grafana)"),
    ]
