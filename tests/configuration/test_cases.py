"""Every mistake of a file is told at once, with its line, its key, what is wrong and what to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.configuration.golden import CASES, told


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_mistakes_of_a_case(case: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(case)
    assert told(case) == (case / "expected.txt").read_text()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_no_case_tells_a_secret(case: Path) -> None:
    assert "hunter2" not in (case / "expected.txt").read_text()


def test_cases_are_found() -> None:
    assert len(CASES) > 30
