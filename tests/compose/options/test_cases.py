"""What is told of an options file: every mistake at once, or what should be known of it; and what is made of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from compose.options.reading import read_options
from compose.options.writing import as_yaml
from tests.compose.options.golden import CASES, outcome, target

SECRETS = ("hunter2", "p@ssw0rd", "my-ws-secret", "38000e15", "mysecret", "5KQwrPb", "PVT_K1_2bf", "5HwoXVkHoRM8")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_case(case: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    monkeypatch.chdir(case)
    told, written = outcome(case)
    if request.config.getoption("--update-cases"):
        (case / "expected.txt").write_text(told)
        if written is not None:
            (case / "written.yaml").write_text(written)
    assert told == (case / "expected.txt").read_text()
    expected = case / "written.yaml"
    assert written == (expected.read_text() if expected.exists() else None)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_no_case_tells_a_secret(case: Path) -> None:
    for name in ("expected.txt", "written.yaml"):
        if (case / name).exists():
            text = (case / name).read_text()
            assert not any(secret in text for secret in SECRETS)


@pytest.mark.parametrize(
    "case", [case for case in CASES if (case / "written.yaml").exists()], ids=lambda case: case.name
)
def test_what_is_written_says_the_same_again(case: Path) -> None:
    written = case / "written.yaml"
    options, _ = read_options(written, {}, target(case))
    assert as_yaml(options) == written.read_text()


def test_cases_are_found() -> None:
    assert len(CASES) > 100
