"""The files of the page: complete, and nothing in them that could make markup of a text or ask somebody else."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest

from collector.page import Runbook
from collector.page.assets import ASSETS, HEADERS
from collector.page.runbooks import Runbooks

RUNBOOKS = Runbooks([Runbook("NodeBehind", "behind", "warning", "A node <lags>", "<h2>What it means</h2>")])
PAGES = {"page": ASSETS["index.html"], "runbooks": RUNBOOKS.index, "runbook": RUNBOOKS.get("behind")}

SCRIPTS = {name: asset.body.decode() for name, asset in ASSETS.items() if name.endswith(".js")}


class Linked(HTMLParser):
    """What a page has a browser load, and what it has that a policy forbids."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.loaded: set[str] = set()
        self.anchors: set[str] = set()
        self.inline: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note it."""
        given = dict(attrs)
        if tag in ("link", "script"):
            self.loaded.add(given.get("href") or given.get("src") or "")
        self.anchors |= {given["id"] or ""} if "id" in given else set()
        self.inline += [name for name, _ in attrs if name == "style" or name.startswith("on")]
        self.inline += [tag] * (tag == "style")


@pytest.mark.parametrize("page", PAGES.values(), ids=PAGES)
def test_a_page_loads_what_is_there_and_has_nothing_inline(page: object) -> None:
    linked = Linked(page.body.decode())  # type: ignore[attr-defined]
    assert linked.loaded
    assert {path.removeprefix("../").removeprefix("assets/") for path in linked.loaded} <= ASSETS.keys()
    assert not linked.inline


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_script_imports_what_there_is(name: str) -> None:
    for names, file in re.findall(r'import \{ (.*?) \} from "\./(.*?)"', SCRIPTS[name]):
        exported = set(re.findall(r"export (?:const|class|function\*?) (\w+)", SCRIPTS[file]))
        assert set(names.split(", ")) <= exported
    imported = re.findall(r"import \{ (.*?) \}", SCRIPTS[name])
    body = re.sub(r"^import .*$|//.*$", "", SCRIPTS[name], flags=re.MULTILINE)
    for word in ", ".join(imported).split(", "):
        assert not word or re.search(rf"\b{word}\b", body), f"{word} is imported and not used"


@pytest.mark.parametrize("name", SCRIPTS)
def test_every_script_is_used_and_none_makes_markup(name: str) -> None:
    used = "".join(SCRIPTS.values()) + ASSETS["index.html"].body.decode()
    assert f"/{name}" in used
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|new Function", SCRIPTS[name])


def test_nobody_else_is_asked() -> None:
    for name, asset in ASSETS.items():
        addresses = set(re.findall(r"https?://[^\s\"']+", asset.body.decode()))
        assert addresses <= {"http://www.w3.org/2000/svg"}, name
    assert "'unsafe" not in HEADERS["Content-Security-Policy"]


def test_a_runbook_is_found_by_its_alert_and_by_its_signal() -> None:
    page = RUNBOOKS.get("NodeBehind")
    assert page is not None
    assert page == RUNBOOKS.get("behind")
    assert b"<h2>What it means</h2>" in page.body
    assert b"A node &lt;lags&gt;" in page.body
    assert RUNBOOKS.get("") is None
    assert RUNBOOKS.get("forked") is None
    assert 'RUNBOOKS = "runbooks/"' in SCRIPTS["findings.js"]


def test_the_list_leads_to_every_runbook() -> None:
    assert b'<a href="runbooks/NodeBehind">NodeBehind</a>' in RUNBOOKS.index.body
