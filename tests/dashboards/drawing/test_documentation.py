"""The pictures that documentation shows, and that nothing but it needs what draws them."""

from __future__ import annotations

import re
import struct
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PICTURES = sorted((ROOT / "docs" / "dashboards").glob("*.png"))
BOARDS = sorted((ROOT / "dashboards" / "json").glob("*.json"))


@pytest.mark.parametrize("board", [file.stem for file in BOARDS])
def test_every_board_has_a_picture_in_the_documentation(board: str) -> None:
    assert board in {picture.stem for picture in PICTURES}


@pytest.mark.parametrize("picture", PICTURES, ids=lambda picture: picture.stem)
def test_a_picture_is_of_a_board_is_shown_and_is_small(picture: Path) -> None:
    assert picture.stem.removesuffix("-folded") in {file.stem for file in BOARDS}
    assert f"(dashboards/{picture.name})" in (ROOT / "docs" / "dashboards.md").read_text()
    content = picture.read_bytes()
    assert len(content) < 250_000
    assert struct.unpack(">I", content[16:20]) == (1600,)


def test_nothing_that_runs_needs_what_draws_pictures() -> None:
    packages = ("alerts", "chainwatch", "collector", "compose", "dashboards", "exporters")
    files = [file for package in packages for file in (ROOT / package).rglob("*.py") if "drawing" not in file.parts]
    assert len(files) > 100
    assert not [
        file for file in files if re.search(r"dashboards[.]drawing|dashboards import drawing", file.read_text())
    ]
