"""Runbooks: one for each alert, in four parts, with links that lead somewhere."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from alerts.runbooks import HEADINGS, pages, text
from alerts.table import NAMES

FOLDER = Path(__file__).parents[2] / "alerts" / "runbooks"

LINK = re.compile(r"\[([^\]]+)\]\(([^)#]+)(?:#[\w-]+)?\)")


def test_every_alert_has_one_and_nothing_else_does() -> None:
    assert sorted(path.stem for path in FOLDER.glob("*.md")) == sorted(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_it_says_what_it_means_what_to_look_at_what_to_do_and_when_it_lies(name: str) -> None:
    parts = re.split(r"^## (.+)$", text(name), flags=re.MULTILINE)
    assert parts[0] == f"# {name}\n\n"
    assert tuple(parts[1::2]) == HEADINGS
    assert all(len(part.strip()) > 20 for part in parts[2::2])


@pytest.mark.parametrize("name", NAMES)
def test_links_lead_to_what_is_there(name: str) -> None:
    for _, target in LINK.findall(text(name)):
        assert (FOLDER / target).exists(), target


@pytest.mark.parametrize("name", NAMES)
def test_panels_that_are_named_are_on_the_dashboard(name: str) -> None:
    """A line that begins with a dashboard names its panels in italics."""
    for line in text(name).splitlines():
        boards = re.findall(r"dashboards/json/([\w-]+\.json)", line)
        if not (line.startswith("- [") and len(boards) == 1):
            continue
        board = json.loads((FOLDER.parents[1] / "dashboards" / "json" / boards[0]).read_text())
        rows = [*board["panels"], *(panel for row in board["panels"] for panel in row.get("panels", ()))]
        titles = {panel["title"] for panel in rows}
        assert set(re.findall(r"\*([^*]+)\*", line)) <= titles


def test_as_pages_they_lead_to_each_other_and_to_grafana() -> None:
    page = pages("http://grafana.example/")["NodeBehind"]
    assert '<a href="http://grafana.example/d/chainwatch-node">Node</a>' in page
    assert '<a href="NodeWithoutPeers">NodeWithoutPeers</a>' in page


def test_where_grafana_is_not_known_its_path_is_written() -> None:
    page = pages()["NodeBehind"]
    assert "Node (<code>/d/chainwatch-node</code> in Grafana)" in page
    assert not re.search(r'href="(?!\w+")', page)


def test_there_is_a_page_for_each_and_none_holds_html_of_its_own() -> None:
    every = pages()
    assert tuple(every) == NAMES
    for name, page in every.items():
        assert page.startswith("<h2>What it means</h2>\n"), name
        assert set(re.findall(r"<(\w+)", page)) <= {
            "h1",
            "h2",
            "p",
            "ul",
            "ol",
            "li",
            "a",
            "em",
            "strong",
            "code",
            "pre",
        }
        assert all((FOLDER / f"{target}.md").exists() for target in re.findall(r'href="([^"]*)"', page))
