"""docs/page.md names every key of the document, every column of the tables, and nothing else."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import pytest

from collector.health import assessment as health
from collector.page.assets import ASSETS
from collector.page.document import document

DOCUMENT = Path(__file__).parents[2] / "docs" / "page.md"

SECTIONS = {
    "A chain": health.Assessment,
    "A finding": health.Finding,
    "A node": health.NodeHealth,
    "A branch": health.Branch,
    "Making": health.Making,
    "A maker": health.MakerHealth,
    "A turn": health.Round,
    "Finality": health.Finality,
    "Traffic": health.Traffic,
    "Peers": health.PeerGraph,
}


def keys(title: str) -> list[str]:
    """Return the keys that the table of a section explains."""
    found = re.search(rf"^#+ `?{re.escape(title)}`?\n(.*?)(?=^#|\Z)", DOCUMENT.read_text(), re.DOTALL | re.MULTILINE)
    assert found, title
    return re.findall(r"^\| `(\w+)` \| \S", found[1], re.MULTILINE)


@pytest.mark.parametrize("title", SECTIONS)
def test_every_field_is_documented_and_nothing_else(title: str) -> None:
    assert keys(title) == [field.name for field in fields(SECTIONS[title])]


def test_every_part_of_an_assessment_has_a_section() -> None:
    parts = {part for part in vars(health).values() if isinstance(part, type) and hasattr(part, "__dataclass_fields__")}
    assert parts == set(SECTIONS.values())


def test_the_whole_is_documented() -> None:
    assert keys("/api/state") == list(document([], 0, public=False))


def test_every_column_can_be_sorted_by_its_documented_name() -> None:
    columns = re.findall(r'\{ key: "(\w+)"', ASSETS["nodes.js"].body.decode())
    documented = re.search(r"^\| `sort` \| A column: (.*?);", DOCUMENT.read_text(), re.MULTILINE)
    assert documented
    assert re.findall(r"`(\w+)`", documented[1]) == columns


def test_every_state_of_a_node_is_documented() -> None:
    states = re.findall(r"^  (\w+): \"", ASSETS["standing.js"].body.decode().partition("};")[0], re.MULTILINE)
    documented = re.search(r"^\| `role`, `state` \|.*in this state: (.*?)\.", DOCUMENT.read_text(), re.MULTILINE)
    assert documented
    assert sorted(re.findall(r"`(\w+)`", documented[1])) == sorted(states)
