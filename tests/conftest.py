"""What holds for every test: nothing that runs on an event loop may block it, and a busy machine fails nothing."""

from __future__ import annotations

import traceback
from collections.abc import Iterator

import blockbuster.blockbuster
import hypothesis
import pytest

hypothesis.settings.register_profile("chainwatch", deadline=None)  # an example is slow when the machine is
hypothesis.settings.load_profile("chainwatch")

WATCHED = ("chainwatch", "collector", "compose", "exporters")
"""Blocking calls fail a test when one of these packages is on the stack; what a test does itself is its own matter."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let the golden cases be written anew; see tests/cases/README.md."""
    parser.addoption("--update-cases", action="store_true", help="write the expectations of tests/cases anew")


@pytest.fixture(autouse=True)
def blocked(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Fail the test if the event loop was blocked, even where the code caught the error that says so.

    Yields the calls seen so far, as tracebacks: a test that blocks on purpose clears the list.
    """
    seen: list[str] = []

    class Blocking(blockbuster.blockbuster.BlockingError):
        def __init__(self, function: str) -> None:
            super().__init__(function)
            seen.append(f"{self}\n{''.join(traceback.format_stack())}")

    monkeypatch.setattr(blockbuster.blockbuster, "BlockingError", Blocking)
    with blockbuster.blockbuster_ctx(list(WATCHED)) as watching:
        for function in ("io.TextIOWrapper.write", "io.BufferedWriter.write"):
            watching.functions[function].can_block_in("logging/__init__.py", "emit")  # pytest's own log file
        yield seen
    if seen:
        pytest.fail("\n".join(["the event loop was blocked:", *seen]), pytrace=False)
