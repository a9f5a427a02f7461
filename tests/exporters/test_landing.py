"""The page at `/`: each node in a row, nothing on it that a node could have written as HTML, nothing stale."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Any, cast

from hypothesis import given
from hypothesis import strategies as st

from collector.readings import Field, Reading, Shape, Value
from collector.targets import Target
from exporters.landing import MOST_NODES, Landing
from tests.helpers import run

NOW = 1_000.0
KNOWN_TAGS = {
    *("html", "head", "meta", "title", "style", "body", "h1", "p", "a"),
    *("table", "thead", "tbody", "tr", "th", "td"),
}


class Cells(HTMLParser):
    """Reads a page's rows, and which tags it has."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self.tags: set[str] = set()
        self._in_cell = False
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002 - none matters
        """Note it."""
        self.tags.add(tag)
        if tag == "tr":
            self.rows.append([])
        if tag == "td":
            self.rows[-1].append("")
        self._in_cell = tag == "td"

    def handle_endtag(self, tag: str) -> None:  # noqa: ARG002 - every tag ends a cell
        """Note that no cell goes on."""
        self._in_cell = False

    def handle_data(self, data: str) -> None:
        """Keep what stands in a cell."""
        if self._in_cell:
            self.rows[-1][-1] += data


def reading(measurement: str, values: dict[str, Value], **tags: str) -> Reading:
    tags = {"chain": "lab", "node": "a", "role": "sealer", **tags}
    return Reading(Shape(measurement, tags, [Field(name) for name in values]), list(values.values()), 1)


def shown(landing: Landing) -> Cells:
    response = run(landing.page(cast("Any", None)))
    assert response.content_type == "text/html"
    assert isinstance(response.text, str)
    return Cells(response.text)


def test_a_node_is_a_row() -> None:
    landing = Landing("/metrics")
    landing.take(
        [
            reading("chain", {"head_block_number": 12345, "peers": 4, "head_block_timestamp_seconds": 2**40}),
            reading("chain_node", {"info": 1}, version="Geth/v1.8.27"),
            reading("chain_node", {"up": 1}),
            reading("geth", {"peers": 77}),
        ],
        10,
    )
    assert shown(landing).rows[1:] == [["lab", "a", "sealer", "answers", "12,345", "0.0 s", "", "4", "Geth/v1.8.27\n"]]


def test_what_a_node_does_not_say_any_more_is_not_shown() -> None:
    """A figure that the latest answer lacks goes at once; all of a node that is down, but that it is, after a while."""
    now = [NOW]
    landing = Landing("/metrics", lambda: now[0])
    landing.take([reading("chain", {"head_block_number": 1, "peers": 4}), reading("chain_node", {"up": 1})], 1)
    landing.take([reading("chain", {"head_block_number": 2}), reading("chain_node", {"up": 1})], 1)
    assert shown(landing).rows[1][4:8] == ["2", "", "", ""]
    for _ in range(7):
        now[0] += 1
        landing.take([reading("chain_node", {"up": 0})], 1)
    assert shown(landing).rows[1][3:8] == ["does not answer", "", "", "", ""]
    now[0] += 5.1
    assert shown(landing).rows[1:] == []


def test_a_node_of_another_version_shows_that_one() -> None:
    landing = Landing("/metrics")
    for version in ("1.8", "1.10", "1.8"):
        landing.take([reading("chain_node", {"info": 1}, version=version)], 10)
        assert shown(landing).rows[1][8].strip() == version


def test_nodes_that_come_and_go_make_room_for_others() -> None:
    now = [NOW]
    landing = Landing("/metrics", lambda: now[0])
    for number in range(MOST_NODES + 50):
        landing.take([reading("chain_node", {"up": 1}, node=f"{number}")], 1)
    assert len(landing._nodes) == MOST_NODES
    now[0] += 6
    landing.take([reading("chain_node", {"up": 1}, node="new")], 1)
    assert [row[1] for row in shown(landing).rows[1:]] == ["new"]


HOSTILE = st.text(st.characters(exclude_categories=["Cs"])) | st.sampled_from(
    ["<script>alert(1)</script>", "</td><td>x", '" onload="x', "&lt;b&gt;", "{rows}", "%s", "{0.__class__}", "<!--"]
)


@given(chain=HOSTILE, node=HOSTILE, role=HOSTILE, version=HOSTILE)
def test_no_name_is_taken_for_html(chain: str, node: str, role: str, version: str) -> None:
    landing = Landing('/metrics"><script>')
    landing.take([reading("chain_node", {"info": 1}, chain=chain, node=node, role=role, version=version)], 10)
    cells = shown(landing)
    assert cells.tags <= KNOWN_TAGS
    [row] = cells.rows[1:]
    said = [text.replace("\r\n", "\n").replace("\r", "\n") for text in (chain, node, role)]
    assert [cell.replace("\r\n", "\n").replace("\r", "\n") for cell in row[:3]] == said


def test_a_node_that_is_not_asked_pushes() -> None:
    landing = Landing("/metrics", lambda: NOW)
    landing.take([reading("chain", {"peers": 3}, node="nat")], 10.0)
    landing.take([reading("chain_node", {"up": 1}), reading("chain_node", {"up": 0}, node="b")], 10.0)
    page = shown(landing)
    assert [row[1:4:2] for row in page.rows if row] == [["a", "answers"], ["b", "does not answer"], ["nat", "pushes"]]
    response = run(landing.page(cast("Any", None)))
    assert "1 of 2 nodes answer, 1 only push, on 1 chain." in (response.text or "")


def test_a_server_that_is_gone_leaves_at_once_and_a_node_that_pushes_stays() -> None:
    landing = Landing("/metrics")
    servers = [Target("lab", "nodeos", node, "http://10.0.0.1:8888") for node in ("a", "b")]
    landing.follow(servers)
    for node in ("a", "b", "pushes"):
        landing.take([reading("chain", {"head_block_number": 1}, node=node)], 10)
    landing.follow(servers[1:])
    assert [row[1] for row in shown(landing).rows if row] == ["b", "pushes"]
    landing.follow(servers)
    landing.take([reading("chain", {"head_block_number": 1}, node="a")], 10)
    assert [row[1] for row in shown(landing).rows if row] == ["a", "b", "pushes"]
