"""Nodes of a test: none outlives it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.simulated.standin.nodes import Node


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Callable[..., Node]]:
    """Make nodes by name."""
    made: list[Node] = []

    def one(name: str = "node", **options: dict[str, object]) -> Node:
        made.append(Node(tmp_path, name, **options))
        return made[-1]

    yield one
    for node in made:
        node.kill()


@pytest.fixture
def node(make: Callable[..., Node]) -> Node:
    """Make one node."""
    return make()
